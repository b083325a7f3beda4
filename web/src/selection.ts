// What is looked at, and its form in the address: #binance:BTC/USDT@1m. It stands behind the # because the
// server refuses parameters that it does not know.
import { isTimeframe, type Timeframe } from './timeframe.ts';

export interface Selection {
  exchange: string;
  symbol: string;
  timeframe: Timeframe;
}

const pattern = /^#?((?:ccxt:)?[a-z0-9][a-z0-9._-]*):([^@\s]+)@([0-9]+[smhdwM])$/;

export function parseSelection(hash: string): Selection | undefined {
  let text: string;
  try {
    text = decodeURIComponent(hash);
  } catch {
    return undefined;
  }
  const found = pattern.exec(text);
  if (!found) return undefined;
  const [, exchange, symbol, timeframe] = found;
  if (!exchange || !symbol || !timeframe || !isTimeframe(timeframe)) return undefined;
  return { exchange, symbol, timeframe };
}

export function selectionText({ exchange, symbol, timeframe }: Selection): string {
  return `#${exchange}:${symbol}@${timeframe}`;
}

export function isSameInstrument(
  a: { exchange: string | null; symbol: string },
  b: { exchange: string | null; symbol: string },
): boolean {
  return a.exchange === b.exchange && a.symbol === b.symbol;
}
