// One instrument on the screen: its history from the API, its live streams, and what follows for the views. History
// and streams are asked for at once; the merge does not mind which comes first.
import { BackOff } from './back_off.ts';
import { type Bar, barOf, CandleSeries, type Change } from './candles.ts';
import { Coverage, type Span, spanOf } from './coverage.ts';
import { IndicatorSeries } from './indicators.ts';
import {
  type Book,
  type Candle,
  type CoverageSpan,
  type IndicatorRow,
  type Quote,
  rest,
  RestError,
  type Trade,
} from './rest.ts';
import { type Selection, selectionText } from './selection.ts';
import type { Listener, Stream, StreamEvent } from './stream.ts';

const pageRows = 500;
const pollMs = 5000;

export interface Audience {
  onCandles(change: Change): void;
  onIndicators(): void;
  onCoverage(): void;
  onTrade(trade: Trade, isUpdate: boolean): void;
  onQuote(quote: Quote): void;
  onBook(book: Book): void;
  onBookStale(since: string | null): void;
  // Something live came: not a snapshot.
  onUpdate(): void;
  onMessage(text: string | undefined): void;
}

// A snapshot may hold one row or several.
export function rowsOf<Row>(data: unknown): Row[] {
  if (Array.isArray(data)) return data as Row[];
  if (data !== null && typeof data === 'object') {
    const inner = (data as { data?: unknown }).data;
    return Array.isArray(inner) ? (inner as Row[]) : [data as Row];
  }
  return [];
}

export class Instrument {
  readonly selection: Selection;
  readonly coverage: Coverage;
  readonly indicators = new IndicatorSeries();
  readonly #stream: Stream;
  readonly #audience: Audience;
  readonly #stopped = new AbortController();
  readonly #subscribed: string[] = [];
  #shown: CandleSeries;
  // Being put together after a restart of the server, while the old one is still shown.
  #coming: CandleSeries | undefined;
  #loading: AbortController | undefined;
  #olderCandles: string | null = null;
  #olderIndicators: string | null = null;
  #isLoadingOlder = false;
  #isRefilling = false;
  #assertedMeanwhile: Span[] | undefined;
  #poll: ReturnType<typeof setInterval> | undefined;
  #isLoaded = false;

  constructor(selection: Selection, stream: Stream, coverage: Coverage, audience: Audience) {
    this.selection = selection;
    this.coverage = coverage;
    this.#stream = stream;
    this.#audience = audience;
    this.#shown = new CandleSeries(selection.timeframe);
  }

  get bars(): readonly Bar[] {
    return this.#shown.bars;
  }

  get isBeginning(): boolean {
    return this.#isLoaded && this.#olderCandles === null;
  }

  // The chart is still that of the server's run before.
  get isOld(): boolean {
    return this.#coming !== undefined && this.#shown.bars.length > 0;
  }

  start(): void {
    void this.#load();
  }

  // Only of what is followed; the server would refuse the others.
  follow(): void {
    if (this.#subscribed.length > 0 || this.#stopped.signal.aborted) return;
    const { timeframe } = this.selection;
    this.#subscribe(`candle_${timeframe}`, {
      resumes: true,
      onEvent: (event) => {
        this.#put(rowsOf<Candle>(event.data).map(barOf));
        this.#heard(event);
      },
      onLost: () => void this.#refill(),
      onRefused: () => this.#startPolling(),
    });
    this.#subscribe('indicators', {
      resumes: true,
      onEvent: (event) => {
        if (this.indicators.serve(rowsOf<IndicatorRow>(event.data), timeframe)) {
          this.#audience.onIndicators();
        }
      },
      onLost: () => void this.#loadIndicators(),
    });
    this.#subscribe('coverage', {
      resumes: true,
      onEvent: (event) => this.#assert(rowsOf<CoverageSpan>(event.data)),
      onLost: () => void this.#loadCoverage(),
    });
    this.#subscribe('trade', {
      resumes: false,
      onEvent: (event) => {
        for (const trade of rowsOf<Trade>(event.data)) this.#trade(trade, event.type === 'update');
        this.#heard(event);
      },
    });
    this.#subscribe('quote', {
      resumes: false,
      onEvent: (event) => {
        for (const quote of rowsOf<Quote>(event.data)) this.#audience.onQuote(quote);
        this.#heard(event);
      },
    });
    this.#subscribe('book', {
      resumes: false,
      onEvent: (event) => {
        for (const book of rowsOf<Book>(event.data)) this.#audience.onBook(book);
        this.#heard(event);
      },
      onStale: (since) => this.#audience.onBookStale(since),
    });
  }

  stop(): void {
    this.#stopped.abort();
    this.#loading?.abort();
    clearInterval(this.#poll);
    for (const name of this.#subscribed) this.#stream.unsubscribe(name);
  }

  // The server is another run: what it says now need not go on from what it said before.
  reload(): void {
    this.#coming = new CandleSeries(this.selection.timeframe);
    void this.#load();
  }

  async loadOlder(): Promise<void> {
    if (this.#olderCandles === null || this.#isLoadingOlder || this.#coming) return;
    this.#isLoadingOlder = true;
    const signal = this.#loading?.signal;
    try {
      const page = await rest.page<Candle>(this.#olderCandles, signal);
      if (signal?.aborted) return;
      this.#olderCandles = page.next_url;
      this.#audience.onCandles(this.#shown.merge(page.data.map(barOf)));
      if (this.#olderIndicators !== null) {
        const rows = await rest.page<IndicatorRow>(this.#olderIndicators, signal);
        if (signal?.aborted) return;
        this.#olderIndicators = rows.next_url;
        if (this.indicators.serve(rows.data, this.selection.timeframe)) {
          this.#audience.onIndicators();
        }
      }
      await this.#loadCoverage();
    } catch {
      // The next movement to the left asks again.
    } finally {
      this.#isLoadingOlder = false;
    }
  }

  get #query() {
    const { exchange, symbol, timeframe } = this.selection;
    return { exchange, symbol, timeframe };
  }

  #subscribe(channel: string, listener: Listener): void {
    const { exchange, symbol } = this.selection;
    const name = `${exchange}:${symbol}@${channel}`;
    this.#subscribed.push(name);
    this.#stream.subscribe(name, listener);
  }

  #heard(event: StreamEvent): void {
    if (event.type === 'update') this.#audience.onUpdate();
  }

  #put(bars: Bar[]): void {
    if (this.#coming) {
      this.#coming.merge(bars);
      return;
    }
    const change = this.#shown.merge(bars);
    // Until history has come, one candle is not a chart.
    if (this.#isLoaded && change !== 'none') this.#audience.onCandles(change);
  }

  #trade(trade: Trade, isUpdate: boolean): void {
    this.#audience.onTrade(trade, isUpdate);
    if (!isUpdate || trade.exchange_time === null || !this.#isLoaded || this.#coming) return;
    const change = this.#shown.trade(trade.price, Date.parse(trade.exchange_time));
    if (change !== 'none') this.#audience.onCandles(change);
  }

  async #load(): Promise<void> {
    this.#loading?.abort();
    const loading = new AbortController();
    this.#loading = loading;
    const { signal } = loading;
    const backOff = new BackOff(500, 5000);
    while (!signal.aborted && !this.#stopped.signal.aborted) {
      try {
        const page = await rest.candles({ ...this.#query, limit: pageRows, sort: 'desc' }, signal);
        if (signal.aborted) return;
        if (page.data.length > 0) {
          this.#take(page.data, page.next_url);
          await Promise.all([this.#loadIndicators(), this.#loadCoverage()]);
          return;
        }
        if (!this.#coming) {
          this.#audience.onMessage(
            `No ${this.selection.timeframe} candles of ${this.selection.symbol} are stored yet.`,
          );
        }
      } catch (error) {
        if (signal.aborted) return;
        const isFinal = error instanceof RestError && [400, 404].includes(error.status);
        const text = error instanceof Error ? error.message : String(error);
        this.#audience.onMessage(`${selectionText(this.selection).slice(1)}: ${text}`);
        // What the server does not know it may know after the next restart, which reloads.
        if (isFinal && !this.#coming) return;
      }
      await new Promise((resolve) => setTimeout(resolve, backOff.next()));
    }
  }

  #take(candles: Candle[], olderUrl: string | null): void {
    const series = this.#coming ?? this.#shown;
    series.merge(candles.map(barOf));
    this.#shown = series;
    if (this.#coming) this.coverage.replace([]);
    this.#coming = undefined;
    this.#olderCandles = olderUrl;
    this.#isLoaded = true;
    this.#audience.onMessage(undefined);
    this.#audience.onCandles('history');
  }

  async #loadIndicators(): Promise<void> {
    const signal = this.#loading?.signal;
    try {
      const page = await rest.indicators({ ...this.#query, limit: pageRows, sort: 'desc' }, signal);
      if (signal?.aborted) return;
      this.#olderIndicators = page.next_url;
      if (this.indicators.serve(page.data, this.selection.timeframe)) this.#audience.onIndicators();
    } catch {
      // The chart computes what is not served, and marks it.
    }
  }

  async #loadCoverage(): Promise<void> {
    const { exchange, symbol } = this.selection;
    const start = this.bars[0]?.time;
    if (start === undefined) return;
    const signal = this.#loading?.signal;
    const meanwhile: Span[] = [];
    this.#assertedMeanwhile = meanwhile;
    try {
      const { data } = await rest.coverage({ exchange, symbol, start }, signal);
      if (signal?.aborted) return;
      this.coverage.replace([...data.map(spanOf), ...meanwhile]);
      this.#audience.onCoverage();
    } catch {
      // The ribbon stays as it is; the next assertion or page asks again.
    } finally {
      if (this.#assertedMeanwhile === meanwhile) this.#assertedMeanwhile = undefined;
    }
  }

  #assert(rows: CoverageSpan[]): void {
    for (const row of rows) {
      if (row.stream !== 'candles' || row.timeframe !== '1m') continue;
      const span = spanOf(row);
      this.#assertedMeanwhile?.push(span);
      this.coverage.assert(span);
    }
    this.#audience.onCoverage();
  }

  // Updates were lost: what is behind the last closed candle is asked for, and it too.
  async #refill(): Promise<void> {
    if (this.#isRefilling || !this.#isLoaded || this.#coming) return;
    this.#isRefilling = true;
    const start = this.#shown.lastClosedTime;
    const signal = this.#loading?.signal;
    try {
      const query = { ...this.#query, limit: 10_000, ...(start !== undefined && { start }) };
      const page = await rest.candles(query, signal);
      if (!signal?.aborted) this.#put(page.data.map(barOf));
    } catch {
      this.reload();
    } finally {
      this.#isRefilling = false;
    }
  }

  // A timeframe that the server does not stream.
  #startPolling(): void {
    clearInterval(this.#poll);
    this.#poll = setInterval(() => {
      if (document.hidden || this.#stream.state.phase !== 'open') return;
      rest
        .candles({ ...this.#query, limit: 3, sort: 'desc' }, this.#stopped.signal)
        .then((page) => this.#put(page.data.map(barOf)))
        .catch(() => {});
    }, pollMs);
  }
}
