// The sink as a process, rows for it, and what PostgreSQL must hold afterwards.
import { execFileSync, spawn } from 'node:child_process';

const driver = process.env.CANDLEWICK_SINK_DRIVER;
if (!driver) throw new Error('CANDLEWICK_SINK_DRIVER must name the driver program');

const words = (settings) => Object.entries(settings).map(([key, value]) => `${key}=${value}`);

export const setupSql = (settings = {}) => execFileSync(driver, ['supabase', 'setup', ...words(settings)], { encoding: 'utf8' });

async function ask(command, settings, input = '') {
  const child = spawn(driver, ['supabase', command, ...words(settings)], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  let said = '';
  for await (const part of child.stdout) said += part;
  return said.split('\n').filter(Boolean).map((line) => JSON.parse(line));
}

// Each batch's outcome: { ok } or { ok, kind, message }.
export const write = (settings, ...batches) => ask('write', settings, batches.map((rows) => rows.join('\n')).join('\n\n') + '\n');
export const examine = (settings) => ask('examine', settings);

const start = Date.parse('2026-03-01T00:00:00Z');
export const instant = (minute) => new Date(start + minute * 60_000).toISOString();

// Rows as the log has them: JSON text, since numbers of JavaScript hold fewer digits.
const row = (table, cells) => `{"table":"${table}",${Object.entries(cells).map(([name, json]) => `"${name}":${json}`).join(',')}}`;
const text = (value) => JSON.stringify(value);

export function tick({ minute, symbol = 'BTC/USDT', price = '60000.123456789012345678', ladder = '[["1.10","2"]]', at = instant(minute) }) {
  return row('market_ticks', {
    symbol: text(symbol), exchange: '"binance"', exchange_symbol: text(symbol.replace('/', '')), window_interval: '"1m"',
    exchange_ts: text(at), open: '1.5', high: price, low: '0.000000000000000001', close: price, last_price: price,
    price_change_pct_1h: '-0.1', price_change_pct_24h: 'null', volume_24h_quote: '12345678901234567890.123456789012345678',
    volume_change_pct_24h: '3.0000000000000004', market_cap: 'null', circulating_supply: '19700000', bid_ask_spread: '0.01',
    bid_depth: ladder, ask_depth: ladder, candle_time: text(instant(minute - 1)), ingested_at: text(instant(minute)),
  });
}

export function indicators({ minute, symbol = 'BTC/USDT', rsi = '55.5', revision = 0 }) {
  return row('technical_indicators', {
    symbol: text(symbol), exchange: '"binance"', exchange_symbol: text(symbol.replace('/', '')), window_interval: '"1m"',
    exchange_ts: text(instant(minute)), rolling_return_1h: '0.1', rolling_return_24h: 'null', rolling_volatility_24h: '0.30000000000000004',
    high_low_range_24h: '120.5', moving_average_7: '60000.1', moving_average_30: '59999.9', rsi_14: rsi, macd: '1e-9', macd_signal: '-2.5',
    extra: '{"ema_9":1.25}', candle_time: text(instant(minute - 1)), revision, created_at: text(instant(minute)),
  });
}

export function candle({ minute, symbol = 'BTC/USDT', close = '60000.1', revision = 0, closed = true }) {
  return row('fact_ohlcv', {
    exchange: '"binance"', symbol: text(symbol), timeframe: '"1m"', timestamp: text(instant(minute)), open: '1', high: '2', low: '0.5',
    close, volume: '3.25', quote_volume: 'null', trade_count: '17', taker_buy_volume: 'null', taker_buy_quote_volume: 'null',
    is_closed: closed, source: '"ws"', revision, ingested_at: text(instant(minute + 1)),
  });
}
