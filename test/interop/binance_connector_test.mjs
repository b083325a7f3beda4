// Binance's own client package, REST and streams, against what the simulator knows to be true.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import connector from '@binance/connector';

import { Simulator, candleOf, timeframeMs, toRow, within } from './simulator.mjs';

const symbol = 'BTCUSDT';
const stream = symbol.toLowerCase();
const minuteMs = timeframeMs['1m'];
const silent = { debug() {}, info() {}, log() {}, warn() {}, error() {} };

function toCandle([open, ...fields]) {
  return [open, ...fields.slice(0, 5).map(Number)];
}

describe('@binance/connector over REST', { concurrency: false }, () => {
  let simulator;
  let client;

  before(async () => {
    simulator = await Simulator.start({ exchange: 'binance', speed: 0.001 });
    client = new connector.Spot('', '', { baseURL: simulator.http });
  });
  after(() => simulator?.stop());

  test('exchangeInfo lists the markets, or the one asked for', async () => {
    const { data, headers } = await client.exchangeInfo();
    const { symbols } = await simulator.state();
    assert.deepEqual(data.symbols.map((one) => one.symbol).sort(), [...symbols].sort());
    assert.ok(Number(headers['x-mbx-used-weight-1m']) > 0);
    const one = await client.exchangeInfo({ symbols: [symbol, 'ETHUSDT'] });
    assert.deepEqual(
      one.data.symbols.map(({ symbol: name }) => name),
      [symbol, 'ETHUSDT'],
    );
  });

  for (const timeframe of Object.keys(timeframeMs)) {
    test(`${timeframe} klines equal the truth`, async () => {
      const length = timeframeMs[timeframe];
      const startTime = Math.floor((await simulator.nowMs()) / length) * length - 100 * length;
      const { data } = await client.klines(symbol, timeframe, { startTime, limit: 1_000 });
      const truth = await simulator.truth(symbol, timeframe, startTime);
      assert.equal(truth.length, 100);
      assert.deepEqual(data.slice(0, -1).map(toCandle), truth.map(toRow));
      for (const [i, candle] of truth.entries()) {
        assert.equal(data[i][6], candle.open_ms + length - 1);
        assert.equal(Number(data[i][7]), candle.quote_volume);
        assert.equal(data[i][8], candle.trade_count);
        assert.equal(Number(data[i][9]), candle.taker_buy_volume);
        assert.equal(Number(data[i][10]), candle.taker_buy_quote_volume);
      }
    });
  }

  test('depth is as deep as was asked for and in order', async () => {
    const { data } = await client.depth(symbol, { limit: 50 });
    assert.equal(data.bids.length, 50);
    assert.equal(data.asks.length, 50);
    const prices = [...data.bids].reverse().concat(data.asks).map(([price]) => Number(price));
    assert.deepEqual(prices, [...prices].sort((a, b) => a - b));
    assert.equal(new Set(prices).size, 100);
  });

  test('trades, aggregates and tickers tell the same last trade', async () => {
    const { data: trades } = await client.trades(symbol, { limit: 5 });
    const { data: aggregates } = await client.aggTrades(symbol, { limit: 5 });
    const { data: ticker } = await client.ticker24hr(symbol);
    const { data: price } = await client.tickerPrice(symbol);
    const last = trades[trades.length - 1];
    assert.equal(aggregates[aggregates.length - 1].l, last.id);
    assert.equal(aggregates[aggregates.length - 1].p, last.price);
    assert.equal(ticker.lastId, last.id);
    assert.equal(ticker.lastPrice, last.price);
    assert.equal(ticker.lastQty, last.qty);
    assert.equal(price.price, last.price);
  });

  test('a refusal carries the code of Binance', async () => {
    await assert.rejects(client.klines('NOSUCHCOIN', '1m'), (error) => {
      assert.equal(error.response.status, 400);
      assert.equal(error.response.data.code, -1121);
      return true;
    });
  });
});

describe('@binance/connector over WebSocket', { concurrency: true }, () => {
  let simulator;
  let client;

  before(async () => {
    simulator = await Simulator.start({ exchange: 'binance', speed: 40 });
    client = new connector.Spot('', '', { baseURL: simulator.http });
  });
  after(() => simulator?.stop());

  // Listens until `take` (called with each message) returns something, then hangs up.
  async function listen(options, subscribe, take) {
    let socket;
    const found = new Promise((resolve, reject) => {
      socket = new connector.WebsocketStream({
        logger: silent,
        wsURL: simulator.ws,
        ...options,
        callbacks: {
          message: (text) => {
            try {
              const result = take(JSON.parse(text), socket);
              if (result !== undefined) resolve(result);
            } catch (error) {
              reject(error);
            }
          },
          error: () => reject(new Error('the socket failed')),
          close: () => reject(new Error('the venue hung up')),
        },
      });
      subscribe(socket);
    });
    try {
      return await within(found, 'wanted message');
    } finally {
      // Else it would call again, for ever, where the venue was the one to hang up.
      socket.initConnect = () => {};
      socket.disconnect();
    }
  }

  test('kline closes candles that equal the truth', async () => {
    const closed = [];
    await listen(
      {},
      (socket) => socket.kline(symbol, '1m'),
      ({ e, s, k }) => {
        assert.equal(e, 'kline');
        assert.equal(s, symbol);
        if (k.x) closed.push(k);
        return closed.length === 2 ? true : undefined;
      },
    );
    const truth = await simulator.truth(symbol, '1m', closed[0].t, closed[1].t + minuteMs);
    const rows = closed.map(({ t, o, h, l, c, v }) => toCandle([t, o, h, l, c, v]));
    assert.deepEqual(rows, truth.map(toRow));
    assert.deepEqual(
      closed.map(({ n, q }) => [n, Number(q)]),
      truth.map((candle) => [candle.trade_count, candle.quote_volume]),
    );
    assert.equal(closed[1].f, closed[0].L + 1);
  });

  test('aggTrade makes up the true candle', async () => {
    const seen = [];
    const open = await listen(
      {},
      (socket) => socket.aggTrade(symbol),
      (trade) => {
        const previous = seen[seen.length - 1];
        if (previous) {
          assert.equal(trade.a, previous.a + 1);
          assert.equal(trade.f, previous.l + 1);
        }
        seen.push(trade);
        const whole = Math.floor(seen[0].T / minuteMs) * minuteMs + minuteMs;
        return trade.T >= whole + minuteMs ? whole : undefined;
      },
    );
    const executions = seen
      .filter(({ T }) => T >= open && T < open + minuteMs)
      .map(({ p, q }) => ({ price: p, size: q }));
    const [candle] = await simulator.truth(symbol, '1m', open, open + minuteMs);
    assert.deepEqual(candleOf(open, executions), toRow(candle));
  });

  test('bookTicker moves on with each update', async () => {
    let last = 0;
    let count = 0;
    await listen(
      {},
      (socket) => socket.bookTicker(symbol),
      ({ u, s, b, B, a, A }) => {
        assert.equal(s, symbol);
        assert.ok(u > last);
        assert.ok(Number(b) < Number(a) && Number(B) > 0 && Number(A) > 0);
        last = u;
        return ++count === 100 ? true : undefined;
      },
    );
  });

  test('diffBookDepth follows without a gap and meets the snapshot', async () => {
    const events = [];
    let snapshot;
    await listen(
      {},
      (socket) => socket.diffBookDepth(symbol, '100ms'),
      (event) => {
        const previous = events[events.length - 1];
        if (previous === undefined) {
          client.depth(symbol, { limit: 1_000 }).then(({ data }) => {
            snapshot = data.lastUpdateId;
          });
        } else {
          assert.equal(event.U, previous.u + 1);
        }
        events.push(event);
        return snapshot !== undefined && event.u > snapshot ? true : undefined;
      },
    );
    assert.ok(events[0].U <= snapshot + 1);
  });

  test('combined streams name themselves, and more can be subscribed', async () => {
    const wanted = [`${stream}@miniTicker`, `${stream}@ticker`, `ethusdt@bookTicker`];
    const seen = new Set();
    let asked = false;
    await listen(
      { combinedStreams: true },
      (socket) => socket.subscribe(wanted.slice(0, 2)),
      (message, socket) => {
        if (!asked) {
          asked = true;
          socket.subscribe(wanted[2]);
        }
        if (message.stream === undefined) {
          assert.equal(message.result, null);
        } else {
          assert.ok(message.data.s === symbol || message.data.s === 'ETHUSDT');
          seen.add(message.stream);
        }
        return seen.size === wanted.length ? true : undefined;
      },
    );
    assert.deepEqual([...seen].sort(), [...wanted].sort());
  });

  test('timestamps come in microseconds when asked for', async () => {
    const trade = await listen(
      { timeUnit: 'MICROSECOND' },
      (socket) => socket.trade(symbol),
      (message) => message,
    );
    const now = await simulator.nowMs();
    assert.ok(Math.abs(trade.T / 1_000 - now) < minuteMs);
  });
});
