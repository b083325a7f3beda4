// What ccxt's REST calls return, against what the simulator knows to be true. Virtual time all but
// stands still here; where it could still move between two calls, the test looks twice.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { ccxt, connect, venues } from './ccxt_client.mjs';
import { Simulator, candleOf, timeframeMs, toRow, until } from './simulator.mjs';
import { expectBook, expectTicker } from './truth.mjs';

const symbol = 'BTC/USDT';
const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

for (const { exchange, client } of venues) {
  describe(`ccxt.${client} over REST`, { concurrency: false }, () => {
    let simulator;
    let venue;

    before(async () => {
      simulator = await Simulator.start({ exchange, speed: 0.001 });
      venue = connect(simulator, client);
    });
    after(async () => {
      await venue?.close();
      await simulator?.stop();
    });

    test('lists the markets that the simulator has', async () => {
      const markets = await venue.fetchMarkets();
      const { symbols } = await simulator.state();
      assert.deepEqual(markets.map((market) => market.id).sort(), [...symbols].sort());
      for (const market of markets) {
        assert.equal(market.symbol, `${market.base}/${market.quote}`);
        assert.ok(market.spot && market.active, market.id);
        assert.ok(market.precision.price > 0 && market.precision.amount > 0, market.id);
        assert.ok(market.limits.amount.min > 0 && market.limits.cost.min > 0, market.id);
      }
      await venue.loadMarkets();
      assert.equal(venue.market(symbol).id, 'BTCUSDT');
    });

    test('tells the virtual time', async () => {
      const earliest = await simulator.nowMs();
      const time = await venue.fetchTime();
      const latest = await simulator.nowMs();
      assert.ok(earliest <= time && time <= latest, `${earliest} ${time} ${latest}`);
    });

    for (const [timeframe, length, count] of [
      ['1m', timeframeMs['1m'], 2_345],
      ['5m', timeframeMs['5m'], 1_000],
      ['1h', timeframeMs['1h'], 250],
    ]) {
      test(`pages through ${timeframe} candles that equal the truth`, async () => {
        const limit = 400;
        const now = await simulator.nowMs();
        const start = (Math.floor(now / length) - count) * length;
        const truth = await simulator.truth(symbol, timeframe, start);
        assert.equal(truth.length, count);
        const rows = [];
        let since = start;
        for (;;) {
          const page = await venue.fetchOHLCV(symbol, timeframe, since, limit);
          rows.push(...page);
          if (page.length < limit) break;
          since = page[page.length - 1][0] + length;
        }
        // The newest row is still forming.
        assert.equal(rows.length, count + 1);
        assert.equal(rows[count][0], start + count * length);
        assert.deepEqual(rows.slice(0, count), truth.map(toRow));
      });
    }

    test('returns the newest candles when not told where to begin', async () => {
      const rows = await venue.fetchOHLCV(symbol, '1m', undefined, 10);
      const truth = await simulator.truth(symbol, '1m', rows[0][0]);
      assert.equal(rows.length, 10);
      assert.deepEqual(rows.slice(0, -1), truth.map(toRow));
    });

    test('ends at the `until` that was asked for', async () => {
      const now = await simulator.nowMs();
      const start = Math.floor(now / minuteMs) * minuteMs - 120 * minuteMs;
      const last = start + 9 * minuteMs;
      const rows = await venue.fetchOHLCV(symbol, '1m', start, 500, { until: last });
      const truth = await simulator.truth(symbol, '1m', start, last + 1);
      assert.equal(rows.length, 10);
      assert.deepEqual(rows, truth.map(toRow));
    });

    test('has tickers that agree with the order book and with the candles', async () => {
      // A book that is the same before and after is the one that the ticker saw.
      const { ticker, book } = await until(async () => {
        const first = await venue.fetchOrderBook(symbol, 5);
        const between = await venue.fetchTicker(symbol);
        const second = await venue.fetchOrderBook(symbol, 5);
        return first.nonce === second.nonce ? { ticker: between, book: first } : undefined;
      }, 'book that stays for a moment');
      assert.deepEqual([ticker.bid, ticker.bidVolume], book.bids[0]);
      assert.deepEqual([ticker.ask, ticker.askVolume], book.asks[0]);
      assert.ok(ticker.low <= ticker.last && ticker.last <= ticker.high);
      assert.equal(ticker.last, ticker.close);

      const minutes = await simulator.truth(symbol, '1m', ticker.timestamp - dayMs - minuteMs);
      const forming = (await venue.fetchOHLCV(symbol, '1m', undefined, 1))[0];
      const around = [...minutes.map(toRow), forming];
      const inside = minutes.map(toRow).filter(([open]) => open >= ticker.timestamp - dayMs);
      const highest = (rows) => Math.max(...rows.map((row) => row[2]));
      const lowest = (rows) => Math.min(...rows.map((row) => row[3]));
      const volume = (rows) => rows.reduce((sum, row) => sum + row[5], 0);
      assert.ok(highest(inside) <= ticker.high && ticker.high <= highest(around));
      assert.ok(lowest(around) <= ticker.low && ticker.low <= lowest(inside));
      const rounding = 1e-6;
      assert.ok(volume(inside) - rounding <= ticker.baseVolume);
      assert.ok(ticker.baseVolume <= volume(around) + rounding);
    });

    test('has a ticker of every market with the true figures', async () => {
      const listed = Object.keys(venue.markets);
      const { answer, truths } = await simulator.inOneMoment(listed, () => venue.fetchTickers());
      assert.deepEqual(Object.keys(answer).sort(), listed.sort());
      for (const truth of truths) {
        const ticker = answer[truth.symbol];
        await expectTicker(client, ticker, truth, simulator);
        const change = ((ticker.last - ticker.open) / ticker.open) * 100;
        assert.ok(Math.abs(change - ticker.percentage) < 0.001, ticker.symbol);
      }
    });

    test('has the true order books, as deep as was asked for', async () => {
      for (const limit of [5, 100, 1_000]) {
        const ask = () => venue.fetchOrderBook(symbol, limit);
        const { answer, truths } = await simulator.inOneMoment([symbol], ask);
        const { bids, asks } = truths[0];
        expectBook(answer, truths[0], Math.min(limit, bids.length, asks.length));
        assert.ok(answer.bids.length <= limit && answer.asks.length <= limit);
      }
    });

    test('has trades that make up the true candle', async () => {
      const now = await simulator.nowMs();
      const open = Math.floor(now / minuteMs) * minuteMs - 5 * minuteMs;
      const trades = await venue.fetchTrades(symbol, open, 1_000, { until: open + minuteMs - 1 });
      const [candle] = await simulator.truth(symbol, '1m', open, open + minuteMs);
      assert.ok(trades.every((trade) => trade.timestamp >= open));
      assert.ok(trades.every((trade) => trade.timestamp < open + minuteMs));
      for (let i = 1; i < trades.length; ++i) {
        assert.equal(Number(trades[i].id), Number(trades[i - 1].id) + 1);
        assert.equal(Number(trades[i].info.f), Number(trades[i - 1].info.l) + 1);
      }
      const executions = trades.map(({ info }) => ({ price: info.p, size: info.q }));
      assert.deepEqual(candleOf(open, executions), toRow(candle));
      const first = Number(trades[0].info.f);
      const last = Number(trades[trades.length - 1].info.l);
      assert.equal(last - first + 1, candle.trade_count);
    });

    test('refuses an unknown symbol in the way that ccxt knows', async () => {
      await assert.rejects(
        venue.publicGetKlines({ symbol: 'NOSUCHCOIN', interval: '1m' }),
        ccxt.BadSymbol,
      );
      await assert.rejects(
        venue.publicGetKlines({ symbol: 'BTCUSDT', interval: '7m' }),
        ccxt.BadRequest,
      );
    });

    test('refuses for too many requests in the way that ccxt knows', async () => {
      for (const fault of ['429', '418']) {
        await simulator.setFaults(`${fault}=1`);
        await assert.rejects(venue.fetchTime(), ccxt.DDoSProtection);
        await simulator.setFaults(`${fault}=0`);
      }
      assert.ok((await venue.fetchTime()) > 0);
    });
  });
}
