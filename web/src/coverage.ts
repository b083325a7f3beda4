// What is known about every minute: disjoint spans in order of time, of which the newest assertion holds.
import { coverageStates, type CoverageSpan, type CoverageState } from './rest.ts';

export interface Span {
  from: number;
  to: number;
  state: CoverageState;
  cause: string | null;
  evidence: string | null;
}

export type Totals = Record<CoverageState | 'unknown', number>;

export function spanOf(row: CoverageSpan): Span {
  return {
    from: Date.parse(row.from),
    to: Date.parse(row.to),
    state: row.state,
    cause: row.cause,
    evidence: row.evidence,
  };
}

// What a reader must see even where many spans share a pixel: the worst first.
const severity: readonly CoverageState[] = [
  'missing',
  'unrecoverable',
  'halted',
  'not_listed',
  'confirmed_empty',
  'backfilled',
  'live',
];

export function worst(a: CoverageState, b: CoverageState): CoverageState {
  return severity.indexOf(a) <= severity.indexOf(b) ? a : b;
}

export class Coverage {
  #spans: Span[] = [];

  get spans(): readonly Span[] {
    return this.#spans;
  }

  replace(spans: Iterable<Span>): void {
    this.#spans = [];
    for (const span of spans) this.assert(span);
  }

  // A newer assertion: it holds for its minutes, and what was said about others stays.
  assert(span: Span): void {
    if (!(span.from < span.to)) return;
    const kept: Span[] = [];
    for (const held of this.#spans) {
      if (held.to <= span.from || held.from >= span.to) {
        kept.push(held);
        continue;
      }
      if (held.from < span.from) kept.push({ ...held, to: span.from });
      if (held.to > span.to) kept.push({ ...held, from: span.to });
    }
    kept.push(span);
    kept.sort((a, b) => a.from - b.from);
    this.#spans = [];
    for (const one of kept) {
      const before = this.#spans.at(-1);
      const continues = before && before.to === one.from && before.state === one.state;
      if (continues && before.cause === one.cause) {
        this.#spans[this.#spans.length - 1] = { ...before, to: one.to, evidence: one.evidence };
      } else {
        this.#spans.push(one);
      }
    }
  }

  within(from: number, to: number): Span[] {
    return this.#spans.filter((span) => span.to > from && span.from < to);
  }

  at(time: number): Span | undefined {
    return this.#spans.find((span) => span.from <= time && time < span.to);
  }

  // Minutes by state; `unknown` are those that nobody said anything about.
  totals(from: number, to: number): Totals {
    const totals = Object.fromEntries(
      [...coverageStates, 'unknown'].map((state) => [state, 0]),
    ) as Totals;
    let rest = Math.max(0, to - from);
    for (const span of this.within(from, to)) {
      const length = Math.min(span.to, to) - Math.max(span.from, from);
      totals[span.state] += length / 60_000;
      rest -= length;
    }
    totals.unknown = rest / 60_000;
    return totals;
  }
}
