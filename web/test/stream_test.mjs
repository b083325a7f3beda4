import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BackOff } from '../src/back_off.ts';
import { Stream } from '../src/stream.ts';
import { FakeSurroundings } from './surroundings.mjs';

const candles = 'binance:BTC/USDT@candle_1m';
const trades = 'binance:BTC/USDT@trade';
const book = 'binance:BTC/USDT@book';

function listener(resumes = true) {
  const seen = { events: [], lost: 0, refused: [] };
  return {
    ...seen,
    resumes,
    onEvent(event) {
      this.events.push(event);
    },
    onLost() {
      this.lost += 1;
    },
    onRefused(message) {
      this.refused.push(message);
    },
  };
}

function connected() {
  const around = new FakeSurroundings();
  const stream = new Stream(around);
  stream.start();
  around.socket.hello();
  return { around, stream };
}

const update = (stream, seq, data = {}) => ({ stream, type: 'update', seq, data });
const snapshot = (stream, seq, data = {}) => ({ stream, type: 'snapshot', seq, data });

test('WishesOfOneTurnAreOneRequestAfterTheHello', () => {
  const around = new FakeSurroundings();
  const stream = new Stream(around);
  stream.start();
  stream.subscribe(candles, listener());
  stream.subscribe(trades, listener());
  around.pass(10);
  assert.deepEqual(around.socket.sent, []);
  around.socket.hello();
  assert.deepEqual(around.socket.sent, [{ method: 'SUBSCRIBE', params: [candles, trades], id: 1 }]);
});

test('EventsReachTheirListenerAndRepeatedOnesDoNot', () => {
  const { around, stream } = connected();
  const one = listener();
  stream.subscribe(trades, one);
  around.pass(1);
  around.socket.agree();
  around.socket.say(snapshot(trades, 17));
  around.socket.say(update(trades, 18));
  around.socket.say(update(trades, 18));
  around.socket.say(update(candles, 3));
  around.socket.say({ type: 'heartbeat', time: '2026-01-15T12:00:15Z' });
  assert.deepEqual(
    one.events.map(({ seq }) => seq),
    [17, 18],
  );
  assert.equal(one.lost, 0);
});

test('AHoleInTheNumbersAndAnAnnouncedDropAreLosses', () => {
  const { around, stream } = connected();
  const one = listener();
  stream.subscribe(trades, one);
  around.pass(1);
  around.socket.say(snapshot(trades, 1));
  around.socket.say(update(trades, 5));
  assert.equal(one.lost, 1);
  around.socket.say({ stream: trades, type: 'dropped', count: 4, from_seq: 6, to_seq: 9 });
  assert.equal(one.lost, 2);
  around.socket.say(update(trades, 10));
  assert.equal(one.lost, 2);
});

test('AStaleStreamSaysSoAndItsNumberIsNoHole', () => {
  const { around, stream } = connected();
  const one = listener();
  const since = [];
  one.onStale = (time) => since.push(time);
  stream.subscribe(book, one);
  around.pass(1);
  around.socket.agree();
  around.socket.say(snapshot(book, 4, null));
  around.socket.say({ stream: book, type: 'stale', seq: 4, since: null, reason: 'out_of_step' });
  around.socket.say(update(book, 5));
  const time = '2026-01-15T12:00:00Z';
  around.socket.say({ stream: book, type: 'stale', seq: 6, since: time, reason: 'feed_lost' });
  around.socket.say(update(book, 7));
  assert.deepEqual(since, [null, time]);
  assert.equal(one.lost, 0);
  assert.deepEqual(
    one.events.map(({ seq }) => seq),
    [4, 5, 7],
  );
});

test('AfterABreakStreamsGoOnBehindTheirLastEvent', () => {
  const { around, stream } = connected();
  const [one, other] = [listener(true), listener(false)];
  stream.subscribe(candles, one);
  stream.subscribe(trades, other);
  around.pass(1);
  around.socket.agree();
  around.socket.say(snapshot(candles, 7));
  around.socket.say(update(candles, 8));
  around.socket.say(update(trades, 90));
  around.socket.onclose();
  assert.equal(stream.state.phase, 'waiting');
  around.pass(stream.state.retryAt - around.time);
  around.socket.hello('a');
  assert.deepEqual(
    around.socket.sent.map(({ params, after }) => [params, after]),
    [
      [[candles], 'a:8'],
      [[trades], undefined],
    ],
  );
  around.socket.agree();
  around.socket.say(update(candles, 9));
  assert.equal(one.lost, 0);
  around.socket.say(snapshot(trades, 120));
  assert.equal(other.lost, 0);
});

test('ASnapshotInsteadOfTheRestIsALossUnlessNothingLiesBetween', () => {
  for (const [seq, lost] of [
    [8, 0],
    [3000, 1],
  ]) {
    const { around, stream } = connected();
    const one = listener();
    stream.subscribe(candles, one);
    around.pass(1);
    around.socket.say(update(candles, 8));
    around.socket.onclose();
    around.pass(10_000);
    around.socket.hello('a');
    around.socket.say(snapshot(candles, seq));
    assert.equal(one.lost, lost, `snapshot ${seq}`);
  }
});

test('AnotherSessionForgetsAllNumbersAndSaysSo', () => {
  const { around, stream } = connected();
  const one = listener();
  let sessions = 0;
  stream.onSession = () => (sessions += 1);
  stream.subscribe(candles, one);
  around.pass(1);
  around.socket.say(update(candles, 800));
  around.socket.onclose();
  around.pass(10_000);
  around.socket.hello('b');
  assert.equal(sessions, 1);
  assert.deepEqual(around.socket.sent, [{ method: 'SUBSCRIBE', params: [candles], id: 2 }]);
  around.socket.say(snapshot(candles, 2));
  around.socket.say(update(candles, 3));
  assert.deepEqual(
    one.events.map(({ seq }) => seq),
    [800, 2, 3],
  );
  assert.equal(one.lost, 0);
});

test('AttemptsComeSlowerUpToALimitAndAStableConnectionForgivesThem', () => {
  const { around, stream } = connected();
  const waits = [];
  for (let i = 0; i < 8; ++i) {
    around.socket.onclose();
    waits.push(stream.state.retryAt - around.time);
    around.pass(waits.at(-1));
    assert.equal(stream.state.phase, 'connecting');
  }
  assert.deepEqual(waits, [225, 450, 900, 1800, 3600, 6000, 6000, 6000]);
  around.socket.hello();
  around.pass(6000);
  around.socket.onclose();
  assert.equal(stream.state.retryAt - around.time, 225);
});

test('BackOffIsJitteredBetweenHalfAndAll', () => {
  const draws = [0, 0.999, 0.5];
  const backOff = new BackOff(1000, 1000, () => draws.shift());
  assert.equal(backOff.next(), 500);
  assert.ok(backOff.next() > 999);
  assert.equal(backOff.next(), 750);
});

test('ASocketWithoutHeartbeatsIsGivenUp', () => {
  const { around, stream } = connected();
  around.pass(20_000);
  around.socket.say({ type: 'heartbeat', time: '' });
  around.pass(23_000);
  assert.equal(stream.state.phase, 'open');
  const dead = around.socket;
  around.pass(2000);
  assert.equal(dead.isClosed, true);
  assert.equal(around.sockets.length, 2);
  // What it still says is not heard.
  dead.hello('z');
  assert.equal(stream.state.phase, 'connecting');
});

test('ASocketWithoutAHelloIsGivenUp', () => {
  const around = new FakeSurroundings();
  const stream = new Stream(around);
  stream.start();
  around.pass(9999);
  assert.equal(stream.state.phase, 'connecting');
  around.pass(10);
  assert.equal(stream.state.phase, 'waiting');
});

test('OneBadNameIsSetApartAndTheOthersAreAskedForAgain', () => {
  for (const param of [undefined, 'x:b/c@trade']) {
    const { around, stream } = connected();
    const bad = 'x:b/c@trade';
    const all = new Map([candles, trades, bad].map((name) => [name, listener()]));
    for (const [name, one] of all) stream.subscribe(name, one);
    around.pass(1);
    const subscribed = new Set();
    for (let round = 0; round < 10; ++round) {
      for (const { id, params } of around.socket.sent.splice(0)) {
        if (params.includes(bad)) {
          around.socket.say({ error: { code: 'unknown_exchange', message: 'no x', param }, id });
        } else {
          for (const name of params) subscribed.add(name);
          around.socket.say({ result: null, id });
        }
      }
    }
    assert.deepEqual([...subscribed].sort(), [candles, trades].sort());
    assert.deepEqual(all.get(bad).refused, ['no x']);
    assert.deepEqual(all.get(candles).refused, []);
  }
});

test('NoMoreThanTenMessagesGoOutInASecond', () => {
  const { around, stream } = connected();
  for (let i = 0; i < 40; ++i) {
    stream.subscribe(`binance:A${i}/USDT@trade`, listener());
    around.pass(1);
  }
  assert.equal(around.socket.sent.length, 10);
  around.pass(900);
  assert.equal(around.socket.sent.length, 10);
  around.pass(4000);
  assert.equal(around.socket.sent.length, 40);
});

test('ManyStreamsAreAskedForInFewMessages', () => {
  const { around, stream } = connected();
  for (let i = 0; i < 500; ++i) stream.subscribe(`binance:A${i}/USDT@ticker`, listener(false));
  around.pass(1);
  assert.deepEqual(
    around.socket.sent.map(({ params }) => params.length),
    [200, 200, 100],
  );
});

test('WhatIsNoLongerWantedIsUnsubscribedAndNotHeard', () => {
  const { around, stream } = connected();
  const one = listener();
  stream.subscribe(trades, one);
  around.pass(1);
  around.socket.agree();
  stream.unsubscribe(trades);
  stream.subscribe(candles, listener());
  around.pass(1);
  around.socket.say(update(trades, 5));
  assert.deepEqual(one.events, []);
  assert.deepEqual(
    around.socket.sent.map(({ method, params }) => [method, params]),
    [
      ['UNSUBSCRIBE', [trades]],
      ['SUBSCRIBE', [candles]],
    ],
  );
});

test('WhatWasNeverSentIsNotUnsubscribed', () => {
  const { around, stream } = connected();
  stream.subscribe(trades, listener());
  stream.unsubscribe(trades);
  around.pass(1);
  assert.deepEqual(around.socket.sent, []);
});

test('GarbageEndsTheConnection', () => {
  const { around, stream } = connected();
  around.socket.onmessage({ data: '{"type":' });
  assert.equal(stream.state.phase, 'waiting');
});

test('SomebodyWhoAsksDoesNotWait', () => {
  const { around, stream } = connected();
  around.socket.onclose();
  stream.retryNow();
  assert.equal(stream.state.phase, 'connecting');
  assert.equal(around.sockets.length, 2);
  around.pass(9000);
  assert.equal(around.sockets.length, 2);
});
