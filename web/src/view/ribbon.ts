// Coverage under the chart: what is known about every minute, by colour, by pattern, and in words.
import type { Coverage, Span } from '../coverage.ts';
import { worst } from '../coverage.ts';
import { count, dateAndMinute } from '../decimal_text.ts';
import { coverageStates, type CoverageState } from '../rest.ts';
import type { ChartView } from './chart.ts';
import { colour, make, prepared, setText } from './page.ts';

const names: Record<CoverageState, string> = {
  live: 'live',
  backfilled: 'backfilled',
  confirmed_empty: 'confirmed empty',
  missing: 'missing',
  unrecoverable: 'unrecoverable',
  halted: 'halted',
  not_listed: 'not listed',
};

const tile = 8;

// Strokes in one tile, by state: so that states differ without their colours.
const strokes: Record<CoverageState, [number, number, number, number][]> = {
  live: [],
  backfilled: [[0, 8, 8, 0]],
  confirmed_empty: [
    [1, 2, 3, 2],
    [5, 6, 7, 6],
  ],
  missing: [
    [0, 8, 8, 0],
    [0, 0, 8, 8],
  ],
  unrecoverable: [
    [2, 0, 2, 8],
    [6, 0, 6, 8],
  ],
  halted: [
    [0, 2, 8, 2],
    [0, 6, 8, 6],
  ],
  not_listed: [[0, 0, 8, 8]],
};

function patternOf(state: CoverageState): CanvasPattern | string {
  const base = colour(`state-${state}`);
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = tile * 2;
  const context = canvas.getContext('2d');
  if (!context) return base;
  context.scale(2, 2);
  context.fillStyle = base;
  context.fillRect(0, 0, tile, tile);
  context.strokeStyle = colour('panel');
  context.lineWidth = 1.3;
  for (const [x1, y1, x2, y2] of strokes[state]) {
    context.beginPath();
    context.moveTo(x1, y1);
    context.lineTo(x2, y2);
    context.stroke();
  }
  const pattern = context.createPattern(canvas, 'repeat');
  pattern?.setTransform(new DOMMatrix().scale(0.5));
  return pattern ?? base;
}

export class RibbonView {
  readonly #box: HTMLElement;
  readonly #canvas: HTMLCanvasElement;
  readonly #text: HTMLElement;
  readonly #legend: HTMLElement;
  readonly #chart: ChartView;
  readonly #coverage: Coverage;
  #patterns = new Map<CoverageState, CanvasPattern | string>();
  // The beginning of the span that the keyboard is on.
  #chosen: number | undefined;

  constructor(
    parts: { box: HTMLElement; canvas: HTMLCanvasElement; text: HTMLElement; legend: HTMLElement },
    chart: ChartView,
    coverage: Coverage,
  ) {
    this.#box = parts.box;
    this.#canvas = parts.canvas;
    this.#text = parts.text;
    this.#legend = parts.legend;
    this.#chart = chart;
    this.#coverage = coverage;
    this.#box.addEventListener('keydown', (event) => this.#onKey(event));
    this.#box.addEventListener('blur', () => this.#choose(undefined));
    this.#box.addEventListener('pointermove', (event) => this.#onPointer(event));
    this.#box.addEventListener('pointerleave', () => this.#choose(undefined));
    this.recolour();
  }

  recolour(): void {
    this.#patterns = new Map(coverageStates.map((state) => [state, patternOf(state)]));
    this.#legend.replaceChildren();
    this.draw();
  }

  draw(): void {
    const ground = prepared(this.#canvas);
    if (!ground) return;
    const { context, height } = ground;
    const width = Math.min(ground.width, this.#chart.plotWidth);
    const seen = this.#chart.visibleTimes();
    // What nobody said anything about is a line.
    context.fillStyle = colour('line');
    context.fillRect(0, height - 2, width, 2);
    if (!seen) return;
    const spans = this.#coverage.within(seen.from, seen.to);
    let drawnTo = -1;
    let drawnState: CoverageState | undefined;
    for (const span of spans) {
      const left = Math.max(0, this.#chart.xOf(span.from) ?? 0);
      const right = Math.min(width, this.#chart.xOf(span.to) ?? 0);
      if (right <= 0 || left >= width) continue;
      // A minute that is thinner than a pixel is still seen, unless a worse one is there already.
      const from = Math.floor(left);
      const to = Math.max(Math.ceil(right), from + 1);
      if (to <= drawnTo && drawnState && worst(drawnState, span.state) === drawnState) continue;
      context.fillStyle = this.#patterns.get(span.state) ?? colour('muted');
      context.fillRect(from, 2, to - from, height - 4);
      if (to >= drawnTo) [drawnTo, drawnState] = [to, span.state];
      if (span.from === this.#chosen) {
        context.strokeStyle = colour('text');
        context.lineWidth = 2;
        context.strokeRect(Math.max(1, from), 1, Math.max(2, to - from - 1), height - 2);
      }
    }
    this.#writeLegend(seen);
    if (this.#chosen === undefined) setText(this.#text, '');
  }

  #writeLegend(seen: { from: number; to: number }): void {
    const totals = this.#coverage.totals(seen.from, seen.to);
    if (this.#legend.children.length === 0) {
      for (const state of coverageStates) {
        const row = make('li');
        row.dataset['state'] = state;
        const swatch = make('canvas');
        swatch.setAttribute('aria-hidden', 'true');
        row.append(swatch, make('span'));
        this.#legend.append(row);
        const ground = prepared(swatch);
        if (!ground) continue;
        ground.context.fillStyle = this.#patterns.get(state) ?? '';
        ground.context.fillRect(0, 0, ground.width, ground.height);
      }
    }
    for (const row of this.#legend.children) {
      const state = (row as HTMLElement).dataset['state'] as CoverageState;
      const minutes = Math.round(totals[state]);
      setText(row.lastElementChild!, `${names[state]} ${count(minutes)} min`);
    }
  }

  #tell(span: Span): void {
    const minutes = Math.round((span.to - span.from) / 60_000);
    const cause = span.cause ? `, because: ${span.cause.replaceAll('_', ' ')}` : '';
    const evidence = span.evidence ? `. ${span.evidence}` : '';
    setText(
      this.#text,
      `${names[span.state]}: ${dateAndMinute(span.from)} to ${dateAndMinute(span.to)} UTC, ` +
        `${count(minutes)} min${cause}${evidence}`,
    );
  }

  #choose(span: Span | undefined): void {
    if (this.#chosen === span?.from) return;
    this.#chosen = span?.from;
    if (span) this.#tell(span);
    this.draw();
  }

  #onPointer(event: PointerEvent): void {
    const x = event.clientX - this.#box.getBoundingClientRect().left;
    const spans = this.#coverage.spans;
    this.#choose(
      spans.findLast((span) => {
        const [left, right] = [this.#chart.xOf(span.from), this.#chart.xOf(span.to)];
        return left !== null && right !== null && left <= x && x < Math.max(right, left + 2);
      }),
    );
  }

  #onKey(event: KeyboardEvent): void {
    const steps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1 };
    const step = steps[event.key];
    const seen = this.#chart.visibleTimes();
    if (step === undefined || !seen) return;
    event.preventDefault();
    const spans = this.#coverage.within(seen.from, seen.to);
    if (spans.length === 0) {
      setText(this.#text, 'Nothing is known about the minutes in the chart.');
      return;
    }
    const at = spans.findIndex((span) => span.from === this.#chosen);
    const next = at < 0 ? spans.length - 1 : Math.min(Math.max(at + step, 0), spans.length - 1);
    this.#choose(spans[next]);
  }
}
