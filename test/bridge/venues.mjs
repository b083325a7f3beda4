// Three venues that are not built in, as their public protocols are spoken: Poloniex (REST and streams),
// DigiFinex and NovaDAX (REST alone). All trade the same fixed data on a clock that runs faster than time
// and lies an hour in the past, so that no clock of the machine can be mistaken for it.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const { WebSocketServer } = createRequire(new URL('../../sidecar/package.json', import.meta.url))('ws');

export const minute = 60_000;
const speed = 40;

// Digits that no double holds, some of them behind an exponent's worth of zeros.
export function candleOf(open) {
  const n = (open / minute) % 1000;
  return {
    open: `60000.${String(n).padStart(3, '0')}1`,
    high: `61000.${String(n).padStart(3, '0')}2`,
    low: `0.0000000${String(n + 1).padStart(4, '0')}`,
    close: `60500.${String(n).padStart(3, '0')}3`,
    volume: `123456789.${String(n).padStart(3, '0')}456789012`,
  };
}

export const bids = [['60499.9', '1234567.123456789012'], ['60499.8', '2.5'], ['60499.7', '0.000000012']];
export const asks = [['60500.1', '0.7'], ['60500.20', '3.1'], ['60500.3', '4']];

class Clock {
  #begun = Date.now();
  #start = this.#begun - 60 * minute;
  now() {
    return this.#start + (Date.now() - this.#begun) * speed;
  }
}

// The minutes that open from `from` to `to`, both inclusive, none in the future.
function opensBetween(from, to, now, limit) {
  const opens = [];
  for (let open = Math.ceil(from / minute) * minute; open <= Math.min(to, now) && opens.length < limit; open += minute) {
    opens.push(open);
  }
  return opens;
}

const levels = (side) => `[${side.map(([price, size]) => `[${price},${size}]`).join(',')}]`;
const texts = (side) => JSON.stringify(side);

function poloniex(clock, url) {
  const candle = (open) => {
    const { open: first, high, low, close, volume } = candleOf(open);
    return [low, high, first, close, '1', volume, '1', '1', 7, 0, '1', 'MINUTE_1', open, open + minute - 1];
  };
  if (url.pathname === '/timestamp') return `{"serverTime":${Math.round(clock.now())}}`;
  if (url.pathname === '/markets') {
    return JSON.stringify([
      {
        symbol: 'BTC_USDT',
        baseCurrencyName: 'BTC',
        quoteCurrencyName: 'USDT',
        displayName: 'BTC/USDT',
        state: 'NORMAL',
        tradableStartTime: 1659018816626,
        symbolTradeLimit: { symbol: 'BTC_USDT', priceScale: 2, quantityScale: 6, amountScale: 2, minQuantity: '0.000001', minAmount: '1' },
      },
    ]);
  }
  if (url.pathname.endsWith('/allInstruments')) return '{"code":"200","msg":"Success","data":[]}';
  if (url.pathname === '/markets/BTC_USDT/candles') {
    const [from, to] = [Number(url.searchParams.get('startTime')), Number(url.searchParams.get('endTime') ?? Infinity)];
    const opens = opensBetween(from, to, clock.now(), Number(url.searchParams.get('limit') ?? 100));
    return JSON.stringify(opens.map(candle));
  }
  return undefined;
}

function digifinex(clock, url) {
  const now = Math.round(clock.now() / 1000);
  if (url.pathname === '/v3/time') return `{"server_time":${now},"code":0}`;
  if (url.pathname === '/v3/trades/symbols' || url.pathname === '/v3/spot/symbols') {
    return '{"symbol_list":[{"order_types":["LIMIT"],"quote_asset":"USDT","minimum_value":2,"amount_precision":4,"status":"TRADING","minimum_amount":0.0001,"symbol":"BTC_USDT","is_allow":1,"zone":"MAIN","base_asset":"BTC","price_precision":2}],"code":0}';
  }
  if (url.pathname === '/swap/v2/public/instruments') return '{"code":0,"data":[]}';
  if (url.pathname === '/v3/kline') {
    const [from, to] = [Number(url.searchParams.get('start_time')), Number(url.searchParams.get('end_time') ?? now)];
    const rows = opensBetween(from * 1000, to * 1000, clock.now(), 500).map((open) => {
      const { open: first, high, low, close, volume } = candleOf(open);
      return `[${open / 1000},${volume},${close},${high},${low},${first}]`;
    });
    return `{"code":0,"data":[${rows.join(',')}]}`;
  }
  if (url.pathname === '/v3/ticker') {
    return `{"ticker":[{"vol":40717.4461,"change":-1.91,"base_vol":392447999.65374,"sell":60500.1,"last":60500.25,"symbol":"btc_usdt","low":9476.24,"buy":60499.9,"high":61000}],"date":${now},"code":0}`;
  }
  if (url.pathname === '/v3/order_book') return `{"bids":${levels(bids)},"asks":${levels(asks)},"date":${now},"code":0}`;
  return undefined;
}

function novadax(clock, url) {
  const now = Math.round(clock.now());
  const answer = (data) => `{"code":"A10000","data":${data},"message":"Success"}`;
  if (url.pathname === '/v1/common/timestamp') return answer(now);
  if (url.pathname === '/v1/common/symbols') {
    return answer(
      '[{"amountPrecision":8,"baseCurrency":"BTC","minOrderAmount":"0.001","minOrderValue":"25","pricePrecision":2,"quoteCurrency":"USDT","status":"ONLINE","symbol":"BTC_USDT","valuePrecision":2}]',
    );
  }
  if (url.pathname === '/v1/market/kline/history') {
    const [from, to] = [Number(url.searchParams.get('from')) * 1000, Number(url.searchParams.get('to')) * 1000];
    const rows = opensBetween(from, to, now, 3000).map((open) => {
      const { open: first, high, low, close, volume } = candleOf(open);
      return `{"amount":${volume},"closePrice":${close},"count":7,"highPrice":${high},"lowPrice":${low},"openPrice":${first},"score":${open / 1000},"symbol":"BTC_USDT","vol":1.5}`;
    });
    return answer(`[${rows.join(',')}]`);
  }
  if (url.pathname === '/v1/market/ticker') {
    return answer(
      `{"ask":"60500.1","baseVolume24h":"164.41930186","bid":"60499.9","high24h":"64930.72","lastPrice":"60500.25","low24h":"61156.32","open24h":"64512.46","quoteVolume24h":"10308157.95","symbol":"BTC_USDT","timestamp":${now}}`,
    );
  }
  if (url.pathname === '/v1/market/depth') return answer(`{"asks":${texts(asks)},"bids":${texts(bids)},"timestamp":${now}}`);
  return undefined;
}

// Poloniex's streams: what a client subscribes to comes every 50 ms.
function stream(socket, clock) {
  const wanted = new Map();
  let trade = 1;
  let sequence = 100;
  const tell = (channel, data, action) => socket.send(JSON.stringify({ channel, ...(action ? { action } : {}), data: [{ symbol: 'BTC_USDT', ...data }] }));
  const frames = {
    candles_minute_1: (now) => {
      const open = Math.floor(now / minute) * minute;
      const { volume, ...prices } = candleOf(open);
      tell('candles_minute_1', { ...prices, quantity: volume, amount: '1', tradeCount: 7, startTime: open, closeTime: open + minute - 1, ts: now });
    },
    ticker: (now) =>
      tell('ticker', {
        open: '26053.33', low: '26053.33', high: '26798.02', close: '60500.25', quantity: '6116.210188', amount: '161082122.88450926',
        tradeCount: 134709, startTime: now - 86_400_000, closeTime: now, dailyChange: '0.0151', bid: '60499.9', ask: '60500.1', ts: now,
      }),
    trades: (now) => tell('trades', { amount: '1', quantity: '0.000537', takerSide: 'buy', createTime: now, price: '60500.25', id: String(trade++), ts: now }),
    // A level more than there is comes and goes, so that what is left out of it must be right.
    book_lv2: (now, isFirst) => {
      const extra = sequence % 2 === 0 ? '9' : '0.000';
      if (isFirst) tell('book_lv2', { bids, asks, id: sequence, lastId: sequence - 1, createTime: now, ts: now }, 'snapshot');
      else tell('book_lv2', { bids: [['60499.85', extra]], asks: [['60500.10', '0.7']], id: sequence, lastId: sequence - 1, createTime: now, ts: now }, 'update');
      ++sequence;
    },
  };
  const timer = setInterval(() => {
    const now = Math.round(clock.now());
    for (const [channel, isFirst] of wanted) {
      frames[channel](now, isFirst);
      wanted.set(channel, false);
    }
  }, 50);
  socket.on('message', (text) => {
    const told = JSON.parse(text);
    if (told.event === 'ping') socket.send('{"event":"pong"}');
    if (told.event !== 'subscribe') return;
    for (const channel of told.channel) if (channel in frames) wanted.set(channel, true);
    socket.send(JSON.stringify({ channel: told.channel[0], event: 'subscribe', symbols: told.symbols }));
  });
  socket.on('close', () => clearInterval(timer));
}

export const venues = { poloniex, digifinex, novadax };

// Answers { url, ws, unknown, now, close }; `unknown` collects what was asked for and is not spoken here.
export async function serve(venue) {
  const clock = new Clock();
  const unknown = [];
  const server = createServer((request, response) => {
    const body = venue(clock, new URL(request.url, 'http://venue'));
    if (body === undefined) unknown.push(request.url);
    response.writeHead(body === undefined ? 404 : 200, { 'Content-Type': 'application/json' });
    response.end(body ?? '{}');
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => stream(socket, clock));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  return {
    url: `http://127.0.0.1:${port}`,
    ws: `ws://127.0.0.1:${port}`,
    unknown,
    now: () => clock.now(),
    close() {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      server.close();
    },
  };
}
