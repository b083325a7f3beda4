import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Coverage, spanOf, worst } from '../src/coverage.ts';

const minute = 60_000;

function span(from, to, state, cause = null) {
  return { from: from * minute, to: to * minute, state, cause, evidence: null };
}

function told(coverage) {
  return coverage.spans.map(({ from, to, state }) => [from / minute, to / minute, state]);
}

test('TheNewestAssertionAboutAMinuteHolds', () => {
  const coverage = new Coverage();
  coverage.replace([span(0, 10, 'live'), span(10, 20, 'missing')]);
  coverage.assert(span(12, 14, 'backfilled'));
  coverage.assert(span(8, 11, 'halted'));
  assert.deepEqual(told(coverage), [
    [0, 8, 'live'],
    [8, 11, 'halted'],
    [11, 12, 'missing'],
    [12, 14, 'backfilled'],
    [14, 20, 'missing'],
  ]);
});

test('NeighboursThatSayTheSameAreOneSpan', () => {
  const coverage = new Coverage();
  coverage.assert(span(0, 1, 'live'));
  coverage.assert(span(1, 2, 'live'));
  coverage.assert(span(2, 3, 'backfilled', 'gap'));
  coverage.assert(span(3, 4, 'backfilled', 'before_start'));
  assert.deepEqual(told(coverage), [
    [0, 2, 'live'],
    [2, 3, 'backfilled'],
    [3, 4, 'backfilled'],
  ]);
});

test('AnAssertionInsideTurnsIntoThreeSpansAndOneOverAllIntoOne', () => {
  const coverage = new Coverage();
  coverage.assert(span(0, 10, 'live'));
  coverage.assert(span(4, 5, 'missing'));
  assert.equal(coverage.spans.length, 3);
  coverage.assert(span(0, 10, 'backfilled'));
  assert.deepEqual(told(coverage), [[0, 10, 'backfilled']]);
});

test('EmptySpansSayNothing', () => {
  const coverage = new Coverage();
  coverage.assert(span(5, 5, 'live'));
  coverage.assert(span(6, 5, 'live'));
  assert.deepEqual(told(coverage), []);
});

test('TotalsCountMinutesInTheRangeAndWhatNobodySpokeOf', () => {
  const coverage = new Coverage();
  coverage.replace([span(0, 10, 'live'), span(12, 20, 'missing')]);
  const totals = coverage.totals(5 * minute, 15 * minute);
  assert.equal(totals.live, 5);
  assert.equal(totals.missing, 3);
  assert.equal(totals.unknown, 2);
});

test('TheWorseStateIsTheOneToBeSeen', () => {
  assert.equal(worst('live', 'missing'), 'missing');
  assert.equal(worst('halted', 'backfilled'), 'halted');
});

test('SpansAreReadFromTheApi', () => {
  const read = spanOf({
    from: '1970-01-01T00:01:00Z',
    to: '1970-01-01T00:02:00Z',
    state: 'live',
    cause: null,
    evidence: null,
  });
  assert.deepEqual(read, span(1, 2, 'live'));
});
