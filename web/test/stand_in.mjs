// stand_in.mjs PORT: the part of the server that serves the dashboard and its streams, in front of the program that
// STAND_IN_FOR names. Everything else is passed on to that program's API, which is also where the streams
// come from, by asking again and again. It follows docs/streaming.md as far as the dashboard can tell: no
// test:TEST/USDT, no queue for slow clients, and events only while somebody listens.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Agent, createServer, get, request } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';

const dist = fileURLToPath(new URL('../dist', import.meta.url));
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const mediaTypes = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};
const heartbeatSeconds = 15;
const latestEveryMs = 40;
const ledgerEveryMs = 1000;
const keptEvents = 1000;
const mostStreams = 1024;
const mostMessagesPerSecond = 20;
const gapMs = { ticker: 100, quote: 50, book: 100 };
const candleGapMs = 250;
const session = randomBytes(3).toString('hex');

const agent = new Agent({ keepAlive: true });

async function freePort() {
  const server = createTcpServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const upstreamPort = await freePort();
const upstream = spawn(process.env.STAND_IN_FOR, ['run', '--demo', ...process.argv.slice(3)], {
  env: { ...process.env, CANDLEWICK_HTTP_LISTEN: `127.0.0.1:${upstreamPort}` },
  stdio: ['ignore', 'ignore', 'inherit'],
});
upstream.on('exit', () => process.exit(1));
process.on('SIGTERM', () => {
  upstream.removeAllListeners('exit');
  upstream.once('exit', () => process.exit(0));
  upstream.kill();
});

function ask(path) {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port: upstreamPort, path, agent }, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('end', () => {
        if (response.statusCode !== 200)
          return reject(new Error(`${path}: ${response.statusCode}`));
        resolve(JSON.parse(Buffer.concat(parts).toString()));
      });
      response.on('error', reject);
    }).on('error', reject);
  });
}

async function sendPage(path, response) {
  const file = join(dist, normalize(path === '/' ? '/index.html' : path));
  try {
    const body = await readFile(file);
    response.writeHead(200, {
      'Content-Type': mediaTypes[extname(file)] ?? 'application/octet-stream',
      'Cache-Control': path === '/' ? 'no-cache' : 'public, max-age=31536000, immutable',
      'Content-Security-Policy': policy,
      'X-Content-Type-Options': 'nosniff',
    });
    response.end(body);
  } catch {
    response.writeHead(404).end();
  }
}

const server = createServer((incoming, response) => {
  const { pathname } = new URL(incoming.url, 'http://localhost');
  if (pathname === '/' || pathname.startsWith('/assets/')) return void sendPage(pathname, response);
  const { method, headers, url: path } = incoming;
  const passed = request(
    { host: '127.0.0.1', port: upstreamPort, path, method, headers, agent },
    (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    },
  );
  passed.on('error', () => response.writeHead(502).end());
  incoming.pipe(passed);
});

// One numbered list of events for all clients.
class Channel {
  seq = 0;
  clients = new Set();
  snapshot = undefined;
  #kept = [];
  #sentAt = 0;
  #due = undefined;
  #told = '';

  constructor(name, minGapMs) {
    this.name = name;
    this.minGapMs = minGapMs;
  }

  // Paced ones send the newest at the end of their gap.
  offer(data, told = JSON.stringify(data)) {
    if (told === this.#told) return;
    this.#told = told;
    const isFirst = this.snapshot === undefined;
    this.snapshot = data;
    if (isFirst) {
      for (const client of this.clients) client.send(this.snapshotText());
      return;
    }
    const rest = this.#sentAt + this.minGapMs - Date.now();
    if (rest <= 0) return this.#send(data);
    clearTimeout(this.#due);
    this.#due = setTimeout(() => this.#send(data), rest);
  }

  #send(data) {
    clearTimeout(this.#due);
    this.#sentAt = Date.now();
    this.seq += 1;
    const text = JSON.stringify({ stream: this.name, type: 'update', seq: this.seq, data });
    this.#kept.push({ seq: this.seq, text });
    if (this.#kept.length > keptEvents) this.#kept.shift();
    for (const client of this.clients) client.send(text);
  }

  snapshotText() {
    return JSON.stringify({
      stream: this.name,
      type: 'snapshot',
      seq: this.seq,
      data: this.snapshot,
    });
  }

  join(client, after) {
    this.clients.add(client);
    const first = this.#kept[0]?.seq ?? this.seq + 1;
    if (after !== undefined && after >= first - 1 && after <= this.seq) {
      for (const { seq, text } of this.#kept) if (seq > after) client.send(text);
    } else if (this.snapshot !== undefined) {
      client.send(this.snapshotText());
    }
  }
}

const channels = new Map();
const form =
  /^([a-z0-9.-]+):([A-Za-z0-9]+)[/_-]?([A-Za-z0-9]*)@(candle_\w+|ticker|quote|trade|book|tick|indicators|coverage)$/;

function channelOf(name) {
  const found = form.exec(name);
  if (!found || !found[3]) return undefined;
  const [, exchange, base, quote, kind] = found;
  const canonical = `${exchange}:${base.toUpperCase()}/${quote.toUpperCase()}@${kind}`;
  let channel = channels.get(canonical);
  if (!channel) {
    channel = new Channel(canonical, kind.startsWith('candle_') ? candleGapMs : (gapMs[kind] ?? 0));
    Object.assign(channel, { exchange, symbol: `${base}/${quote}`.toUpperCase(), kind });
    channels.set(canonical, channel);
  }
  return channel;
}

const heard = (kinds) =>
  [...channels.values()].filter(({ clients, kind }) => clients.size > 0 && kinds(kind));

function tell(channel, latest) {
  const { kind } = channel;
  if (kind === 'ticker') {
    const row = { ...latest };
    for (const name of [
      'quote',
      'trade',
      'book',
      'book_stale_since',
      'candle',
      'closed_candle',
      'tick',
      'indicators',
    ])
      delete row[name];
    channel.offer(row, JSON.stringify([row.received_time, row.stale]));
  } else if (['quote', 'trade', 'tick', 'indicators'].includes(kind)) {
    if (latest[kind]) channel.offer(latest[kind]);
  } else if (kind === 'book') {
    if (latest.book) channel.offer({ ...latest.book, levels_kept: 20 });
  } else if (kind.startsWith('candle_')) {
    const timeframe = kind.slice('candle_'.length);
    const [closed, forming] = [latest.closed_candle[timeframe], latest.candle[timeframe]];
    if (closed || forming) tellCandles(channel, closed, forming);
  }
}

// First both as the snapshot, then each as it changes.
function tellCandles(channel, closed, forming) {
  const both = [closed, forming].filter(Boolean);
  if (channel.snapshot === undefined) {
    channel.offer(both);
    channel.closedText = JSON.stringify(closed);
    return;
  }
  const closedText = JSON.stringify(closed);
  if (closed && closedText !== channel.closedText) {
    channel.closedText = closedText;
    channel.offer(closed);
  }
  if (forming) channel.offer(forming);
  channel.snapshot = both;
}

async function pollLatest() {
  const groups = new Map();
  for (const channel of heard((kind) => kind !== 'coverage')) {
    const key = `${channel.exchange} ${channel.symbol}`;
    groups.set(key, [...(groups.get(key) ?? []), channel]);
  }
  await Promise.allSettled(
    [...groups].map(async ([key, members]) => {
      const [exchange, symbol] = key.split(' ');
      const latest = await ask(`/latest/${symbol.replace('/', '-')}?exchange=${exchange}`);
      for (const channel of members) tell(channel, latest);
    }),
  );
}

async function pollStored() {
  await Promise.allSettled(
    heard((kind) => kind === 'coverage').map(async (channel) => {
      const { exchange, symbol } = channel;
      const { data } = await ask(`/v1/coverage?exchange=${exchange}&symbol=${symbol}&limit=10000`);
      if (channel.snapshot === undefined) return channel.offer(data);
      const known = new Set(channel.snapshot.map((span) => JSON.stringify(span)));
      for (const span of data) if (!known.has(JSON.stringify(span))) channel.offer(span);
      channel.snapshot = data;
    }),
  );
  // Timeframes that are rolled up are not in memory.
  await Promise.allSettled(
    heard((kind) => kind.startsWith('candle_') && kind !== 'candle_1m').map(async (channel) => {
      const { exchange, symbol, kind } = channel;
      const timeframe = kind.slice('candle_'.length);
      const { data } = await ask(
        `/v1/candles?exchange=${exchange}&symbol=${symbol}&timeframe=${timeframe}&limit=2&sort=desc`,
      );
      tellCandles(
        channel,
        data.find((row) => row.is_closed),
        data.find((row) => !row.is_closed),
      );
    }),
  );
}

function again(poll, everyMs) {
  poll()
    .catch(() => {})
    .finally(() => setTimeout(() => again(poll, everyMs), everyMs));
}
again(pollLatest, latestEveryMs);
again(pollStored, ledgerEveryMs);

const sockets = new WebSocketServer({
  noServer: true,
  maxPayload: 65_536,
  handleProtocols: () => 'candlewick.v1',
});
server.on('upgrade', (incoming, socket, head) => {
  const asked = incoming.headers['sec-websocket-protocol'];
  const isKnown =
    asked === undefined || asked.split(',').some((name) => name.trim() === 'candlewick.v1');
  if (incoming.url !== '/v1/stream' || !isKnown) {
    socket.end(
      `HTTP/1.1 ${isKnown ? '404 Not Found' : '400 Bad Request'}\r\nContent-Length: 0\r\n\r\n`,
    );
    return;
  }
  sockets.handleUpgrade(incoming, socket, head, serve);
});

function serve(client) {
  const mine = new Map();
  let messages = [];
  const say = (message) => client.send(JSON.stringify(message));
  const time = () => new Date().toISOString();
  say({ type: 'hello', session, time: time(), heartbeat_seconds: heartbeatSeconds });
  const heartbeat = setInterval(
    () => say({ type: 'heartbeat', time: time() }),
    heartbeatSeconds * 1000,
  );
  client.on('error', () => client.terminate());
  client.on('close', () => {
    clearInterval(heartbeat);
    for (const channel of mine.values()) channel.clients.delete(client);
  });
  client.on('message', (bytes, isBinary) => {
    if (isBinary) return client.close(1003);
    messages = [...messages.filter((at) => Date.now() - at < 1000), Date.now()];
    if (messages.length > mostMessagesPerSecond) return client.close(1008, 'too many messages');
    let id = null;
    const refuse = (code, message, param) => say({ error: { code, message, param }, id });
    let asked;
    try {
      asked = JSON.parse(bytes.toString());
    } catch {
      return refuse('invalid_request', 'this is not JSON');
    }
    id = asked.id ?? null;
    if (asked.method === 'LIST_SUBSCRIPTIONS') return say({ result: [...mine.keys()], id });
    if (!['SUBSCRIBE', 'UNSUBSCRIBE'].includes(asked.method)) {
      return refuse('invalid_parameter', 'there is no such method', 'method');
    }
    const named = (asked.params ?? []).map((name) => [name, channelOf(name)]);
    const unknown = named.find(([, channel]) => !channel);
    if (unknown) return refuse('invalid_parameter', `there is no stream ${unknown[0]}`, unknown[0]);
    if (asked.method === 'UNSUBSCRIBE') {
      for (const [, channel] of named) {
        channel.clients.delete(client);
        mine.delete(channel.name);
      }
      return say({ result: null, id });
    }
    if (mine.size + named.length > mostStreams)
      return refuse('invalid_parameter', 'too many streams');
    say({ result: null, id });
    const [ofSession, seq] = (asked.after ?? '').split(':');
    for (const [, channel] of named) {
      mine.set(channel.name, channel);
      channel.join(client, ofSession === session ? Number(seq) : undefined);
    }
  });
}

server.listen(Number(process.argv[2]), '127.0.0.1', () => console.log('ready'));
