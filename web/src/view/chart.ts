// The candle chart with its indicators. Missing minutes keep their place on the axis, so what lies under the
// chart can be aligned with it. Values computed here are drawn fainter than those that the service stored.
import {
  CandlestickSeries,
  createChart,
  CrosshairMode,
  HistogramSeries,
  type IChartApi,
  type IPriceLine,
  type ISeriesApi,
  LineSeries,
  LineStyle,
  type Logical,
  type SeriesType,
  type UTCTimestamp,
} from 'lightweight-charts';
import { axisOf, type Bar } from '../candles.ts';
import { absent, dateAndMinute, price as priceText } from '../decimal_text.ts';
import type { Column, Point } from '../indicators.ts';
import { colour } from './page.ts';

export type Group = 'sma' | 'ema' | 'bollinger' | 'rsi' | 'macd';

interface Line {
  column: Column;
  group: Group;
  colourName: string;
  isHistogram?: boolean;
}

const lines: readonly Line[] = [
  { column: 'sma7', group: 'sma', colourName: 'sma7' },
  { column: 'sma30', group: 'sma', colourName: 'sma30' },
  { column: 'ema12', group: 'ema', colourName: 'ema12' },
  { column: 'ema26', group: 'ema', colourName: 'ema26' },
  { column: 'bollingerUpper', group: 'bollinger', colourName: 'bollinger' },
  { column: 'bollingerMiddle', group: 'bollinger', colourName: 'bollinger' },
  { column: 'bollingerLower', group: 'bollinger', colourName: 'bollinger' },
  { column: 'rsi', group: 'rsi', colourName: 'rsi' },
  { column: 'macdHistogram', group: 'macd', colourName: 'muted', isHistogram: true },
  { column: 'macd', group: 'macd', colourName: 'macd' },
  { column: 'macdSignal', group: 'macd', colourName: 'macd-signal' },
];

interface LegendRow {
  group: Group;
  name: string;
  members: Column[];
  className: string;
}

const legendRows: readonly LegendRow[] = [
  { group: 'sma', name: 'SMA 7', members: ['sma7'], className: 'sma7' },
  { group: 'sma', name: 'SMA 30', members: ['sma30'], className: 'sma30' },
  { group: 'ema', name: 'EMA 12', members: ['ema12'], className: 'ema12' },
  { group: 'ema', name: 'EMA 26', members: ['ema26'], className: 'ema26' },
  {
    group: 'bollinger',
    name: 'Bollinger 20 2',
    members: ['bollingerLower', 'bollingerMiddle', 'bollingerUpper'],
    className: 'bollinger',
  },
  { group: 'rsi', name: 'RSI 14', members: ['rsi'], className: 'rsi' },
  {
    group: 'macd',
    name: 'MACD 12 26 9',
    members: ['macd', 'macdSignal', 'macdHistogram'],
    className: 'macd',
  },
];

const ownPane: ReadonlySet<Group> = new Set(['rsi', 'macd']);
const shownAtFirst = 160;
const nearTheStart = 60;
const marginBars = 4;

const seconds = (time: number) => (time / 1000) as UTCTimestamp;

// A colour with less of itself; theme colours are #rrggbb.
function faint(hex: string): string {
  return `${hex}80`;
}

export class ChartView {
  readonly #container: HTMLElement;
  readonly #legend: HTMLElement;
  readonly #chart: IChartApi;
  #candles: ISeriesApi<'Candlestick'>;
  #volume: ISeriesApi<'Histogram'>;
  readonly #lastPrice: IPriceLine;
  readonly #drawn = new Map<Column, { series: ISeriesApi<SeriesType>; line: Line }>();
  #bars: readonly Bar[] = [];
  #axis: number[] = [];
  #points: Record<Column, Point[]> | undefined;
  #groups: ReadonlySet<Group> = new Set();
  #digits = 2;
  #hovered: number | undefined;
  #timeframeLength = 60_000;

  onNearStart: () => void = () => {};
  onMoved: () => void = () => {};

  constructor(container: HTMLElement, legend: HTMLElement) {
    this.#container = container;
    this.#legend = legend;
    this.#chart = createChart(container, {
      autoSize: true,
      layout: { attributionLogo: false, fontFamily: 'system-ui, sans-serif', fontSize: 11 },
      crosshair: { mode: CrosshairMode.Normal },
      timeScale: {
        timeVisible: true,
        secondsVisible: false,
        rightOffset: marginBars,
        minBarSpacing: 0.4,
      },
      localization: { timeFormatter: (time: number) => `${dateAndMinute(time * 1000)} UTC` },
    });
    // The library's own label has the colour of the body, which a hollow candle lacks.
    this.#candles = this.#chart.addSeries(CandlestickSeries, {
      borderVisible: true,
      lastValueVisible: false,
      priceLineVisible: false,
    });
    this.#lastPrice = this.#candles.createPriceLine({
      price: 0,
      lineWidth: 1,
      lineStyle: LineStyle.Dotted,
      lineVisible: false,
      axisLabelVisible: false,
    });
    this.#volume = this.#chart.addSeries(HistogramSeries, {
      priceScaleId: 'volume',
      priceFormat: { type: 'volume' },
      lastValueVisible: false,
      priceLineVisible: false,
    });
    this.#chart.priceScale('volume').applyOptions({ scaleMargins: { top: 0.84, bottom: 0 } });
    this.#candles.priceScale().applyOptions({ scaleMargins: { top: 0.12, bottom: 0.18 } });
    this.recolour();
    this.#chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
      this.onMoved();
      if (range && range.from < nearTheStart) this.onNearStart();
    });
    this.#chart.timeScale().subscribeSizeChange(() => this.onMoved());
    this.#chart.subscribeCrosshairMove((move) => {
      this.#hovered = typeof move.time === 'number' ? move.time * 1000 : undefined;
      this.#writeLegend();
    });
    container.addEventListener('keydown', (event) => this.#onKey(event));
  }

  recolour(): void {
    const [text, line, up, down] = [colour('muted'), colour('line'), colour('up'), colour('down')];
    this.#chart.applyOptions({
      layout: {
        background: { color: colour('panel') },
        textColor: text,
        panes: { separatorColor: line, separatorHoverColor: faint(text) },
      },
      grid: { vertLines: { color: `${line}66` }, horzLines: { color: `${line}66` } },
      rightPriceScale: { borderColor: line },
      timeScale: { borderColor: line },
    });
    // Rising candles are hollow and falling ones full: colour is not the only difference.
    this.#candles.applyOptions({
      upColor: colour('panel'),
      borderUpColor: up,
      wickUpColor: up,
      downColor: down,
      borderDownColor: down,
      wickDownColor: down,
    });
    if (this.#bars.length > 0) {
      this.#volume.setData(this.#axis.map((time) => this.#volumeAt(time)));
      this.#drawLines();
    }
    this.#writeLegend();
  }

  setGroups(groups: ReadonlySet<Group>): void {
    this.#groups = groups;
    this.#drawLines();
    this.#writeLegend();
  }

  // Everything anew. `keepsPlace`: the same instrument, so the view stays where it is.
  setAll(
    bars: readonly Bar[],
    points: Record<Column, Point[]>,
    options: { digits: number; length: number; keepsPlace: boolean },
  ): void {
    this.#bars = bars;
    this.#points = points;
    this.#digits = options.digits;
    this.#timeframeLength = options.length;
    this.#axis = axisOf(bars, options.length);
    const byTime = new Map(bars.map((bar) => [bar.time, bar]));
    this.#candles.applyOptions({
      priceFormat: { type: 'price', precision: options.digits, minMove: 10 ** -options.digits },
    });
    this.#chart.applyOptions({ timeScale: { timeVisible: options.length < 86_400_000 } });
    this.#candles.setData(
      this.#axis.map((time) => {
        const bar = byTime.get(time);
        return bar ? this.#candleOf(bar) : { time: seconds(time) };
      }),
    );
    this.#volume.setData(this.#axis.map((time) => this.#volumeAt(time, byTime)));
    this.#drawLines();
    if (!options.keepsPlace) this.#showNewest();
    this.#writeLegend();
  }

  setTail(bars: readonly Bar[], points: Partial<Record<Column, Point>>): void {
    const last = bars.at(-1);
    if (!last) return;
    this.#bars = bars;
    const end = this.#axis.at(-1);
    if (end === undefined || last.time > end) {
      for (let time = (end ?? last.time) + this.#timeframeLength; time < last.time;) {
        this.#axis.push(time);
        this.#candles.update({ time: seconds(time) });
        time += this.#timeframeLength;
      }
      this.#axis.push(last.time);
    }
    this.#candles.update(this.#candleOf(last));
    this.#volume.update(this.#volumeOf(last));
    for (const [column, point] of Object.entries(points) as [Column, Point][]) {
      const held = this.#points?.[column];
      if (held?.at(-1)?.time === point.time) held[held.length - 1] = point;
      else held?.push(point);
      const drawn = this.#drawn.get(column);
      drawn?.series.update(this.#pointOf(point, drawn.line));
    }
    this.#writeLegend();
  }

  clear(): void {
    this.#bars = [];
    this.#axis = [];
    this.#points = undefined;
    this.#candles.setData([]);
    this.#volume.setData([]);
    for (const { series } of this.#drawn.values()) series.setData([]);
    this.#writeLegend();
  }

  // Pixels from the chart's left edge to the left side of the bar that would open at `time`.
  xOf(time: number): number | null {
    if (this.#axis.length === 0) return null;
    const x = this.#chart.timeScale().logicalToCoordinate(0 as Logical);
    const next = this.#chart.timeScale().logicalToCoordinate(1 as Logical);
    if (x === null || next === null) return null;
    return x + (next - x) * (this.#logicalOf(time) - 0.5);
  }

  get plotWidth(): number {
    return this.#chart.timeScale().width();
  }

  // What is to be seen, in time.
  visibleTimes(): { from: number; to: number } | null {
    const range = this.#chart.timeScale().getVisibleLogicalRange();
    if (!range || this.#axis.length === 0) return null;
    const first = Math.max(0, Math.ceil(range.from));
    const last = Math.min(this.#axis.length - 1, Math.floor(range.to));
    if (first > last) return null;
    return { from: this.#axis[first]!, to: this.#axis[last]! + this.#timeframeLength };
  }

  summary(name: string): string {
    const last = this.#bars.at(-1);
    if (!last) return `${name}: no candles`;
    const text = (value: number) => priceText(value, this.#digits);
    const seen = this.visibleTimes();
    const range = seen ? ` Shown: ${dateAndMinute(seen.from)} to ${dateAndMinute(seen.to)}.` : '';
    return (
      `${name}: the ${last.isClosed ? 'last' : 'forming'} candle of ${dateAndMinute(last.time)} UTC, ` +
      `open ${text(last.open)}, high ${text(last.high)}, low ${text(last.low)}, ` +
      `close ${text(last.close)}.${range}`
    );
  }

  // Where a time is on the axis, in bars; between and beyond them too.
  #logicalOf(time: number): number {
    let [low, high] = [0, this.#axis.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#axis[middle]! <= time) low = middle + 1;
      else high = middle;
    }
    const index = Math.max(0, low - 1);
    const beyond = (time - this.#axis[index]!) / this.#timeframeLength;
    return index + (low < this.#axis.length && low > 0 ? Math.min(beyond, 1) : beyond);
  }

  #candleOf(bar: Bar) {
    return {
      time: seconds(bar.time),
      open: bar.open,
      high: bar.high,
      low: bar.low,
      close: bar.close,
    };
  }

  #volumeOf(bar: Bar) {
    const name = bar.close >= bar.open ? 'up-soft' : 'down-soft';
    return { time: seconds(bar.time), value: bar.volume, color: colour(name) };
  }

  #volumeAt(time: number, byTime = new Map(this.#bars.map((bar) => [bar.time, bar]))) {
    const bar = byTime.get(time);
    return bar ? this.#volumeOf(bar) : { time: seconds(time) };
  }

  #pointOf(point: Point, line: Line) {
    const base = colour(line.colourName);
    return {
      time: seconds(point.time),
      value: point.value,
      color: point.isServed ? base : faint(base),
    };
  }

  #drawLines(): void {
    for (const [column, { series, line }] of this.#drawn) {
      if (this.#groups.has(line.group)) continue;
      this.#chart.removeSeries(series);
      this.#drawn.delete(column);
    }
    for (const line of lines) {
      if (!this.#groups.has(line.group)) continue;
      const drawn = this.#drawn.get(line.column) ?? this.#addLine(line);
      const base = colour(line.colourName);
      drawn.series.applyOptions({ color: base });
      const points = this.#points?.[line.column] ?? [];
      const [full, weak] = [base, faint(base)];
      drawn.series.setData(
        points.map((point) => ({
          time: seconds(point.time),
          value: point.value,
          color: point.isServed ? full : weak,
        })),
      );
    }
    this.#chart.panes().forEach((pane, index) => pane.setStretchFactor(index === 0 ? 4 : 1));
  }

  #addLine(line: Line): { series: ISeriesApi<SeriesType>; line: Line } {
    let pane = 0;
    if (ownPane.has(line.group)) {
      const sibling = [...this.#drawn.values()].find((drawn) => drawn.line.group === line.group);
      pane = sibling ? sibling.series.getPane().paneIndex() : this.#chart.panes().length;
    }
    const shared = { lastValueVisible: false, priceLineVisible: false } as const;
    const series: ISeriesApi<SeriesType> = line.isHistogram
      ? this.#chart.addSeries(HistogramSeries, shared, pane)
      : this.#chart.addSeries(
          LineSeries,
          {
            ...shared,
            lineWidth: 1,
            crosshairMarkerVisible: false,
            lineStyle: line.column === 'bollingerMiddle' ? LineStyle.Dotted : LineStyle.Solid,
          },
          pane,
        );
    if (line.column === 'rsi') {
      for (const level of [30, 70]) {
        series.createPriceLine({
          price: level,
          color: faint(colour('muted')),
          lineStyle: LineStyle.Dashed,
          lineWidth: 1,
          axisLabelVisible: false,
        });
      }
    }
    const drawn = { series, line };
    this.#drawn.set(line.column, drawn);
    return drawn;
  }

  #showNewest(): void {
    const end = this.#axis.length + marginBars;
    const width = Math.min(shownAtFirst, Math.max(40, this.#container.clientWidth / 6));
    this.#chart.timeScale().setVisibleLogicalRange({ from: end - width, to: end });
  }

  #onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const scale = this.#chart.timeScale();
    const range = scale.getVisibleLogicalRange();
    if (!range) return;
    const width = range.to - range.from;
    const move = (by: number) =>
      scale.setVisibleLogicalRange({ from: range.from + by, to: range.to + by });
    // The right edge stays: what is newest is what one zooms in on.
    const zoom = (to: number) =>
      scale.setVisibleLogicalRange({ from: range.to - Math.max(5, width * to), to: range.to });
    const end = this.#axis.length + marginBars;
    const step = width * (event.shiftKey ? 0.5 : 0.1);
    const actions: Record<string, () => void> = {
      ArrowLeft: () => move(-step),
      ArrowRight: () => move(step),
      '+': () => zoom(0.8),
      '=': () => zoom(0.8),
      '-': () => zoom(1.25),
      Home: () => scale.setVisibleLogicalRange({ from: -2, to: width - 2 }),
      End: () => scale.setVisibleLogicalRange({ from: end - width, to: end }),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  #writeLegend(): void {
    this.#writeLastPrice();
    const time = this.#hovered ?? this.#bars.at(-1)?.time;
    this.#legend.replaceChildren();
    if (time === undefined) return;
    const bar = this.#barAt(time);
    const text = (value: number | undefined) =>
      value === undefined ? absent : priceText(value, this.#digits);
    const first = this.#addLegend('', dateAndMinute(time));
    if (bar) {
      const parts: [string, string][] = [
        ['O', text(bar.open)],
        ['H', text(bar.high)],
        ['L', text(bar.low)],
        ['C', text(bar.close)],
        ['V', bar.volume.toPrecision(5)],
      ];
      for (const [name, value] of parts) first.append(` ${name} ${value}`);
      if (!bar.isClosed) first.append(' · forming');
      else if (!bar.isComplete) first.append(' · incomplete');
      if (bar.revision > 0) first.append(` · revision ${bar.revision}`);
    } else {
      first.append(' no candle');
    }
    for (const { group, name, members, className } of legendRows) {
      if (!this.#groups.has(group)) continue;
      const points = members.map((column) => this.#pointAt(column, time));
      const digits = group === 'rsi' ? 1 : this.#digits;
      const values = points.map((point) => (point ? priceText(point.value, digits) : absent));
      const row = this.#addLegend(className, name);
      row.append(values.join(' / '));
      const mark = document.createElement('i');
      const known = points.find((point) => point !== undefined);
      mark.textContent = known ? (known.isServed ? ' served' : ' computed here') : '';
      row.append(mark);
    }
  }

  #writeLastPrice(): void {
    const last = this.#bars.at(-1);
    if (!last) {
      this.#lastPrice.applyOptions({ lineVisible: false, axisLabelVisible: false });
      return;
    }
    const color = colour(last.close >= last.open ? 'up' : 'down');
    this.#lastPrice.applyOptions({
      price: last.close,
      color,
      axisLabelColor: color,
      axisLabelTextColor: colour('panel'),
      lineVisible: true,
      axisLabelVisible: true,
    });
  }

  #addLegend(className: string, title: string): HTMLElement {
    const row = document.createElement('div');
    row.className = className;
    const name = document.createElement('b');
    name.textContent = title;
    row.append(name);
    this.#legend.append(row);
    return row;
  }

  #barAt(time: number): Bar | undefined {
    return this.#bars.findLast((bar) => bar.time === time);
  }

  #pointAt(column: Column, time: number): Point | undefined {
    return this.#points?.[column].findLast((point) => point.time === time);
  }
}
