// What the screen is made of, without a screen: ladders, liveness, texts, selection, search.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ladderOf } from '../src/book.ts';
import {
  commonDigits,
  duration,
  fractionDigits,
  padded,
  percent,
  price,
  small,
} from '../src/decimal_text.ts';
import { rowsOf } from '../src/instrument.ts';
import { livenessOf } from '../src/liveness.ts';
import { parseSelection, selectionText } from '../src/selection.ts';
import { matches } from '../src/symbol_match.ts';

test('ALadderAddsUpFromTheBestLevelAndMeasuresBothSidesAlike', () => {
  const ladder = ladderOf(
    {
      bids: [
        ['99.5', '1'],
        ['99', '3'],
      ],
      asks: [
        ['100', '2'],
        ['101', '6'],
        ['102', '9'],
      ],
    },
    2,
  );
  assert.deepEqual(
    ladder.bids.map(({ total, share }) => [total, share]),
    [
      [1, 0.125],
      [4, 0.5],
    ],
  );
  assert.deepEqual(
    ladder.asks.map(({ price, total }) => [price, total]),
    [
      ['100', 2],
      ['101', 8],
    ],
  );
  assert.equal(ladder.spread, 0.5);
  assert.equal(ladder.spreadPercent, 0.5);
  assert.equal(ladder.bidShare, 4 / 12);
});

test('AnEmptySideHasNoSpread', () => {
  const ladder = ladderOf({ bids: [], asks: [['100', '2']] }, 20);
  assert.equal(ladder.spread, null);
  assert.equal(ladder.asks[0].share, 1);
  assert.equal(ladderOf({ bids: [], asks: [] }, 20).bidShare, null);
});

const good = {
  now: 100_000,
  phase: 'open',
  retryAt: undefined,
  openedAt: 90_000,
  updatedAt: 99_900,
  unansweredSince: undefined,
  isFeedConnected: true,
  isFromBefore: false,
  isChartOld: false,
  isFollowed: true,
};

test('OnlyWhatIsFreshConnectedAndAnsweringIsLive', () => {
  assert.equal(livenessOf(good).kind, 'live');
  const doubts = [
    [{ phase: 'waiting', retryAt: 101_000 }, 'offline'],
    [{ phase: 'connecting' }, 'offline'],
    [{ phase: 'connecting', updatedAt: undefined }, 'connecting'],
    [{ unansweredSince: 95_000, updatedAt: 95_000 }, 'offline'],
    [{ isFeedConnected: false }, 'stale'],
    [{ isFromBefore: true }, 'stale'],
    [{ isChartOld: true }, 'stale'],
    [{ updatedAt: undefined }, 'connecting'],
    [{ updatedAt: 89_000 }, 'connecting'],
    [{ updatedAt: 84_000, openedAt: 1 }, 'quiet'],
    [{ isFollowed: false }, 'stored'],
  ];
  for (const [doubt, kind] of doubts) {
    assert.equal(livenessOf({ ...good, ...doubt }).kind, kind, JSON.stringify(doubt));
  }
});

test('AServerThatAnswersSlowlyButStreamsIsLive', () => {
  assert.equal(livenessOf({ ...good, unansweredSince: 99_000 }).kind, 'live');
  assert.equal(livenessOf({ ...good, isFeedConnected: undefined }).kind, 'live');
});

test('NumbersKeepTheirDigits', () => {
  assert.equal(fractionDigits(1e-8), 8);
  assert.equal(fractionDigits('0.050'), 3);
  assert.equal(fractionDigits(64000), 0);
  assert.equal(commonDigits([1.5, '2.25', 3]), 2);
  assert.equal(price(64273.9, 2), '64,273.90');
  assert.equal(price(null, 2), '–');
  assert.equal(padded('64391.3', 2), '64391.30');
  assert.equal(padded('64391', 2), '64391.00');
  assert.equal(padded('0.123456', 2), '0.123456');
  assert.equal(percent(-1.256), '−1.26 %');
  assert.equal(percent(0), '0.00 %');
  assert.equal(small(0.0000155), '0.000016');
  assert.equal(duration(400), '0.4 s');
  assert.equal(duration(90_000), '90 s');
  assert.equal(duration(-5), '0.0 s');
});

test('ASelectionSurvivesItsAddressAndRubbishDoesNot', () => {
  const selection = { exchange: 'binance-us', symbol: 'BTC/USDT', timeframe: '15m' };
  assert.deepEqual(parseSelection(selectionText(selection)), selection);
  assert.deepEqual(parseSelection('#binance%3ABTC%2FUSDT@1m')?.symbol, 'BTC/USDT');
  for (const rubbish of [
    '',
    '#',
    '#binance',
    '#binance:@1m',
    '#binance:BTC/USDT@7m',
    '#%',
    '#chart',
  ]) {
    assert.equal(parseSelection(rubbish), undefined, rubbish);
  }
});

const symbol = (symbol, name, is_configured = false, exchange = 'binance') => ({
  symbol,
  exchange,
  name,
  is_configured,
});

test('TheSearchPutsFollowedOnesFirstAndEachOnce', () => {
  const rows = [
    symbol('ETC/USDT', 'Ethereum Classic'),
    symbol('ETH/USDT', 'Ethereum', true),
    symbol('ETH/USDT', 'Ethereum', true),
    symbol('BETH/USDT', 'Beacon Ether'),
    symbol('BTC/USDT', 'Bitcoin', true),
    symbol('XXX/YYY', 'nowhere', false, null),
  ];
  const found = (typed) => matches(rows, typed, 9).map((row) => row.symbol);
  assert.deepEqual(found('eth'), ['ETH/USDT', 'ETC/USDT', 'BETH/USDT']);
  assert.deepEqual(found('btc-usdt'), ['BTC/USDT']);
  assert.deepEqual(found('bitc'), ['BTC/USDT']);
  assert.deepEqual(found('binancebtc'), ['BTC/USDT']);
  assert.deepEqual(found('zzz'), []);
  assert.equal(found('').length, 4);
  assert.equal(matches(rows, '', 2).length, 2);
});

test('ASnapshotIsOneRowOrSeveral', () => {
  assert.deepEqual(rowsOf([1, 2]), [1, 2]);
  assert.deepEqual(rowsOf({ data: [3] }), [3]);
  assert.deepEqual(rowsOf({ open: 1 }), [{ open: 1 }]);
  assert.deepEqual(rowsOf(null), []);
});
