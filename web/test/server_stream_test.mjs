// The live streams of the service as a client library of others sees them: framing, limits, numbers.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';
import { Server, until } from './server.mjs';

let server;

before(async () => {
  server = await Server.start();
});

after(async () => {
  await server?.stop();
});

async function connect(protocols = ['candlewick.v1']) {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/v1/stream`, protocols);
  const heard = [];
  socket.on('message', (bytes) => heard.push(JSON.parse(bytes.toString())));
  await once(socket, 'open');
  await until(() => heard.length > 0, 'hello');
  let id = 0;
  return {
    socket,
    heard,
    hello: heard.shift(),
    ask(method, params, more = {}) {
      id += 1;
      const mine = id;
      socket.send(JSON.stringify({ method, ...(params && { params }), ...more, id: mine }));
      return until(() => heard.find((one) => one.id === mine), `reply to ${method}`);
    },
    of: (stream) => heard.filter((one) => one.stream === stream),
  };
}

test('TheTestInstrumentTicksOnceASecondOnEveryChannel', async () => {
  const { socket, hello, ask, of } = await connect();
  assert.equal(socket.protocol, 'candlewick.v1');
  assert.equal(hello.type, 'hello');
  assert.equal(hello.heartbeat_seconds, 15);
  const channels = ['candle_1m', 'ticker', 'quote', 'trade', 'book', 'tick', 'indicators'];
  const streams = channels.map((channel) => `test:TEST/USDT@${channel}`);
  assert.deepEqual((await ask('SUBSCRIBE', streams)).result, null);
  assert.deepEqual((await ask('LIST_SUBSCRIPTIONS')).result.toSorted(), streams.toSorted());
  for (const stream of streams) {
    await until(() => of(stream).length > 3, `events of ${stream}`);
    const [snapshot, ...updates] = of(stream);
    assert.equal(snapshot.type, 'snapshot');
    assert.equal(Array.isArray(snapshot.data), stream.includes('candle'));
    updates.forEach(({ type, seq, data }, index) => {
      assert.deepEqual([type, seq], ['update', snapshot.seq + 1 + index], stream);
      assert.equal(typeof data, 'object');
    });
  }
  socket.close();
});

test('ABreakIsBridgedByTheCursor', async () => {
  const stream = 'binance:BTC/USDT@trade';
  const first = await connect();
  await first.ask('SUBSCRIBE', [stream]);
  await until(() => first.of(stream).some(({ type }) => type === 'update'), 'trade');
  first.socket.terminate();
  const { seq } = first.of(stream).at(-1);
  const second = await connect();
  assert.equal(second.hello.session, first.hello.session);
  await second.ask('SUBSCRIBE', [stream], { after: `${first.hello.session}:${seq}` });
  await until(() => second.of(stream).length > 2, 'more trades');
  second.of(stream).forEach((event, index) => {
    assert.deepEqual([event.type, event.seq], ['update', seq + 1 + index]);
  });
  second.socket.close();
});

test('RequestsAreRefusedByCodeAndTheConnectionStays', async () => {
  const { socket, ask } = await connect();
  for (const [method, params, code, more] of [
    ['PING', undefined, 'unknown_method'],
    ['SUBSCRIBE', ['nonsense'], 'unknown_stream'],
    ['SUBSCRIBE', ['mtgox:BTC/USDT@trade'], 'unknown_exchange'],
    ['SUBSCRIBE', ['binance:NO/PE@trade'], 'unknown_symbol'],
    ['SUBSCRIBE', ['binance:BTC/USDT@depth'], 'unknown_channel'],
    ['SUBSCRIBE', ['binance:BTC/USDT@candle_17m'], 'unknown_timeframe'],
    ['UNSUBSCRIBE', ['binance:BTC/USDT@trade'], 'not_subscribed'],
    [
      'SUBSCRIBE',
      ['binance:BTC/USDT@trade', 'binance:BTC/USDT@quote'],
      'after_needs_one_stream',
      { after: 'x:1' },
    ],
  ]) {
    const { error } = await ask(method, params, more);
    assert.equal(error?.code, code, `${method} ${params}`);
  }
  assert.deepEqual((await ask('LIST_SUBSCRIPTIONS')).result, []);
  socket.close();
});

test('WhoBreaksALimitIsClosedWithItsCode', async () => {
  const cases = [
    [1003, ({ socket }) => socket.send(Buffer.from([1, 2]))],
    [1009, ({ socket }) => socket.send(' '.repeat(70_000))],
    [
      1008,
      ({ socket }) => {
        for (let i = 0; i < 30; ++i) socket.send('{}');
      },
    ],
  ];
  for (const [code, breaks] of cases) {
    const client = await connect();
    breaks(client);
    const [closed] = await once(client.socket, 'close');
    assert.equal(closed, code);
  }
  const refused = new WebSocket(`${server.url.replace('http', 'ws')}/v1/stream`, ['graphql']);
  const [error] = await once(refused, 'error');
  assert.match(error.message, /400/);
});

test('CandlesComeAsServerSentEventsWithoutASeam', async () => {
  const newest = await fetch(`${server.url}/v1/candles?symbol=BTC-USDT&limit=30&sort=desc`);
  const { data } = await newest.json();
  const start = data.at(-1).timestamp;
  const stop = new AbortController();
  const response = await fetch(
    `${server.url}/v1/candles/stream?exchange=binance&symbol=BTC-USDT&start=${start}`,
    { signal: stop.signal },
  );
  assert.equal(response.headers.get('content-type'), 'text/event-stream');
  let text = '';
  const times = [];
  let forming = 0;
  for await (const part of response.body) {
    text += Buffer.from(part).toString();
    const events = text.split('\n\n');
    text = events.pop();
    for (const event of events) {
      const candle = /^data: (.*)$/m.exec(event)?.[1];
      if (!candle) continue;
      const { timestamp, is_closed: isClosed, revision } = JSON.parse(candle);
      const id = /^id: (.*)$/m.exec(event)?.[1];
      assert.equal(id, isClosed ? `${Date.parse(timestamp)}.${revision}` : undefined);
      if (isClosed) times.push(Date.parse(timestamp));
      else forming += 1;
    }
    if (times.length >= 29 && forming > 0) break;
  }
  stop.abort();
  assert.equal(times[0], Date.parse(start));
  times.forEach((time, index) => assert.equal(time, times[0] + index * 60_000));
});
