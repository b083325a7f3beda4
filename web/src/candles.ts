// The candles of one chart, put together from pages of history, live updates and trades, in whatever order
// they come. A closed candle never gives way to a forming one, nor a revision to an earlier one.
import type { Candle } from './rest.ts';
import { lengthOf, openTime, type Timeframe } from './timeframe.ts';

export interface Bar {
  time: number; // open, milliseconds
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
  isClosed: boolean;
  isComplete: boolean;
  isRolledUp: boolean;
  revision: number;
}

export function barOf(candle: Candle): Bar {
  return {
    time: Date.parse(candle.timestamp),
    open: candle.open,
    high: candle.high,
    low: candle.low,
    close: candle.close,
    volume: candle.volume,
    isClosed: candle.is_closed,
    isComplete: candle.is_complete,
    isRolledUp: candle.source === 'rollup',
    revision: candle.revision,
  };
}

// `tail`: at most the last bar is other than before, or one was added behind it.
export type Change = 'none' | 'tail' | 'history';

// Of two forming ones the later has more volume, whichever came first.
function replaces(incoming: Bar, held: Bar): boolean {
  if (incoming.isClosed !== held.isClosed) return incoming.isClosed;
  if (incoming.isClosed) return incoming.revision >= held.revision;
  return incoming.volume >= held.volume;
}

// A forming candle that is rolled up knows closed minutes only; what trades have shown since still holds.
function joined(incoming: Bar, held: Bar): Bar {
  if (incoming.isClosed || !incoming.isRolledUp || held.isClosed) return incoming;
  return {
    ...incoming,
    high: Math.max(incoming.high, held.high),
    low: Math.min(incoming.low, held.low),
    close: held.close,
  };
}

function isEqual(a: Bar, b: Bar): boolean {
  return (
    a.open === b.open &&
    a.high === b.high &&
    a.low === b.low &&
    a.close === b.close &&
    a.volume === b.volume &&
    a.isClosed === b.isClosed &&
    a.isComplete === b.isComplete &&
    a.revision === b.revision
  );
}

export class CandleSeries {
  readonly timeframe: Timeframe;
  readonly #bars: Bar[] = [];

  constructor(timeframe: Timeframe) {
    this.timeframe = timeframe;
  }

  get bars(): readonly Bar[] {
    return this.#bars;
  }

  get last(): Bar | undefined {
    return this.#bars.at(-1);
  }

  // Where history has to be asked for again after a loss: the last closed candle may have been corrected.
  get lastClosedTime(): number | undefined {
    return this.#bars.findLast((bar) => bar.isClosed)?.time;
  }

  merge(incoming: Iterable<Bar>): Change {
    const lengthBefore = this.#bars.length;
    let change: Change = 'none';
    for (const bar of incoming) {
      const one = this.#put(bar);
      // An update of the last bar and one more behind it: more than the tail is other than before.
      if (one === 'history' || (one === 'tail' && change === 'tail')) change = 'history';
      else if (one === 'tail' && change === 'none') change = 'tail';
    }
    return lengthBefore === 0 && change !== 'none' ? 'history' : change;
  }

  // A trade moves the forming candle ahead of its next, paced update; volumes wait for that.
  trade(price: number, time: number): Change {
    const last = this.last;
    if (!last) return 'none';
    const open = openTime(time, this.timeframe);
    if (open === last.time && !last.isClosed) {
      const moved = {
        ...last,
        close: price,
        high: Math.max(last.high, price),
        low: Math.min(last.low, price),
      };
      if (isEqual(moved, last)) return 'none';
      this.#bars[this.#bars.length - 1] = moved;
      return 'tail';
    }
    if (open !== last.time + lengthOf(this.timeframe)) return 'none';
    this.#bars.push({
      time: open,
      open: price,
      high: price,
      low: price,
      close: price,
      volume: 0,
      isClosed: false,
      isComplete: false,
      isRolledUp: false,
      revision: 0,
    });
    return 'tail';
  }

  #put(bar: Bar): Change {
    const index = this.#lowerBound(bar.time);
    const held = this.#bars[index];
    if (held === undefined) {
      this.#bars.push(bar);
      return 'tail';
    }
    if (held.time !== bar.time) {
      this.#bars.splice(index, 0, bar);
      return 'history';
    }
    if (!replaces(bar, held)) return 'none';
    const put = joined(bar, held);
    if (isEqual(put, held)) return 'none';
    this.#bars[index] = put;
    return index === this.#bars.length - 1 ? 'tail' : 'history';
  }

  #lowerBound(time: number): number {
    let low = 0;
    let high = this.#bars.length;
    if (high > 0 && this.#bars[high - 1]!.time < time) return high;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#bars[middle]!.time < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

// The axis of a chart: every opening from the first bar to the last, so that minutes without a candle are
// seen as such. A hole too long to draw (a symbol that was listed twice) is closed up.
export function axisOf(bars: readonly Bar[], length: number, longestHole = 5000): number[] {
  const times: number[] = [];
  for (const bar of bars) {
    const before = times.at(-1);
    if (before !== undefined && bar.time - before <= longestHole * length) {
      for (let time = before + length; time < bar.time; time += length) times.push(time);
    }
    times.push(bar.time);
  }
  return times;
}
