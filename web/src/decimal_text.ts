// Numbers and times as people read them. Prices keep as many digits as their market uses, so that columns
// do not dance; what is absent is a dash, never a zero.

export const absent = '–';

const grouped = new Map<number, Intl.NumberFormat>();

function formatOf(digits: number): Intl.NumberFormat {
  let format = grouped.get(digits);
  if (!format) {
    format = new Intl.NumberFormat('en-US', {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    });
    grouped.set(digits, format);
  }
  return format;
}

const compact = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 2 });
const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

// How many digits follow the point, also of 1e-8.
export function fractionDigits(value: number | string): number {
  const text = String(value).toLowerCase();
  const [mantissa = '', exponent = '0'] = text.split('e');
  const point = mantissa.indexOf('.');
  const digits = point < 0 ? 0 : mantissa.length - point - 1;
  return Math.max(0, digits - Number(exponent));
}

// The digits a market uses, told by prices seen in it.
export function commonDigits(prices: Iterable<number | string>, limit = 12): number {
  let most = 0;
  for (const price of prices) most = Math.max(most, fractionDigits(price));
  return Math.min(most, limit);
}

export function price(value: number | null | undefined, digits: number): string {
  return value === null || value === undefined || !Number.isFinite(value)
    ? absent
    : formatOf(digits).format(value);
}

export function count(value: number | null | undefined): string {
  return value === null || value === undefined ? absent : whole.format(value);
}

export function amount(value: number | null | undefined): string {
  return value === null || value === undefined ? absent : compact.format(value);
}

// With its sign, because colour alone would not tell everybody.
export function percent(value: number | null | undefined): string {
  if (value === null || value === undefined) return absent;
  const sign = value > 0 ? '+' : value < 0 ? '−' : '';
  return `${sign}${Math.abs(value).toFixed(2)} %`;
}

// With two digits that mean something, however small.
export function small(value: number): string {
  return Number(value.toPrecision(2)).toLocaleString('en-US', { maximumFractionDigits: 12 });
}

// A decimal as sent, filled up to so many digits; longer ones keep all of theirs.
export function padded(decimal: string, digits: number): string {
  const has = fractionDigits(decimal);
  if (has >= digits) return decimal;
  return decimal + (has === 0 ? '.' : '') + '0'.repeat(digits - has);
}

export function duration(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

const two = (value: number) => String(value).padStart(2, '0');

export function clockTime(time: number): string {
  const date = new Date(time);
  return `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} UTC`;
}

export function dateAndMinute(time: number): string {
  const date = new Date(time);
  const day = `${date.getUTCFullYear()}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}`;
  return `${day} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
}
