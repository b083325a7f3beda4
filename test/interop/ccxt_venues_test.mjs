// ccxt, unchanged, against the simulator of every native venue: what it returns is what the
// simulator knows to be true. Which venues there are is asked of candlewick itself, so that a new
// one is tested as soon as it is in the registry and simulated. Binance's spot markets have tests of
// their own that go further.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { Agent } from 'node:http';
import { after, before, describe, test } from 'node:test';

import ccxt from 'ccxt';

import { Simulator, toRow, until } from './simulator.mjs';
import { expectBook, expectTicker } from './truth.mjs';

const symbols = { spot: 'BTC/USDT', swap: 'BTC/USDT:USDT' };
const minuteMs = 60_000;
const compared = 5; // levels a side

// What ccxt cannot do with a venue, and why: { okx: { watchOHLCV: 'reason' } }. A method that it
// says not to have needs no entry.
const exceptions = {
  coinbaseexchange: { fetchTickers: 'of a path that Candlewick does not ask, so it is not simulated' },
  gemini: { fetchTickers: 'of a path that Candlewick does not ask, so it is not simulated' },
};

// What it can do although its table of abilities is silent: that of the futures' class loses the
// streams of the class that it derives from.
const unsaid = { binanceusdm: ['watchOHLCV', 'watchOrderBook'] };

// What a signed subscription needs where ccxt signs one for public data: the simulator takes any.
const credentials = {
  coinbaseexchange: { apiKey: 'anybody', secret: 'YW55Ym9keQ==', password: 'anybody' },
};

// Rows that ccxt names in another way than its own REST does. Of Kraken's candles it takes the end
// for the opening, and leaves the figures as text.
const rowsOfStream = {
  kraken: (row) => [row[0] - minuteMs, ...row.slice(1).map(Number)],
};

// What it takes for the volume of a streamed candle, where that is another figure: of Gate.io's it
// takes the one in quote units.
const volumeOfStream = {
  gate: (candle) => candle.quote_volume,
};
const toStreamRow = (name) => (candle) => [
  ...toRow(candle).slice(0, 5),
  (volumeOfStream[name] ?? (({ volume }) => volume))(candle),
];

// Those of the registry that are simulated.
function simulatedVenues() {
  const program = process.env.CANDLEWICK;
  if (!program) throw new Error('CANDLEWICK must name the candlewick program');
  const lines = execFileSync(program, ['exchanges', '--format', 'jsonl'], { encoding: 'utf8' });
  return lines
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
    .filter((venue) => venue.simulated && symbols[venue.market])
    .filter((venue) => venue.market !== 'spot' || !venue.exchange.startsWith('binance'));
}

// The same paths at the simulator's address, wherever in the tree of URLs they stand.
function atSimulator(urls, simulator) {
  if (typeof urls === 'string') {
    return urls.replace(/^https?:\/\/[^/]+/, simulator.http).replace(/^wss?:\/\/[^/]+/, simulator.ws);
  }
  if (urls === null || typeof urls !== 'object') return urls;
  return Object.fromEntries(
    Object.entries(urls).map(([key, value]) => [key, atSimulator(value, simulator)]),
  );
}

// Futures are other hosts, or other paths, that are not simulated. Each venue of ccxt has this
// choice in a form of its own, or none.
function onlySpot(choice) {
  if (Array.isArray(choice)) return ['spot'];
  if (choice === null || typeof choice !== 'object') return choice;
  const { types } = choice;
  if (Array.isArray(types)) return { ...choice, types: ['spot'] };
  if (types === undefined) return choice;
  return {
    ...choice,
    types: Object.fromEntries(Object.keys(types).map((type) => [type, type === 'spot'])),
  };
}

function connect(simulator, { ccxt: name, market }) {
  // The agent that it makes for itself takes https only; it wants plain ones under two names.
  const agent = new Agent({ keepAlive: true });
  const venue = new ccxt.pro[name]({
    agent,
    httpAgent: agent,
    enableRateLimit: false,
    has: { fetchCurrencies: false },
    ...(market === 'spot' ? { options: { defaultType: 'spot' } } : {}),
    ...credentials[name],
  });
  venue.urls.api = atSimulator(venue.urls.api, simulator);
  if (market === 'spot') venue.options.fetchMarkets = onlySpot(venue.options.fetchMarkets);
  return venue;
}

const levelsOf = ({ bids, asks }) =>
  JSON.stringify([bids, asks].map((side) => side.slice(0, compared).map(([price, size]) => [price, size])));

// Virtual time begins now, because ccxt tells some venues what the time is.
async function pairOf(facts, speed) {
  const { exchange } = facts;
  const simulator = await Simulator.start({ exchange, speed, extra: ['--start', 'now'] });
  const venue = connect(simulator, facts);
  return {
    simulator,
    venue,
    async stop() {
      await venue.close();
      await simulator.stop();
    },
  };
}

// A test of one method, left out where ccxt has none.
function testOf({ ccxt: name }, method, title, body) {
  const has = new ccxt.pro[name]().has[method] || unsaid[name]?.includes(method);
  const reason = exceptions[name]?.[method] ?? (has === true ? undefined : `ccxt has no ${method} here`);
  test(`${method} ${title}`, { skip: reason ?? false }, body);
}

const venues = simulatedVenues();

test('there are venues besides Binance', () => {
  assert.ok(venues.length > 0);
});

describe('ccxt', { concurrency: 4 }, () => {
  for (const facts of venues) {
    const symbol = symbols[facts.market];
    describe(`${facts.ccxt}, all but standing still`, { concurrency: false }, () => {
      let pair;
      before(async () => {
        pair = await pairOf(facts, 0.001);
      });
      after(() => pair?.stop());

      testOf(facts, 'fetchOHLCV', 'equals the truth, from a time on and up to now', async () => {
        const { simulator, venue } = pair;
        const now = await simulator.nowMs();
        const since = Math.floor(now / minuteMs) * minuteMs - 50 * minuteMs;
        const truth = (await simulator.truth(symbol, '1m', since)).map(toRow);
        for (const [start, least] of [
          [since, 20],
          [undefined, 10],
        ]) {
          const rows = await venue.fetchOHLCV(symbol, '1m', start, 25);
          const closed = rows.filter(([open]) => open >= since && open + minuteMs <= now);
          assert.ok(closed.length >= least, `${closed.length} of ${rows.length} rows`);
          const [first] = closed[0];
          const [last] = closed[closed.length - 1];
          if (start !== undefined) assert.equal(first, truth[0][0]);
          else assert.ok(last >= truth[truth.length - 1][0] - minuteMs, 'the newest candles');
          assert.deepEqual(
            closed,
            truth.filter(([open]) => open >= first && open <= last),
          );
        }
      });

      testOf(facts, 'fetchTrades', 'lies within the true candles', async () => {
        const { simulator, venue } = pair;
        const trades = await venue.fetchTrades(symbol, undefined, 50);
        assert.ok(trades.length >= 10, `${trades.length} trades`);
        const since = Math.floor(trades[0].timestamp / minuteMs) * minuteMs;
        const truth = await simulator.truth(symbol, '1m', since);
        const candles = new Map(truth.map((candle) => [candle.open_ms, candle]));
        let judged = 0;
        for (const [i, trade] of trades.entries()) {
          if (i > 0) assert.ok(trade.timestamp >= trades[i - 1].timestamp);
          assert.ok(trade.amount > 0 && ['buy', 'sell'].includes(trade.side));
          const candle = candles.get(Math.floor(trade.timestamp / minuteMs) * minuteMs);
          if (candle === undefined) continue; // the running minute
          assert.ok(candle.low <= trade.price && trade.price <= candle.high);
          ++judged;
        }
        assert.ok(judged > 0 || truth.length === 0, 'none of a closed minute');
        // KuCoin's have no id by REST, and nothing else that none shares.
        const named = trades.filter(({ id }) => id !== undefined);
        assert.equal(new Set(named.map(({ id, timestamp, price }) => `${id} ${timestamp} ${price}`)).size, named.length);
      });

      testOf(facts, 'fetchTicker', 'tells the true figures of the moment', async () => {
        const { simulator, venue } = pair;
        const ask = () => venue.fetchTicker(symbol);
        const { answer, truths } = await simulator.inOneMoment([symbol], ask);
        assert.equal(answer.symbol, symbol);
        await expectTicker(facts.ccxt, answer, truths[0], simulator);
      });

      testOf(facts, 'fetchTickers', 'tells the true figures of each', async () => {
        const { simulator, venue } = pair;
        const listed = Object.keys(venue.markets);
        assert.ok(listed.length >= 2, `${listed}`);
        const { answer, truths } = await simulator.inOneMoment(listed, () => venue.fetchTickers());
        for (const [i, each] of listed.entries()) {
          await expectTicker(facts.ccxt, answer[each], truths[i], simulator);
        }
      });

      testOf(facts, 'fetchOrderBook', 'tells the true levels of the moment', async () => {
        const { simulator, venue } = pair;
        const ask = () => venue.fetchOrderBook(symbol);
        const { answer, truths } = await simulator.inOneMoment([symbol], ask);
        assert.equal(answer.symbol, symbol);
        expectBook(answer, truths[0], compared);
      });
    });

    describe(`${facts.ccxt}, quickly`, { concurrency: true }, () => {
      let pair;
      before(async () => {
        pair = await pairOf(facts, 40);
        await pair.venue.loadMarkets();
      });
      after(() => pair?.stop());

      testOf(facts, 'watchOHLCV', 'ends each candle with the truth', async () => {
        const { simulator, venue } = pair;
        const seen = new Map();
        let first;
        await until(async () => {
          const told = await venue.watchOHLCV(symbol, '1m');
          const rows = told.map(rowsOfStream[facts.ccxt] ?? ((row) => [...row]));
          for (const row of rows) seen.set(row[0], row);
          const newest = rows[rows.length - 1][0];
          // The running minute may have begun unseen; the one after it has not.
          first ??= newest + minuteMs;
          return newest >= first + 2 * minuteMs ? true : undefined;
        }, 'two whole minutes');
        const truth = await simulator.truth(symbol, '1m', first, first + 2 * minuteMs);
        assert.ok(truth.length > 0);
        assert.deepEqual(
          truth.map(({ open_ms }) => seen.get(open_ms)),
          truth.map(toStreamRow(facts.ccxt)),
        );
      });
    });

    describe(`${facts.ccxt}, at a walk`, { concurrency: false }, () => {
      let pair;
      before(async () => {
        pair = await pairOf(facts, 4);
        await pair.venue.loadMarkets();
      });
      after(() => pair?.stop());

      // A frame ends at an instant of the venue's choice, REST shows any: books that are in both
      // say that the one kept by updates is right.
      testOf(facts, 'watchOrderBook', 'keeps the book that REST shows', async () => {
        const { venue } = pair;
        const kept = new Set();
        const shown = new Set();
        await until(async () => {
          const [watched, fetched] = await Promise.all([
            venue.watchOrderBook(symbol),
            venue.fetchOrderBook(symbol),
          ]);
          kept.add(levelsOf(watched));
          shown.add(levelsOf(fetched));
          // The first ones are of the snapshot.
          return [...shown].filter((book) => kept.has(book)).length >= 5 ? true : undefined;
        }, 'five books that both have');
      });
    });
  }
});
