import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Calculator, IndicatorSeries } from '../src/indicators.ts';

const minute = 60_000;
const wave = (index) => 100 + 5 * Math.sin(index / 5) + index / 50;
const bars = (count) =>
  Array.from({ length: count }, (_, index) => ({ time: index * minute, close: wave(index) }));

function row(index, part = {}) {
  return {
    window_interval: '1m',
    candle_time: new Date(index * minute).toISOString(),
    revision: 0,
    moving_average_7: 1000 + index,
    moving_average_30: null,
    rsi_14: 50,
    macd: 1,
    macd_signal: 2,
    extra: { macd_histogram: -1, ema_12: 7 },
    ...part,
  };
}

function after(closes) {
  const calculator = new Calculator();
  for (const close of closes) calculator.push(close);
  return calculator;
}

test('AveragesAndBandsAreThoseOfTheirWindow', () => {
  const values = after(Array.from({ length: 40 }, (_, index) => index + 1)).values();
  assert.equal(values.sma7, 37);
  assert.equal(values.sma30, 25.5);
  assert.equal(values.bollingerMiddle, 30.5);
  // The population's deviation of 20 consecutive numbers is √33.25.
  assert.ok(Math.abs(values.bollingerUpper - (30.5 + 2 * Math.sqrt(33.25))) < 1e-9);
  assert.ok(Math.abs(values.bollingerLower - (30.5 - 2 * Math.sqrt(33.25))) < 1e-9);
});

test('ExponentialAveragesBeginWithAMeanAndLagALineByAConstant', () => {
  assert.equal(after(Array.from({ length: 11 }, () => 3)).values().ema12, null);
  assert.equal(after(Array.from({ length: 12 }, (_, index) => index)).values().ema12, 5.5);
  // On a straight line an average of n lags by (n − 1) / 2, so the MACD is 7 and its signal the same.
  const values = after(Array.from({ length: 500 }, (_, index) => index)).values();
  assert.ok(Math.abs(values.ema26 - (499 - 12.5)) < 1e-9);
  assert.ok(Math.abs(values.macd - 7) < 1e-9);
  assert.ok(Math.abs(values.macdHistogram) < 1e-9);
});

test('MacdAppearsWithItsSignal', () => {
  const closes = Array.from({ length: 34 }, (_, index) => wave(index));
  assert.equal(after(closes.slice(0, 33)).values().macd, null);
  assert.notEqual(after(closes).values().macd, null);
});

test('RsiIsAHundredWhereNothingFellAndNothingBeforeFourteenChanges', () => {
  const rising = Array.from({ length: 15 }, (_, index) => index);
  assert.equal(after(rising.slice(0, 14)).values().rsi, null);
  assert.equal(after(rising).values().rsi, 100);
  assert.equal(after(rising.map(() => 5)).values().rsi, 0);
});

test('APreviewLeavesNothingBehind', () => {
  const calculator = after(bars(60).map(({ close }) => close));
  const before = calculator.values();
  calculator.preview(1e6);
  assert.deepEqual(calculator.values(), before);
  assert.deepEqual(
    calculator.preview(wave(60)),
    after(bars(61).map(({ close }) => close)).values(),
  );
});

test('ServedValuesComeFirstAndAreMarked', () => {
  const series = new IndicatorSeries();
  assert.equal(series.serve([row(40)], '1m'), true);
  const { sma7, sma30 } = series.all(bars(50), true);
  const at = (points, index) => points.find(({ time }) => time === index * minute);
  assert.deepEqual(at(sma7, 40), { time: 40 * minute, value: 1040, isServed: true });
  assert.equal(at(sma7, 41).isServed, false);
  // A served null is no value: it is computed.
  assert.equal(at(sma30, 40).isServed, false);
});

test('RowsOfOtherTimeframesAndEarlierRevisionsAreLeftAside', () => {
  const series = new IndicatorSeries();
  assert.equal(
    series.serve([row(3, { window_interval: '5m' }), row(4, { candle_time: null })], '1m'),
    false,
  );
  series.serve([row(40, { revision: 2, moving_average_7: 1 })], '1m');
  assert.equal(series.serve([row(40, { revision: 1, moving_average_7: 2 })], '1m'), false);
  const { sma7 } = series.all(bars(41), true);
  assert.equal(sma7.at(-1).value, 1);
});

test('RecursiveValuesWaitUntilTheirBeginningIsForgotten', () => {
  const series = new IndicatorSeries();
  const { ema12, sma7 } = series.all(bars(200), false);
  assert.equal(ema12[0].time, 150 * minute);
  assert.equal(sma7[0].time, 6 * minute);
  assert.equal(series.all(bars(200), true).ema12[0].time, 11 * minute);
});

test('TheTailIsWhatAllWouldSay', () => {
  const series = new IndicatorSeries();
  series.all(bars(200), true);
  for (const count of [200, 201, 205]) {
    const tail = series.tail(bars(count));
    const all = new IndicatorSeries().all(bars(count), true);
    for (const [name, point] of Object.entries(tail))
      assert.deepEqual(point, all[name].at(-1), name);
    assert.equal(Object.keys(tail).length, 11);
  }
});
