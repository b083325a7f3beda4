// The indicators of a chart. The service's own values are taken wherever it has stored some; the others (older
// than its first start, other timeframes, the forming candle) are computed here by the same definitions and
// marked as such.
import type { Bar } from './candles.ts';
import type { IndicatorRow } from './rest.ts';

export const columns = [
  'sma7',
  'sma30',
  'ema12',
  'ema26',
  'bollingerUpper',
  'bollingerMiddle',
  'bollingerLower',
  'rsi',
  'macd',
  'macdSignal',
  'macdHistogram',
] as const;
export type Column = (typeof columns)[number];
export type Values = Record<Column, number | null>;

export interface Point {
  time: number;
  value: number;
  isServed: boolean;
}

// Recursive ones forget where they started only slowly: after so many bars what is left is below 1e-4.
const settledAfter = 150;
const recursive: ReadonlySet<Column> = new Set([
  'ema12',
  'ema26',
  'rsi',
  'macd',
  'macdSignal',
  'macdHistogram',
]);

export function servedValues(row: IndicatorRow): Values {
  const extra = row.extra ?? {};
  return {
    sma7: row.moving_average_7,
    sma30: row.moving_average_30,
    ema12: extra['ema_12'] ?? null,
    ema26: extra['ema_26'] ?? null,
    bollingerUpper: extra['bollinger_upper'] ?? null,
    bollingerMiddle: extra['bollinger_middle'] ?? null,
    bollingerLower: extra['bollinger_lower'] ?? null,
    rsi: row.rsi_14,
    macd: row.macd,
    macdSignal: row.macd_signal,
    macdHistogram: extra['macd_histogram'] ?? null,
  };
}

// Starts with the mean of its first values, as the service's does.
class Ema {
  readonly #length: number;
  readonly #factor: number;
  #seen = 0;
  #state = 0;

  constructor(length: number, factor = 2 / (length + 1)) {
    this.#length = length;
    this.#factor = factor;
  }

  push(value: number): void {
    if (this.#seen === this.#length) {
      this.#state += this.#factor * (value - this.#state);
      return;
    }
    this.#state += value;
    this.#seen += 1;
    if (this.#seen === this.#length) this.#state /= this.#length;
  }

  get value(): number | null {
    return this.#seen === this.#length ? this.#state : null;
  }

  copy(): Ema {
    const other = new Ema(this.#length, this.#factor);
    other.#seen = this.#seen;
    other.#state = this.#state;
    return other;
  }
}

const windowLength = 30;
const slowLength = 26;
const fastLength = 12;
const bandLength = 20;
const bandWidth = 2;

export class Calculator {
  #closes: number[] = [];
  #seen = 0;
  #ema12 = new Ema(fastLength);
  #ema26 = new Ema(slowLength);
  // The MACD's own fast average starts late, so that both of its averages begin at one bar.
  #fast = new Ema(fastLength);
  #signal = new Ema(9);
  #gain = new Ema(14, 1 / 14);
  #loss = new Ema(14, 1 / 14);

  push(close: number): void {
    const before = this.#closes.at(-1);
    if (before !== undefined) {
      this.#gain.push(Math.max(close - before, 0));
      this.#loss.push(Math.max(before - close, 0));
    }
    this.#closes.push(close);
    if (this.#closes.length > windowLength) this.#closes.shift();
    this.#ema12.push(close);
    this.#ema26.push(close);
    if (this.#seen >= slowLength - fastLength) this.#fast.push(close);
    this.#seen += 1;
    const line = this.#line();
    if (line !== null) this.#signal.push(line);
  }

  values(): Values {
    const bands = this.#bands();
    const signal = this.#signal.value;
    const line = signal === null ? null : this.#line();
    return {
      sma7: this.#mean(7),
      sma30: this.#mean(windowLength),
      ema12: this.#ema12.value,
      ema26: this.#ema26.value,
      bollingerUpper: bands && bands.middle + bands.reach,
      bollingerMiddle: bands && bands.middle,
      bollingerLower: bands && bands.middle - bands.reach,
      rsi: this.#rsi(),
      macd: line,
      macdSignal: signal,
      macdHistogram: line === null || signal === null ? null : line - signal,
    };
  }

  // What the values would be if a bar closed like this now.
  preview(close: number): Values {
    const copy = new Calculator();
    copy.#closes = [...this.#closes];
    copy.#seen = this.#seen;
    copy.#ema12 = this.#ema12.copy();
    copy.#ema26 = this.#ema26.copy();
    copy.#fast = this.#fast.copy();
    copy.#signal = this.#signal.copy();
    copy.#gain = this.#gain.copy();
    copy.#loss = this.#loss.copy();
    copy.push(close);
    return copy.values();
  }

  #line(): number | null {
    const [fast, slow] = [this.#fast.value, this.#ema26.value];
    return fast === null || slow === null ? null : fast - slow;
  }

  #mean(length: number): number | null {
    if (this.#closes.length < length) return null;
    let sum = 0;
    for (let i = this.#closes.length - length; i < this.#closes.length; ++i)
      sum += this.#closes[i]!;
    return sum / length;
  }

  #bands(): { middle: number; reach: number } | null {
    const middle = this.#mean(bandLength);
    if (middle === null) return null;
    let squares = 0;
    for (const close of this.#closes.slice(-bandLength)) squares += (close - middle) ** 2;
    return { middle, reach: bandWidth * Math.sqrt(squares / bandLength) };
  }

  #rsi(): number | null {
    const [gain, loss] = [this.#gain.value, this.#loss.value];
    if (gain === null || loss === null) return null;
    return gain + loss > 0 ? (100 * gain) / (gain + loss) : 0;
  }
}

interface Served {
  values: Values;
  revision: number;
}

export class IndicatorSeries {
  readonly #served = new Map<number, Served>();
  // Has every bar but the last, which may still change.
  #calculator = new Calculator();
  #pushed = 0;

  // True if one of the rows is news.
  serve(rows: Iterable<IndicatorRow>, timeframe: string): boolean {
    let isNews = false;
    for (const row of rows) {
      if (row.window_interval !== timeframe || row.candle_time === null) continue;
      const time = Date.parse(row.candle_time);
      const held = this.#served.get(time);
      if (held && held.revision > row.revision) continue;
      this.#served.set(time, { values: servedValues(row), revision: row.revision });
      isNews = true;
    }
    return isNews;
  }

  // All points anew. `isBeginning`: there are no older bars than the first.
  all(bars: readonly Bar[], isBeginning: boolean): Record<Column, Point[]> {
    this.#calculator = new Calculator();
    this.#pushed = 0;
    const points = Object.fromEntries(columns.map((name) => [name, []])) as unknown as Record<
      Column,
      Point[]
    >;
    bars.forEach((bar, index) => {
      const isLast = index === bars.length - 1;
      if (!isLast) this.#push(bar);
      const computed = isLast ? this.#calculator.preview(bar.close) : this.#calculator.values();
      const isSettled = isBeginning || index >= settledAfter;
      for (const name of columns) {
        const point = this.#point(bar.time, name, computed, isSettled);
        if (point) points[name].push(point);
      }
    });
    return points;
  }

  // The points of the last bar, after a change of nothing else.
  tail(bars: readonly Bar[]): Partial<Record<Column, Point>> {
    while (this.#pushed < bars.length - 1) this.#push(bars[this.#pushed]!);
    const last = bars.at(-1);
    if (!last) return {};
    const computed = this.#calculator.preview(last.close);
    const points: Partial<Record<Column, Point>> = {};
    for (const name of columns) {
      const point = this.#point(last.time, name, computed, bars.length > settledAfter);
      if (point) points[name] = point;
    }
    return points;
  }

  #push(bar: Bar): void {
    this.#calculator.push(bar.close);
    this.#pushed += 1;
  }

  #point(time: number, name: Column, computed: Values, isSettled: boolean): Point | undefined {
    const served = this.#served.get(time)?.values[name];
    if (served !== undefined && served !== null) return { time, value: served, isServed: true };
    const value = computed[name];
    if (value === null || (recursive.has(name) && !isSettled)) return undefined;
    return { time, value, isServed: false };
  }
}
