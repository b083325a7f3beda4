// The order book: levels with the depth before them as bars, and the curve of both sides.
import { type Ladder, ladderOf, type Rung } from '../book.ts';
import { absent, amount, commonDigits, padded, price, small } from '../decimal_text.ts';
import type { Book } from '../rest.ts';
import { colour, element, fitRows, prepared, rowOfCells, setCells, setText } from './page.ts';

const depth = 20;

export class LadderView {
  readonly #asks = element('asks');
  readonly #bids = element('bids');
  readonly #spread = element('spread');
  readonly #message = element('book-message');
  readonly #curve = element<HTMLCanvasElement>('depth');
  #ladder: Ladder | undefined;

  show(book: Pick<Book, 'bids' | 'asks'>): void {
    const ladder = ladderOf(book, depth);
    this.#ladder = ladder;
    const all = [...ladder.bids, ...ladder.asks];
    const digits = commonDigits(all.map((rung) => rung.price));
    const sizeDigits = commonDigits(
      all.map((rung) => rung.size),
      8,
    );
    this.#fill(this.#asks, ladder.asks.toReversed(), digits, sizeDigits);
    this.#fill(this.#bids, ladder.bids, digits, sizeDigits);
    setText(
      this.#spread,
      ladder.spread === null
        ? 'one side is empty'
        : `Spread ${price(ladder.spread, digits)} (${small(ladder.spreadPercent!)} %)`,
    );
    setText(this.#message, '');
    this.redraw();
  }

  // No ladder is better than an old one.
  hide(why: string): void {
    this.#ladder = undefined;
    this.#asks.replaceChildren();
    this.#bids.replaceChildren();
    setText(this.#spread, absent);
    setText(this.#message, why);
    this.redraw();
  }

  redraw(): void {
    const ground = prepared(this.#curve);
    if (!ground) return;
    const ladder = this.#ladder;
    this.#curve.setAttribute(
      'aria-label',
      ladder
        ? `Depth of the order book: bids ${amount(ladder.bids.at(-1)?.total)}, asks ${amount(ladder.asks.at(-1)?.total)}`
        : 'Depth of the order book: none',
    );
    if (!ladder) return;
    const { context, width, height } = ground;
    const middle = width / 2;
    // Both sides by level, best in the middle; far levels may lie far off in price.
    const side = (rungs: Rung[], direction: number, name: string) => {
      if (rungs.length === 0) return;
      const step = middle / depth;
      const path = new Path2D();
      path.moveTo(middle, height);
      rungs.forEach((rung, index) => {
        const y = height - rung.share * (height - 4);
        path.lineTo(middle + direction * step * index, y);
        path.lineTo(middle + direction * step * (index + 1), y);
      });
      path.lineTo(middle + direction * step * rungs.length, height);
      context.fillStyle = colour(`${name}-soft`);
      context.strokeStyle = colour(name);
      context.fill(path);
      context.stroke(path);
    };
    side(ladder.bids, -1, 'up');
    side(ladder.asks, 1, 'down');
  }

  #fill(body: HTMLElement, rungs: Rung[], digits: number, sizeDigits: number): void {
    const rows = fitRows(body, rungs.length, () => rowOfCells(3));
    rungs.forEach((rung, index) => {
      const row = rows[index] as HTMLElement;
      setCells(row, [
        padded(rung.price, digits),
        padded(rung.size, sizeDigits),
        price(rung.total, sizeDigits),
      ]);
      row.style.setProperty('--share', `${(100 * rung.share).toFixed(1)}%`);
    });
  }
}
