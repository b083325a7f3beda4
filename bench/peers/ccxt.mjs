// CCXT Pro on the same frames, from the text of a message to its structures: the client's own onMessage
// (JSON.parse included) and the exchange's own handlers. No network: the markets are made here, and nobody
// awaits the results.
//
//   node ccxt.mjs FRAMES
import ccxt from 'ccxt';
import { fail, measure, readFrames } from './frames.mjs';

const folder = process.argv[2] ?? fail('usage: node ccxt.mjs FRAMES');
const frames = {};
for (const kind of ['trade', 'kline', 'bookTicker', 'depth', 'snapshot']) frames[kind] = readFrames(folder, kind);

const exchange = new ccxt.pro.binance({ newUpdates: true });
const quotes = ['USDT', 'BUSD', 'BTC', 'ETH', 'EUR'];
const symbolOf = (id) => {
  const quote = quotes.find((asset) => id.endsWith(asset)) ?? fail(`what is ${id} quoted in?`);
  return `${id.slice(0, -quote.length)}/${quote}`;
};
const ids = new Set();
for (const kind of ['trade', 'kline', 'bookTicker', 'depth']) {
  for (const frame of frames[kind]) ids.add(JSON.parse(frame).data.s);
}
exchange.setMarkets([...ids].map((id) => {
  const [base, quote] = symbolOf(id).split('/');
  return exchange.safeMarketStructure({
    id, symbol: `${base}/${quote}`, base, quote, baseId: base, quoteId: quote, type: 'spot', spot: true,
    active: true, precision: { amount: 1e-8, price: 1e-8 },
  });
}));
const client = exchange.client(exchange.urls.api.ws.spot + '/0');
// A refused message would otherwise be kept for whoever awaits it.
client.reject = (error) => fail(`ccxt refused a frame: ${error}`);
const receive = (text) => client.onMessage({ data: text });

const depthSymbol = symbolOf(JSON.parse(frames.depth[0]).data.s);
const snapshot = exchange.parseOrderBook(JSON.parse(frames.snapshot[0]), depthSymbol);
snapshot.nonce = JSON.parse(frames.depth[0]).data.U - 1;
const freshBook = () => {
  exchange.orderbooks[depthSymbol] = exchange.orderBook(snapshot);
};

for (const kind of ['trade', 'kline', 'bookTicker']) measure(kind, 'ccxt', frames[kind], receive);
measure('depth', 'ccxt', frames.depth, receive, freshBook);

// Did it really work?
const last = (kind) => JSON.parse(frames[kind].at(-1)).data;
const trades = exchange.trades[symbolOf(last('trade').s)];
if (trades.at(-1).id !== String(last('trade').t)) fail('ccxt did not store the last trade');
if (exchange.orderbooks[depthSymbol].nonce !== last('depth').u) fail('ccxt did not apply the last depth update');
if (exchange.bidsasks[symbolOf(last('bookTicker').s)].bid !== Number(last('bookTicker').b)) fail('ccxt did not store the last quote');
const kline = last('kline');
if (exchange.ohlcvs[symbolOf(kline.s)]['1m'].at(-1)[4] !== Number(kline.k.c)) fail('ccxt did not store the last candle');
process.exit(0);
