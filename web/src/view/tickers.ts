// The table of all instruments that are followed. A row tells how old it is, and looks old when it is.
import { absent, amount, commonDigits, duration, percent, price } from '../decimal_text.ts';
import { isSameInstrument, type Selection } from '../selection.ts';
import type { TickerRow } from '../rest.ts';
import { element, fitRows, make, setText } from './page.ts';

interface Held {
  row: TickerRow;
  // By the clock of this page: the server's own age is that at the time of sending.
  receivedAt: number;
  digits: number;
  // A row of a live server that was told after a break may be old; updates are not.
  ageAtReceipt: number;
}

interface Column {
  title: string;
  text(held: Held, now: number): string;
  order(held: Held, now: number): number | string;
}

const oldAfterMs = 30_000;

const ageOf = (held: Held, now: number) => held.ageAtReceipt + now - held.receivedAt;

const columns: readonly Column[] = [
  { title: 'Symbol', text: ({ row }) => row.symbol, order: ({ row }) => row.symbol },
  {
    title: 'Last',
    text: ({ row, digits }) => price(row.last_price, digits),
    order: ({ row }) => row.last_price ?? -Infinity,
  },
  {
    title: '24 h',
    text: ({ row }) => percent(row.ticker?.change_pct_24h),
    order: ({ row }) => row.ticker?.change_pct_24h ?? -Infinity,
  },
  {
    title: 'Volume 24 h',
    text: ({ row }) => amount(row.ticker?.quote_volume_24h),
    order: ({ row }) => row.ticker?.quote_volume_24h ?? -Infinity,
  },
  {
    title: 'High',
    text: ({ row, digits }) => price(row.ticker?.high_24h, digits),
    order: ({ row }) => row.ticker?.high_24h ?? -Infinity,
  },
  {
    title: 'Low',
    text: ({ row, digits }) => price(row.ticker?.low_24h, digits),
    order: ({ row }) => row.ticker?.low_24h ?? -Infinity,
  },
  {
    title: 'Bid',
    text: ({ row, digits }) => price(row.ticker?.bid, digits),
    order: ({ row }) => row.ticker?.bid ?? -Infinity,
  },
  {
    title: 'Ask',
    text: ({ row, digits }) => price(row.ticker?.ask, digits),
    order: ({ row }) => row.ticker?.ask ?? -Infinity,
  },
  { title: 'Exchange', text: ({ row }) => row.exchange, order: ({ row }) => row.exchange },
  {
    title: 'Age',
    text: (held, now) => (held.row.received_time === null ? absent : duration(ageOf(held, now))),
    order: ageOf,
  },
];

export class TickersView {
  readonly #table = element<HTMLTableElement>('tickers');
  readonly #body: HTMLTableSectionElement;
  readonly #held = new Map<string, Held>();
  readonly #rows = new Map<string, HTMLTableRowElement>();
  #selection: Selection | undefined;
  #sortBy: number | undefined;
  #isDescending = false;

  onSelect: (row: TickerRow) => void = () => {};

  constructor() {
    const head = make('tr');
    columns.forEach(({ title }, index) => {
      const cell = make('th');
      cell.scope = 'col';
      const button = make('button', '', title);
      button.type = 'button';
      button.addEventListener('click', () => this.#sort(index));
      cell.append(button);
      head.append(cell);
    });
    this.#table.tHead!.append(head);
    this.#body = this.#table.tBodies[0]!;
  }

  get rows(): TickerRow[] {
    return [...this.#held.values()].map(({ row }) => row);
  }

  find(exchange: string, symbol: string): TickerRow | undefined {
    return this.#held.get(`${exchange}:${symbol}`)?.row;
  }

  select(selection: Selection): void {
    this.#selection = selection;
  }

  put(row: TickerRow, now: number): void {
    const key = `${row.exchange}:${row.symbol}`;
    const seen = [row.last_price, row.ticker?.bid, row.ticker?.ask].filter(
      (value): value is number => typeof value === 'number',
    );
    const digits = Math.max(this.#held.get(key)?.digits ?? 0, commonDigits(seen));
    this.#held.set(key, { row, digits, receivedAt: now, ageAtReceipt: row.age_ms ?? 0 });
  }

  draw(now: number): void {
    const shown = [...this.#held.entries()];
    const by = this.#sortBy === undefined ? undefined : columns[this.#sortBy];
    if (by) {
      const sign = this.#isDescending ? -1 : 1;
      shown.sort(([, a], [, b]) => {
        const [x, y] = [by.order(a, now), by.order(b, now)];
        return x < y ? -sign : x > y ? sign : 0;
      });
    }
    shown.forEach(([key, held], index) => {
      const row = this.#rowOf(key);
      if (this.#body.children[index] !== row) {
        this.#body.insertBefore(row, this.#body.children[index] ?? null);
      }
      this.#fill(row, held, now);
    });
  }

  #rowOf(key: string): HTMLTableRowElement {
    const known = this.#rows.get(key);
    if (known) return known;
    const row = make('tr');
    const head = make('th');
    head.scope = 'row';
    const button = make('button');
    button.type = 'button';
    button.addEventListener('click', () => {
      const held = this.#held.get(key);
      if (held) this.onSelect(held.row);
    });
    head.append(button);
    row.append(head);
    fitRows(row, columns.length, () => make('td'));
    this.#rows.set(key, row);
    return row;
  }

  #fill(row: HTMLTableRowElement, held: Held, now: number): void {
    columns.forEach((column, index) => {
      const cell = row.children[index]!;
      setText(index === 0 ? cell.firstElementChild! : cell, column.text(held, now));
    });
    const change = held.row.ticker?.change_pct_24h ?? 0;
    row.children[2]!.className = change > 0 ? 'up' : change < 0 ? 'down' : '';
    row.classList.toggle('old', held.row.stale || ageOf(held, now) > oldAfterMs);
    const isCurrent = this.#selection && isSameInstrument(this.#selection, held.row);
    if (isCurrent) row.setAttribute('aria-current', 'true');
    else row.removeAttribute('aria-current');
  }

  #sort(index: number): void {
    // Numbers are looked at from the largest.
    this.#isDescending = this.#sortBy === index ? !this.#isDescending : index > 0 && index < 8;
    this.#sortBy = index;
    const cells = this.#table.tHead!.rows[0]!.cells;
    for (const cell of cells) cell.removeAttribute('aria-sort');
    cells[index]!.setAttribute('aria-sort', this.#isDescending ? 'descending' : 'ascending');
    this.draw(performance.timeOrigin + performance.now());
  }
}
