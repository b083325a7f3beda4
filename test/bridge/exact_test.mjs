// No digit is lost on the way through CCXT: its JSON, its numbers and its books.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';

import { exactNumber } from '../../sidecar/exact.mjs';
import { channelsOf, describe, errorOf, makeExchange } from '../../sidecar/exchange.mjs';

const ccxt = createRequire(new URL('../../sidecar/package.json', import.meta.url))('ccxt');
const exchange = makeExchange(ccxt, 'poloniex', { restUrl: 'http://127.0.0.1:9', streamUrl: 'ws://127.0.0.1:9' });

test('numbers that no double holds are read as texts, all others as before', () => {
  const read = JSON.parse('{"a":[0.1,123456789.123456789012,-1e-20],"b":"12345678901234567890","c":12345678901234567890,"d\\"1":1.50}');
  assert.deepEqual(read, { a: [0.1, '123456789.123456789012', -1e-20], b: '12345678901234567890', c: '12345678901234567890', 'd"1': 1.5 });
  assert.throws(() => JSON.parse('{"a":123456789.123456789012'));
});

test('a number keeps its digits without the zeros of none', () => {
  for (const [text, exact] of [['1.50', '1.5'], ['10', '10'], ['0.000', '0'], ['123456789.123456789012', '123456789.123456789012'], ['1e+21', '1e+21']]) {
    assert.equal(exactNumber(text), exact);
  }
  assert.equal(exchange.parseNumber('1e-7'), '0.0000001');
});

test('a book compares by number and keeps the text', () => {
  const book = exchange.orderBook({ bids: [['9.5', '1'], ['10.25', '2.123456789012345678']], asks: [['100', '1'], ['11', '3']] });
  assert.deepEqual([...book.bids], [['10.25', '2.123456789012345678'], ['9.5', '1']]);
  assert.deepEqual([...book.asks], [['11', '3'], ['100', '1']]);
  book.asks.store('11', '4.000000000000000001');
  book.asks.store('100', '0');
  book.bids.store('9.5', '0.000');
  book.bids.store('8', '0');
  assert.deepEqual([...book.asks], [['11', '4.000000000000000001']]);
  assert.deepEqual([...book.bids], [['10.25', '2.123456789012345678']]);
  const counted = exchange.countedOrderBook({ bids: [['9.5', '1', '2']], asks: [] });
  counted.bids.storeArray(['9.5', '1', '0']);
  assert.deepEqual([...counted.bids], []);
  const indexed = exchange.indexedOrderBook({ bids: [['9.5', '1', 'id']], asks: [] });
  indexed.bids.storeArray(['9.75', '2', 'id']);
  assert.deepEqual([...indexed.bids], [[9.75, 2, 'id']]);
});

test('a reply\'s levels keep their digits', () => {
  const book = exchange.parseOrderBook({ bids: [['1.10', '123456789.123456789012']], asks: [] }, 'BTC/USDT');
  assert.deepEqual(book.bids[0].slice(0, 2), ['1.1', '123456789.123456789012']);
});

test('errors of CCXT have the kinds of the service', () => {
  const kind = (name) => errorOf(ccxt, exchange, new ccxt[name]('words')).kind;
  for (const name of ['NetworkError', 'RequestTimeout', 'OnMaintenance', 'BadResponse', 'ChecksumError']) assert.equal(kind(name), 'transient', name);
  for (const name of ['BadSymbol', 'NotSupported', 'BadRequest', 'ExchangeError']) assert.equal(kind(name), 'rejected', name);
  for (const name of ['AuthenticationError', 'PermissionDenied', 'RestrictedLocation']) assert.equal(kind(name), 'misconfigured', name);
  assert.equal(kind('RateLimitExceeded'), 'transient');
  assert.equal(errorOf(ccxt, exchange, new ccxt.RateLimitExceeded('words')).retry_after_ms, 10_000);
  assert.equal(errorOf(ccxt, { last_response_headers: { 'Retry-After': '7' } }, new ccxt.DDoSProtection('words')).retry_after_ms, 7_000);
  assert.equal(errorOf(ccxt, exchange, new TypeError('words')).kind, 'transient');
});

test('what CCXT emulates is not followed, and trades only where they are streamed', () => {
  const has = { fetchOHLCV: 'emulated', watchOHLCV: 'emulated', fetchTickers: true, fetchOrderBook: true, fetchTrades: true };
  assert.deepEqual(channelsOf({ has }), { candles: null, ticker: 'poll', ladder: 'poll', trades: null });
  assert.equal(describe(ccxt, { ...exchange, id: 'x', has, rateLimit: 500, features: undefined }).has_candles, false);
  assert.equal(describe(ccxt, exchange).max_candles, 500);
});

test('every address keeps its path and takes the other origin', () => {
  assert.equal(exchange.urls.api.spot, 'http://127.0.0.1:9');
  assert.match(exchange.urls.api.ws.public, /^ws:\/\/127\.0\.0\.1:9\/ws\/public$/);
});
