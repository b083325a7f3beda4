// An order book as it is shown: levels with what lies before them, and the spread. Prices and sizes keep the
// digits that were sent.
import type { Book, Level } from './rest.ts';

export interface Rung {
  price: string;
  size: string;
  // Of this level and all better ones, and that as a part of the deeper side's whole.
  total: number;
  share: number;
}

export interface Ladder {
  bids: Rung[];
  asks: Rung[];
  spread: number | null;
  spreadPercent: number | null;
  // Bids' part of all that is shown.
  bidShare: number | null;
}

function rungs(levels: readonly Level[], depth: number): Rung[] {
  let total = 0;
  return levels.slice(0, depth).map(([price, size]) => {
    total += Number(size);
    return { price, size, total, share: 0 };
  });
}

export function ladderOf(book: Pick<Book, 'bids' | 'asks'>, depth: number): Ladder {
  const bids = rungs(book.bids, depth);
  const asks = rungs(book.asks, depth);
  const [bidTotal, askTotal] = [bids.at(-1)?.total ?? 0, asks.at(-1)?.total ?? 0];
  const whole = Math.max(bidTotal, askTotal);
  for (const rung of [...bids, ...asks]) rung.share = whole > 0 ? rung.total / whole : 0;
  const [bid, ask] = [bids[0], asks[0]];
  const spread = bid && ask ? Number(ask.price) - Number(bid.price) : null;
  return {
    bids,
    asks,
    spread,
    spreadPercent: spread === null || !ask ? null : (100 * spread) / Number(ask.price),
    bidShare: bidTotal + askTotal > 0 ? bidTotal / (bidTotal + askTotal) : null,
  };
}
