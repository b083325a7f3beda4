// Which instruments fit what was typed, best first. Followed ones come before others, because only they move.
import type { SymbolRow } from './rest.ts';

const letters = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, '');

// Smaller is better; undefined: it does not fit.
export function rank(row: SymbolRow, typed: string): number | undefined {
  const wanted = letters(typed);
  const symbol = letters(row.symbol);
  const name = letters(row.name ?? '');
  const venue = letters(row.exchange ?? '');
  let grade: number | undefined;
  if (wanted === '') grade = 4;
  else if (symbol === wanted) grade = 0;
  else if (symbol.startsWith(wanted)) grade = 1;
  else if (name.startsWith(wanted)) grade = 2;
  else if (symbol.includes(wanted) || name.includes(wanted)) grade = 3;
  else if ((venue + symbol).includes(wanted)) grade = 4;
  return grade === undefined ? undefined : grade * 2 + (row.is_configured ? 0 : 9);
}

export function matches(rows: Iterable<SymbolRow>, typed: string, limit: number): SymbolRow[] {
  const found = new Map<string, { row: SymbolRow; rank: number }>();
  for (const row of rows) {
    if (row.exchange === null) continue;
    const grade = rank(row, typed);
    if (grade === undefined) continue;
    const key = `${row.exchange}:${row.symbol}`;
    if (!found.has(key)) found.set(key, { row, rank: grade });
  }
  // The sort is stable: among equals the server's order stays.
  return [...found.values()]
    .sort((a, b) => a.rank - b.rank)
    .slice(0, limit)
    .map(({ row }) => row);
}
