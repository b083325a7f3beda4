// One exchange of CCXT, made so that it keeps every digit, asks no more than it must, and talks to another
// host if told so; and what CCXT knows of it in the words of the service.
import { Agent } from 'node:http';

import { exactNumber, keepDigitsInBooks, keepDigitsInLevels, readLongNumbersAsText } from './exact.mjs';

// How many rows to ask for where CCXT does not know what the venue's answer holds.
const usualCandles = 100;

// Every URL of the class keeps its path.
function redirect(urls, rest, stream) {
  if (typeof urls === 'string') {
    const other = /^wss?:/.test(urls) ? stream : rest;
    return other ? urls.replace(/^[a-z]+:\/\/[^/]+/, other.replace(/\/+$/, '')) : urls;
  }
  if (urls === null || typeof urls !== 'object') return urls;
  return Object.fromEntries(Object.entries(urls).map(([key, value]) => [key, redirect(value, rest, stream)]));
}

// Throws an error with `kind` when there is no such exchange.
export function makeExchange(ccxt, name, { restUrl, streamUrl }) {
  if (!ccxt.exchanges.includes(name)) {
    const near = ccxt.exchanges.filter((other) => other.startsWith(name.slice(0, 3)) || other.includes(name));
    const words = near.length > 0 ? ` (near: ${near.slice(0, 5).join(', ')})` : '';
    throw Object.assign(new Error(`CCXT ${ccxt.version} has no exchange "${name}"${words}`), { kind: 'misconfigured' });
  }
  readLongNumbersAsText();
  const exchange = new (ccxt.pro[name] ?? ccxt[name])({ enableRateLimit: true, timeout: 15_000 });
  exchange.number = exactNumber;
  keepDigitsInLevels(ccxt, exchange);
  keepDigitsInBooks(exchange);
  // Neither is wanted, and some venues answer them to customers only.
  exchange.has.fetchCurrencies = false;
  const wanted = exchange.options.fetchMarkets;
  if (Array.isArray(wanted?.types)) wanted.types = ['spot'];
  exchange.options.defaultType = 'spot';
  exchange.urls.api = redirect(exchange.urls.api, restUrl, streamUrl);
  if (restUrl?.startsWith('http:') || streamUrl?.startsWith('ws:')) {
    // CCXT's own agent takes https only; it looks for plain ones under two names.
    exchange.agent = exchange.httpAgent = new Agent({ keepAlive: true });
  }
  return exchange;
}

// How each channel is followed: by CCXT Pro's stream, else by asking again and again. What is emulated from
// something else is left out, and trades that are only asked for would have holes that nobody sees.
export function channelsOf({ has }) {
  const way = (watch, ...fetches) =>
    has[watch] === true ? 'stream' : fetches.some((fetch) => has[fetch] === true) ? 'poll' : null;
  return {
    candles: way('watchOHLCV'),
    ticker: way('watchTicker', 'fetchTicker', 'fetchTickers'),
    ladder: way('watchOrderBook', 'fetchOrderBook'),
    trades: way('watchTrades'),
  };
}

export function describe(ccxt, exchange) {
  const limit = exchange.features?.spot?.fetchOHLCV?.limit;
  return {
    name: exchange.id,
    version: ccxt.version,
    has_candles: exchange.has.fetchOHLCV === true,
    has_time: exchange.has.fetchTime === true,
    timeframes: Object.keys(exchange.timeframes ?? {}),
    max_candles: Number.isInteger(limit) && limit > 0 ? limit : usualCandles,
    requests_per_minute: Math.max(1, Math.floor(60_000 / Math.max(1, exchange.rateLimit))),
    channels: channelsOf(exchange),
  };
}

// CCXT's errors in the kinds of the service. What is no error of CCXT's is an answer that it could not read.
export function errorOf(ccxt, exchange, error) {
  const is = (...classes) => classes.some((one) => error instanceof ccxt[one]);
  const message = String(error?.message ?? error).slice(0, 500);
  if (error?.kind) return { kind: error.kind, message };
  if (is('RateLimitExceeded', 'DDoSProtection')) {
    const header = Object.entries(exchange.last_response_headers ?? {}).find(([key]) => /^retry-after$/i.test(key));
    const seconds = Number(header?.[1]);
    return { kind: 'transient', message, retry_after_ms: Number.isFinite(seconds) ? Math.max(1, seconds) * 1000 : 10_000 };
  }
  if (is('OperationFailed')) return { kind: 'transient', message };
  if (is('AuthenticationError', 'RestrictedLocation', 'ManualInteractionNeeded', 'InvalidProxySettings')) {
    return { kind: 'misconfigured', message };
  }
  if (is('ExchangeError')) return { kind: 'rejected', message };
  return { kind: 'transient', message: `CCXT: ${message}` };
}
