// What ccxt returns, held against what the simulator says was true at that moment (`inOneMoment`).
import assert from 'node:assert/strict';

const minuteMs = 60_000;
const dayMs = 1_440 * minuteMs;

// Figures of a ticker that ccxt makes of rounded ones: of a mean price, or of a share in percent.
const rounding = 5e-4;
const madeByCcxt = { bitstamp: ['quoteVolume'], gate: ['open'], kraken: ['quoteVolume'] };

// Those that begin with the day in UTC, by the name that the truth has for them.
const ofTheDay = { kraken: ['open'] };

function expectNear(told, true_, what) {
  assert.ok(Math.abs(told / true_ - 1) < rounding, `${what}: ${told} instead of ${true_}`);
}

// Each figure that the venue tells is the true one.
export async function expectTicker(name, ticker, truth, simulator) {
  const [bid, ask] = [truth.bids[0], truth.asks[0]].map((level) => level.map(Number));
  const figures = {
    last: truth.last,
    bid: bid[0],
    bidVolume: bid[1],
    ask: ask[0],
    askVolume: ask[1],
    open: truth.open,
    high: truth.high,
    low: truth.low,
    baseVolume: truth.volume,
    quoteVolume: truth.quote_volume,
  };
  for (const figure of ofTheDay[name] ?? []) {
    const midnight = Math.floor((await simulator.nowMs()) / dayMs) * dayMs;
    const minutes = await simulator.truth(ticker.symbol, '1m', midnight);
    const first = minutes.find(({ trade_count }) => trade_count > 0);
    figures[figure] = first?.[figure] ?? ticker[figure]; // the first minute traded still runs
  }
  const made = madeByCcxt[name] ?? [];
  for (const figure of made) expectNear(ticker[figure], figures[figure], figure);
  const told = Object.keys(figures).filter((key) => ticker[key] !== undefined && !made.includes(key));
  assert.ok(told.includes('last') && told.length >= 4, `${told}`);
  const pick = (from) => Object.fromEntries(told.map((key) => [key, from[key]]));
  assert.deepEqual(pick(ticker), pick(figures));
}

// Each level that the venue tells is the true one at its place; at least `fewest` a side.
export function expectBook(book, truth, fewest) {
  for (const side of ['bids', 'asks']) {
    const levels = book[side].map(([price, size]) => [price, size]);
    assert.ok(levels.length >= fewest, `${levels.length} levels`);
    assert.deepEqual(levels, truth[side].slice(0, levels.length).map((level) => level.map(Number)));
  }
}
