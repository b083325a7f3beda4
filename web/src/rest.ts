// The HTTP API in the forms of /openapi.json, as far as the dashboard reads it. Numbers are read as doubles:
// what is shown has at most 15 digits.

export interface Candle {
  timestamp: string;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
  is_closed: boolean;
  source: string;
  revision: number;
  is_complete: boolean;
}

export interface Ticker {
  last: number | null;
  high_24h: number | null;
  low_24h: number | null;
  quote_volume_24h: number | null;
  change_pct_24h: number | null;
  bid: number | null;
  ask: number | null;
}

export interface TickerRow {
  exchange: string;
  symbol: string;
  exchange_symbol: string;
  stale: boolean;
  last_price: number | null;
  received_time: string | null;
  age_ms: number | null;
  ticker: Ticker | null;
}

export interface Quote {
  bid: number;
  bid_size: number;
  ask: number;
  ask_size: number;
  received_time: string | null;
}

export interface Trade {
  id: string;
  price: number;
  size: number;
  taker_side: 'buy' | 'sell';
  exchange_time: string | null;
  received_time: string | null;
}

export type Level = [price: string, size: string];

export interface Book {
  sequence: number | null;
  bids: Level[];
  asks: Level[];
}

export interface Latest extends TickerRow {
  book: Book | null;
  book_stale_since: string | null;
}

export interface IndicatorRow {
  window_interval: string;
  candle_time: string | null;
  revision: number;
  moving_average_7: number | null;
  moving_average_30: number | null;
  rsi_14: number | null;
  macd: number | null;
  macd_signal: number | null;
  extra: Record<string, number | null> | null;
}

export const coverageStates = [
  'live',
  'backfilled',
  'confirmed_empty',
  'missing',
  'unrecoverable',
  'halted',
  'not_listed',
] as const;
export type CoverageState = (typeof coverageStates)[number];

export interface CoverageSpan {
  exchange: string;
  symbol: string;
  timeframe: string;
  stream: string;
  from: string;
  to: string;
  state: CoverageState;
  cause: string | null;
  evidence: string | null;
  seq: number;
}

export interface SymbolRow {
  symbol: string;
  exchange: string | null;
  exchange_symbol: string | null;
  status: string | null;
  name: string | null;
  is_configured: boolean;
}

export interface Failure {
  kind: string;
  message: string;
}

export interface Feed {
  venue: string;
  connected: boolean;
  sessions: number;
  live_sessions: number;
  last_event_age_ms: number | null;
  reconnects: number;
  refused_frames: number;
  weight_used: number;
  weight_allowed: number;
  last_error: string | null;
}

export interface Sink {
  sink: string;
  state: 'opening' | 'live' | 'catching_up' | 'backing_off' | 'stopped';
  lag_rows: number;
  lag_seconds: number;
  rows_per_second: number;
  dead_letters_now?: number;
  dead_letters: number;
  last_error: Failure | null;
}

export interface Health {
  status: 'ok' | 'degraded' | 'down';
  version: string;
  problems: string[];
  warnings: string[];
  feeds: Feed[];
  sinks: Sink[];
}

export interface Page<Row> {
  data: Row[];
  next_url: string | null;
}

export interface Spans {
  data: CoverageSpan[];
  is_truncated: boolean;
}

// An answer that is no success; `status` is 0 when none came.
export class RestError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const deadlineMs = 8000;

interface Asked {
  signal?: AbortSignal | undefined;
  deadlineMs?: number;
  // Statuses beside 200 whose body is an answer too.
  also?: number[];
}

async function get<Answer>(url: string, asked: Asked = {}): Promise<Answer> {
  const limit = AbortSignal.timeout(asked.deadlineMs ?? deadlineMs);
  const signal = asked.signal ? AbortSignal.any([limit, asked.signal]) : limit;
  let response: Response;
  let body: unknown;
  try {
    response = await fetch(url, { signal, headers: { Accept: 'application/json' } });
    body = await response.json();
  } catch (error) {
    throw new RestError(0, 'unreachable', error instanceof Error ? error.message : String(error));
  }
  if (response.ok || asked.also?.includes(response.status)) return body as Answer;
  const { code = 'unknown', detail = response.statusText } = body as Record<string, string>;
  throw new RestError(response.status, code, detail);
}

type Parameters = Record<string, string | number | boolean | undefined>;

function address(path: string, parameters: Parameters): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) query.set(name, String(value));
  }
  return query.size === 0 ? path : `${path}?${query}`;
}

interface OfInstrument extends Parameters {
  exchange: string;
  symbol: string;
}

interface OfSeries extends OfInstrument {
  timeframe: string;
  start?: number;
  limit?: number;
  sort?: 'asc' | 'desc';
}

export const rest = {
  candles: (query: OfSeries, signal?: AbortSignal) =>
    get<Page<Candle>>(address('/v1/candles', query), { signal }),
  indicators: (query: OfSeries, signal?: AbortSignal) =>
    get<Page<IndicatorRow>>(address('/v1/indicators', query), { signal }),
  page: <Row>(nextUrl: string, signal?: AbortSignal) => get<Page<Row>>(nextUrl, { signal }),
  coverage: (query: OfInstrument & { start: number }, signal?: AbortSignal) =>
    get<Spans>(
      address('/v1/coverage', { ...query, timeframe: '1m', stream: 'candles', limit: 10_000 }),
      { signal },
    ),
  tickers: (signal?: AbortSignal) => get<{ data: TickerRow[] }>('/v1/tickers', { signal }),
  latest: (exchange: string, symbol: string, signal?: AbortSignal) =>
    get<Latest>(address(`/latest/${encodeURIComponent(symbol)}`, { exchange }), { signal }),
  symbols: (search: string, signal?: AbortSignal) =>
    get<Page<SymbolRow>>(address('/v1/symbols', { search: search || undefined, limit: 50 }), {
      signal,
    }),
  health: (signal?: AbortSignal) =>
    get<Health>('/health', { signal, deadlineMs: 4000, also: [503] }),
};
