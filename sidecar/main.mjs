// One exchange of CCXT, spoken as JSON Lines over standard input and output: node main.mjs NAME [--describe]
// [--base-url URL] [--ws-url URL]. README.md has the lines. Ends when standard input does; beats every
// second, so that whoever started it sees a hang.
import { createInterface } from 'node:readline';

import { channelsOf, describe, errorOf, makeExchange } from './exchange.mjs';

const beat = 1_000;
// Between two polls of one subscription, and between two frames of one ladder.
const pollInterval = 2_000;
const ladderInterval = 250;
const ladderLevels = 100;
// Beyond the first, ladders and tickers are left out, as newer ones follow; beyond the second nobody reads.
const busyBytes = 1 << 20;
const mostBytes = 32 << 20;

// CCXT talks to the console now and then; standard output is for lines only.
console.log = console.info = console.debug = console.warn = console.error;

function tell(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
  if (process.stdout.writableLength > mostBytes) fail('transient', 'what is written is not read');
}

function fail(kind, message) {
  process.stdout.write(`${JSON.stringify({ fatal: { kind, message } })}\n`, () => process.exit(1));
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const text = (value) => (value === undefined || value === null ? null : String(value));

// What the service reads of CCXT's structures; the rest, and the venue's own reply in `info`, stays here.
const row = ([time, ...values]) => [Number(time), ...values.slice(0, 5).map(text)];
// CCXT sorts by what it holds, which are texts here.
const levels = (side, sign) =>
  side
    .map(([price, size]) => [text(price), text(size)])
    .sort(([one], [other]) => sign * (Number(one) - Number(other)))
    .slice(0, ladderLevels);
const shapes = {
  candles: (rows) => rows.map(row),
  ticker: (of) => ({
    symbol: of.symbol,
    timestamp: of.timestamp ?? null,
    last: text(of.last),
    open: text(of.open),
    high: text(of.high),
    low: text(of.low),
    volume: text(of.baseVolume),
    quote_volume: text(of.quoteVolume),
    change_pct: text(of.percentage),
    bid: text(of.bid),
    bid_size: text(of.bidVolume),
    ask: text(of.ask),
    ask_size: text(of.askVolume),
  }),
  ladder: (of) => ({ timestamp: of.timestamp ?? null, bids: levels(of.bids, -1), asks: levels(of.asks, 1) }),
  trades: (all) =>
    all.map((of) => ({
      id: text(of.id),
      timestamp: of.timestamp ?? null,
      price: text(of.price),
      size: text(of.amount),
      taker_side: of.side ?? null,
    })),
};

async function serve(ccxt, exchange) {
  const ways = channelsOf(exchange);
  const facts = describe(ccxt, exchange);

  const listed = (market) => ({
    symbol: market.symbol,
    base: market.base,
    quote: market.quote,
    is_active: market.active ?? null,
    tick_size: stepOf(market.precision?.price),
    step_size: stepOf(market.precision?.amount),
  });
  // A precision is a step, a number of decimal places, or of significant digits: that is no step.
  function stepOf(precision) {
    if (precision === undefined || precision === null) return null;
    if (exchange.precisionMode === ccxt.TICK_SIZE) return text(precision);
    if (exchange.precisionMode === ccxt.DECIMAL_PLACES) return text(exchange.parsePrecision(String(precision)));
    return null;
  }

  async function ticker(symbol) {
    if (exchange.has.fetchTicker === true) return exchange.fetchTicker(symbol);
    const all = await exchange.fetchTickers([symbol]);
    if (all[symbol] === undefined) throw new ccxt.BadSymbol(`${exchange.id} tells no ticker of ${symbol}`);
    return all[symbol];
  }

  // Each answers the members beside "id".
  const calls = {
    time: async () => ({ result: { time: facts.has_time ? await exchange.fetchTime() : Date.now() } }),
    markets: async () => {
      const markets = Object.values(await exchange.loadMarkets(true));
      return { result: markets.filter((market) => market.spot && !market.symbol.includes(':')).map(listed) };
    },
    candles: async ({ symbol, timeframe, since, limit }) => {
      const most = Math.min(limit ?? facts.max_candles, facts.max_candles);
      const rows = await exchange.fetchOHLCV(symbol, timeframe, since, most);
      return { limit: most, result: shapes.candles(rows) };
    },
    ticker: async ({ symbol }) => ({ result: shapes.ticker(await ticker(symbol)) }),
    depth: async ({ symbol }) => ({ result: shapes.ladder(await exchange.fetchOrderBook(symbol)) }),
    trades: async ({ symbol, since, limit }) => ({ result: shapes.trades(await exchange.fetchTrades(symbol, since, limit)) }),
  };

  async function answer(id, target) {
    try {
      const url = new URL(target, 'ccxt://sidecar');
      const query = Object.fromEntries(url.searchParams);
      for (const number of ['since', 'limit']) if (number in query) query[number] = Number(query[number]);
      const call = calls[url.pathname.slice(1)];
      if (call === undefined) throw Object.assign(new Error(`no such call: ${target}`), { kind: 'rejected' });
      tell({ id, ...(await call(query)) });
    } catch (error) {
      tell({ id, error: errorOf(ccxt, exchange, error) });
    }
  }

  // Polls wait for each other, so that they never stand in a queue before requests for history.
  let turn = Promise.resolve();
  function inTurn(task) {
    const done = turn.then(task);
    turn = done.catch(() => {});
    return done;
  }
  async function polled(task) {
    const next = Date.now() + pollInterval;
    const data = await inTurn(task);
    return { data, wait: next - Date.now() };
  }

  const sources = {
    candles: async ({ symbol, timeframe }) => ({ data: (await exchange.watchOHLCV(symbol, timeframe)).slice(-2) }),
    ticker: async ({ symbol }) =>
      ways.ticker === 'stream' ? { data: await exchange.watchTicker(symbol) } : polled(() => ticker(symbol)),
    ladder: async ({ symbol }, last) => {
      if (ways.ladder !== 'stream') return polled(() => exchange.fetchOrderBook(symbol));
      // The book goes on changing in place, so that what is told after the pause is the newest.
      const data = await exchange.watchOrderBook(symbol);
      await sleep(Math.max(0, last + ladderInterval - Date.now()));
      return { data };
    },
    trades: async ({ symbol }) => ({ data: await exchange.watchTrades(symbol) }),
  };

  const connections = new Map();

  // One channel of one connection, until either is closed. A refused one ends alone; anything else that
  // goes wrong is the connection's end, as it would be on a socket.
  async function follow(connection, wanted) {
    const { channel, symbol, timeframe } = wanted;
    let last = 0;
    while (connections.get(connection.id) === connection) {
      try {
        if (!ways[channel]) throw new ccxt.NotSupported(`${exchange.id} has no ${channel} in CCXT`);
        const { data, wait } = await sources[channel](wanted, last);
        if (connections.get(connection.id) !== connection) return;
        const isSuperseded = channel === 'ladder' || channel === 'ticker';
        if (!isSuperseded || process.stdout.writableLength < busyBytes) {
          tell({ connection: connection.id, frame: { type: channel, symbol, timeframe, data: shapes[channel](data) } });
        }
        last = Date.now();
        if (wait > 0) await sleep(wait);
      } catch (error) {
        if (connections.get(connection.id) !== connection) return;
        const told = errorOf(ccxt, exchange, error);
        if (told.kind === 'rejected') {
          return tell({ connection: connection.id, frame: { type: 'refused', channel, symbol, timeframe, message: told.message } });
        }
        connections.delete(connection.id);
        return tell({ connection: connection.id, closed: told });
      }
    }
  }

  function obey(line) {
    const told = JSON.parse(line);
    if (told.call !== undefined) return answer(told.id, told.call);
    if (told.close) return connections.delete(told.connection);
    if (!connections.has(told.connection)) {
      // After its end was told, messages may still be under way.
      if (told.open) connections.set(told.connection, { id: told.connection });
      return undefined;
    }
    for (const wanted of told.message?.subscribe ?? []) follow(connections.get(told.connection), wanted);
    return undefined;
  }

  tell({ ready: facts });
  setInterval(() => tell({ heartbeat: Date.now() }), beat);
  const input = createInterface({ input: process.stdin, crlfDelay: Infinity });
  input.on('line', obey);
  input.on('close', () => process.exit(0));
}

const [name, ...flags] = process.argv.slice(2);
const flag = (wanted) => (flags.includes(wanted) ? flags[flags.indexOf(wanted) + 1] : undefined);
// CCXT leaves promises behind when a socket ends; they have been told by then.
process.on('unhandledRejection', (error) => console.error(error));

try {
  const ccxt = (await import('ccxt')).default;
  const exchange = makeExchange(ccxt, name ?? '', { restUrl: flag('--base-url'), streamUrl: flag('--ws-url') });
  if (flags.includes('--describe')) tell({ ready: describe(ccxt, exchange) });
  else await serve(ccxt, exchange);
} catch (error) {
  const isMissing = error.code === 'ERR_MODULE_NOT_FOUND';
  const folder = new URL('.', import.meta.url).pathname;
  fail(
    isMissing ? 'misconfigured' : error.kind ?? 'transient',
    isMissing ? `the package ccxt is missing: run "npm ci" in ${folder}` : String(error.message),
  );
}
