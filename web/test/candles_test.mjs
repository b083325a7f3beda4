import assert from 'node:assert/strict';
import { test } from 'node:test';
import { axisOf, barOf, CandleSeries } from '../src/candles.ts';
import { openTime } from '../src/timeframe.ts';

const minute = 60_000;
const start = Date.parse('2026-01-15T12:00:00Z');

function bar(index, part = {}) {
  return {
    time: start + index * minute,
    open: 10,
    high: 12,
    low: 9,
    close: 11,
    volume: 5,
    isClosed: true,
    isComplete: true,
    isRolledUp: false,
    revision: 0,
    ...part,
  };
}

function series(...bars) {
  const made = new CandleSeries('1m');
  made.merge(bars);
  return made;
}

test('PagesAndUpdatesInAnyOrderMakeOneSeries', () => {
  const made = series(bar(5), bar(6));
  assert.equal(made.merge([bar(1), bar(0)]), 'history');
  assert.equal(made.merge([bar(7)]), 'tail');
  assert.equal(made.merge([bar(3)]), 'history');
  assert.deepEqual(
    made.bars.map(({ time }) => (time - start) / minute),
    [0, 1, 3, 5, 6, 7],
  );
});

test('TheSameBarAgainChangesNothing', () => {
  const made = series(bar(0), bar(1));
  assert.equal(made.merge([bar(0), bar(1)]), 'none');
});

test('AClosedCandleIsNotReplacedByAFormingOne', () => {
  const made = series(bar(0));
  assert.equal(made.merge([bar(0, { isClosed: false, close: 99, volume: 999 })]), 'none');
  assert.equal(made.last.close, 11);
});

test('AFormingCandleGivesWayToTheClosedOneWhateverItsVolume', () => {
  const made = series(bar(0, { isClosed: false, volume: 50 }));
  assert.equal(made.merge([bar(0, { volume: 4 })]), 'tail');
  assert.equal(made.last.isClosed, true);
});

test('AnOlderAnswerDoesNotUndoANewerFormingCandle', () => {
  const made = series(bar(0, { isClosed: false, volume: 7, close: 12 }));
  assert.equal(made.merge([bar(0, { isClosed: false, volume: 6, close: 10 })]), 'none');
  assert.equal(made.merge([bar(0, { isClosed: false, volume: 8, close: 9 })]), 'tail');
});

test('AHigherRevisionWinsAndALowerOneLoses', () => {
  const made = series(bar(0), bar(1));
  assert.equal(made.merge([bar(0, { revision: 2, close: 10.5 })]), 'history');
  assert.equal(made.merge([bar(0, { revision: 1, close: 10.7 })]), 'none');
  assert.equal(made.bars[0].close, 10.5);
});

test('AClosingCandleWithItsSuccessorIsMoreThanATail', () => {
  const made = series(bar(0, { isClosed: false }));
  assert.equal(made.merge([bar(0, { close: 10 }), bar(1, { isClosed: false })]), 'history');
});

test('ATradeMovesTheFormingCandleOnly', () => {
  const made = series(bar(0), bar(1, { isClosed: false }));
  assert.equal(made.trade(13, start + minute + 5000), 'tail');
  assert.deepEqual([made.last.close, made.last.high, made.last.low], [13, 13, 9]);
  assert.equal(made.trade(50, start + 5000), 'none');
  assert.equal(made.bars[0].high, 12);
  assert.equal(series(bar(0)).trade(50, start + 5000), 'none');
});

test('ATradeOfTheNextMinuteOpensItAndTheServersCandleReplacesIt', () => {
  const made = series(bar(0));
  assert.equal(made.trade(13, start + minute + 1), 'tail');
  assert.deepEqual([made.last.open, made.last.volume, made.last.isClosed], [13, 0, false]);
  assert.equal(made.merge([bar(1, { isClosed: false, open: 12.5, volume: 1 })]), 'tail');
  assert.equal(made.last.open, 12.5);
  assert.equal(made.trade(13, start + 9 * minute), 'none');
});

test('ARolledUpFormingCandleKeepsWhatTradesHaveShown', () => {
  const made = series(bar(0, { isClosed: false, isRolledUp: true }));
  made.trade(15, start + 1);
  made.merge([bar(0, { isClosed: false, isRolledUp: true, volume: 6, close: 11.5 })]);
  assert.deepEqual([made.last.close, made.last.high, made.last.volume], [15, 15, 6]);
});

test('TheLastClosedTimeIsWhereARefillBegins', () => {
  assert.equal(series(bar(0), bar(1), bar(2, { isClosed: false })).lastClosedTime, start + minute);
  assert.equal(series(bar(0, { isClosed: false })).lastClosedTime, undefined);
});

test('TheAxisHasAPlaceForEveryMissingMinuteButNotForYears', () => {
  const times = axisOf([bar(0), bar(3)], minute).map((time) => (time - start) / minute);
  assert.deepEqual(times, [0, 1, 2, 3]);
  assert.equal(axisOf([bar(0), bar(9000)], minute).length, 2);
});

test('BarsAreReadFromTheApisCandles', () => {
  const read = barOf({
    timestamp: '2026-01-15T12:00:00Z',
    open: 1,
    high: 2,
    low: 0.5,
    close: 1.5,
    volume: 3,
    is_closed: false,
    is_complete: false,
    source: 'rollup',
    revision: 4,
  });
  assert.deepEqual(read, {
    time: start,
    open: 1,
    high: 2,
    low: 0.5,
    close: 1.5,
    volume: 3,
    isClosed: false,
    isComplete: false,
    isRolledUp: true,
    revision: 4,
  });
});

test('WeeksOpenOnMonday', () => {
  assert.equal(
    openTime(Date.parse('2026-01-15T12:00:00Z'), '1w'),
    Date.parse('2026-01-12T00:00:00Z'),
  );
  assert.equal(openTime(start + 59_999, '1m'), start);
});
