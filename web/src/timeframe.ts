// The timeframes that the dashboard offers: those whose bars are all of one length, so that a chart's axis
// is linear in time and the coverage below it lines up.

export const timeframes = ['1m', '5m', '15m', '30m', '1h', '4h', '1d', '1w'] as const;
export type Timeframe = (typeof timeframes)[number];

const minute = 60_000;
const lengths: Record<Timeframe, number> = {
  '1m': minute,
  '5m': 5 * minute,
  '15m': 15 * minute,
  '30m': 30 * minute,
  '1h': 60 * minute,
  '4h': 240 * minute,
  '1d': 1440 * minute,
  '1w': 10_080 * minute,
};

// Weeks open on Monday; the epoch was a Thursday.
const weekOffset = 4 * 1440 * minute;

export function lengthOf(timeframe: Timeframe): number {
  return lengths[timeframe];
}

export function openTime(time: number, timeframe: Timeframe): number {
  const length = lengths[timeframe];
  const offset = timeframe === '1w' ? weekOffset : 0;
  return Math.floor((time - offset) / length) * length + offset;
}

export function isTimeframe(text: string): text is Timeframe {
  return (timeframes as readonly string[]).includes(text);
}
