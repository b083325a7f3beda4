// What ccxt.pro's subscriptions deliver, against what the simulator knows to be true, over whole
// virtual minutes.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { ccxt, connect, venues } from './ccxt_client.mjs';
import { Simulator, candleOf, toRow, until, within } from './simulator.mjs';

const symbol = 'BTC/USDT';
const minuteMs = 60_000;

// Calls `watch` until the exchange has gone through `count` whole minutes, and returns the opening
// of the first of them. `watch` gives the time of the newest thing that it saw.
async function watchMinutes(count, watch) {
  let first;
  await until(async () => {
    const time = await watch();
    first ??= Math.floor(time / minuteMs) * minuteMs + minuteMs;
    return time >= first + count * minuteMs ? time : undefined;
  }, `${count} minutes of updates`);
  return first;
}

function connectedClient(exchange, client, speed) {
  const pair = {};
  before(async () => {
    pair.simulator = await Simulator.start({ exchange, speed });
    pair.venue = connect(pair.simulator, client);
    await pair.venue.loadMarkets();
  });
  after(async () => {
    await pair.venue?.close();
    await pair.simulator?.stop();
  });
  return pair;
}

// Waits for two books that the stream and REST both have, and compares their best levels. A frame
// tells what happened in a tenth of a second; REST shows the book of any moment, so only some of
// those that it shows are the book at a frame's end.
async function compareBooks(venue) {
  const depth = 20;
  const top = ({ bids, asks }) =>
    [bids, asks].map((side) => Array.from(side).slice(0, depth).map(([...level]) => level));
  const kept = new Map();
  let newest = 0;
  let compared = 0;
  const watch = async () => {
    const book = await venue.watchOrderBook(symbol);
    assert.ok(book.nonce >= newest);
    newest = book.nonce;
    kept.set(newest, top(book));
  };
  await within(watch(), 'order book');
  await until(async () => {
    const [shown] = await Promise.all([venue.fetchOrderBook(symbol, 100), watch()]);
    while (newest < shown.nonce) await watch();
    if (kept.has(shown.nonce)) {
      assert.deepEqual(kept.get(shown.nonce), top(shown));
      ++compared;
    }
    return compared === 2 ? true : undefined;
  }, 'two books that both have');
}

for (const { exchange, client } of venues) {
  // Side by side, as a program would have its subscriptions.
  describe(`ccxt.pro.${client}, whole minutes`, { concurrency: true }, () => {
    const pair = connectedClient(exchange, client, 40);

    test('watchOHLCV closes candles that equal the truth', async () => {
      const { simulator, venue } = pair;
      const seen = new Map();
      const first = await watchMinutes(3, async () => {
        const rows = await venue.watchOHLCV(symbol, '1m');
        for (const row of rows) seen.set(row[0], [...row]);
        return rows[rows.length - 1][0];
      });
      const truth = await simulator.truth(symbol, '1m', first, first + 3 * minuteMs);
      const rows = truth.map((candle) => seen.get(candle.open_ms));
      assert.equal(truth.length, 3);
      assert.deepEqual(rows, truth.map(toRow));
    });

    test('watchTrades misses no trade and makes up the true candles', async () => {
      const { simulator, venue } = pair;
      const seen = new Map();
      const first = await watchMinutes(2, async () => {
        const trades = await venue.watchTrades(symbol);
        for (const { info } of trades) seen.set(Number(info.t), info);
        return trades[trades.length - 1].timestamp;
      });
      const ids = [...seen.keys()];
      assert.deepEqual(ids, Array.from(ids, (_, i) => ids[0] + i));
      const truth = await simulator.truth(symbol, '1m', first, first + 2 * minuteMs);
      assert.equal(truth.length, 2);
      for (const candle of truth) {
        const trades = [...seen.values()]
          .filter(({ T }) => Math.floor(T / minuteMs) * minuteMs === candle.open_ms)
          .map(({ p, q }) => ({ price: p, size: q }));
        assert.deepEqual(candleOf(candle.open_ms, trades), toRow(candle));
        assert.equal(trades.length, candle.trade_count);
      }
    });

    test('watchTicker tells the last trade and a book around it', async () => {
      const { venue } = pair;
      let newest;
      await watchMinutes(1, async () => {
        const ticker = await venue.watchTicker(symbol);
        assert.equal(ticker.symbol, symbol);
        assert.ok(ticker.bid < ticker.ask);
        assert.ok(ticker.low <= ticker.last && ticker.last <= ticker.high);
        assert.ok(newest === undefined || ticker.timestamp > newest.timestamp);
        newest = ticker;
        return ticker.timestamp;
      });
      const { F: first, L: last, n: count, c: price, Q: size } = newest.info;
      assert.equal(Number(last) - Number(first) + 1, Number(count));
      const trades = await venue.publicGetTrades({ symbol: 'BTCUSDT', limit: 1_000 });
      const trade = trades.find(({ id }) => Number(id) === Number(last));
      assert.equal(trade?.price, price);
      assert.equal(trade?.qty, size);
    });
  });

  describe(`ccxt.pro.${client}, moments`, { concurrency: false }, () => {
    const pair = connectedClient(exchange, client, 12);

    test('watchOrderBook keeps the book that REST shows', async () => {
      await compareBooks(pair.venue);
    });

    test('watchOrderBook finds back to that book after the connection was cut', async () => {
      const { simulator, venue } = pair;
      const lost = assert.rejects(
        until(() => venue.watchOrderBook(symbol).then(() => undefined), 'lost connection'),
        ccxt.NetworkError,
      );
      await simulator.cutConnections();
      await lost;
      await compareBooks(venue);
    });
  });
}
