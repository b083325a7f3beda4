// The service follows three venues through CCXT, in processes of their own, and its warehouse holds what they
// serve. Then one sidecar is killed, and one is stopped, as a hang would.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';

import { asks, bids, candleOf, minute, serve, venues } from './venues.mjs';

const patience = 60_000;
const program = process.env.CANDLEWICK;
// Variables of the tests are no settings of the service, which refuses those that it does not know.
const plain = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('CANDLEWICK')));
const sidecar = new URL('../../sidecar', import.meta.url).pathname;

async function until(what, holds) {
  const end = Date.now() + patience;
  for (;;) {
    const value = await holds();
    if (value) return value;
    if (Date.now() > end) assert.fail(`${what}: not within ${patience / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

class Service {
  constructor(environment) {
    this.environment = { ...plain, ...environment };
    this.said = '';
  }
  start() {
    this.child = spawn(program, ['run'], { env: this.environment, stdio: ['ignore', 'ignore', 'pipe'] });
    this.child.stderr.on('data', (part) => { this.said = (this.said + part).slice(-100_000); });
    this.ended = once(this.child, 'exit');
  }
  async stop() {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGTERM');
    await this.ended;
    return this.child.exitCode;
  }
  tell(...command) {
    return execFileSync(program, command, { env: this.environment, maxBuffer: 64 << 20 }).toString();
  }
  // Texts, so that no digit is lost.
  candles(exchange) {
    const [header, ...rows] = this.tell('candles', '--exchange', exchange, '--symbol', 'BTC/USDT', '--timeframe', '1m', '--format', 'csv')
      .trim()
      .split('\n')
      .map((line) => line.split(','));
    return rows.map((row) => Object.fromEntries(header.map((name, column) => [name, row[column]])));
  }
  coverage(exchange) {
    const text = this.tell('coverage', '--exchange', exchange, '--symbol', 'BTC/USDT', '--format', 'jsonl');
    return text.split('\n').filter(Boolean).map((line) => JSON.parse(line));
  }
  async ask(target) {
    const reply = await fetch(`http://${this.environment.CANDLEWICK_HTTP_LISTEN}${target}`).catch(() => undefined);
    return reply?.ok ? reply.json() : undefined;
  }
  async feed(name) {
    return (await this.ask('/health'))?.feeds.find((feed) => feed.venue === name);
  }
}

// The process that speaks for an exchange, of that service.
function sidecarOf(service, name) {
  for (const id of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const command = readFileSync(`/proc/${id}/cmdline`, 'utf8').split('\0');
      const parent = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${id}/status`, 'utf8'))[1];
      if (Number(parent) === service.child.pid && command[1]?.endsWith('main.mjs') && command[2] === name) return Number(id);
    } catch {
      // It has ended meanwhile.
    }
  }
  return undefined;
}

// As the warehouse writes them: without the zeros that a number does not need.
const plainNumber = (text) => (text.includes('.') ? text.replace(/0+$/, '').replace(/\.$/, '') : text);
const plainDigits = (candle) => Object.fromEntries(Object.entries(candle).map(([name, text]) => [name, plainNumber(text)]));
const plainLevel = (level) => level.map(plainNumber);

test('three venues of CCXT fill the warehouse, and lost sidecars are made up for', { timeout: 110_000 }, async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'candlewick-bridge-'));
  const servers = Object.fromEntries(await Promise.all(Object.entries(venues).map(async ([name, venue]) => [name, await serve(venue)])));
  const names = Object.keys(venues);
  const environment = {
    CANDLEWICK_EXCHANGES: names.map((name) => `ccxt:${name}`).join(','),
    CANDLEWICK_DATA_DIR: folder,
    CANDLEWICK_HTTP_LISTEN: `127.0.0.1:${await freePort()}`,
    CANDLEWICK_CCXT_SIDECAR: sidecar,
    CANDLEWICK_CCXT_NODE: process.execPath,
    SYMBOLS: 'BTC/USDT',
  };
  for (const name of names) {
    environment[`CANDLEWICK_CCXT_${name.toUpperCase()}_BASE_URL`] = servers[name].url;
    environment[`CANDLEWICK_CCXT_${name.toUpperCase()}_WS_URL`] = servers[name].ws;
  }
  const service = new Service(environment);
  t.after(async () => {
    await service.stop();
    for (const server of Object.values(servers)) server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  service.start();
  const exchanges = names.map((name) => `ccxt:${name}`);

  const isLive = async (exchange) => (await service.feed(exchange))?.connected === true;
  // Every minute of the two days before the start.
  const hasHistory = (exchange) => service.candles(exchange).length >= 49 * 60;

  const checkCandles = (exchange) => {
    const rows = service.candles(exchange);
    for (const [i, row] of rows.entries()) {
      const open = Date.parse(row.timestamp);
      const { open: first, high, low, close, volume } = row;
      assert.deepEqual({ open: first, high, low, close, volume }, plainDigits(candleOf(open)), `${exchange} ${row.timestamp}`);
      if (i > 0) assert.equal(open, Date.parse(rows[i - 1].timestamp) + minute, `${exchange}: no minute between is missing`);
      assert.equal(row.is_closed, 'true');
    }
    return rows;
  };
  // One hangs once it is live for a while; another is killed in the middle of its history. The third goes on.
  for (const exchange of exchanges) await until(`${exchange} is live`, () => isLive(exchange));
  await until('poloniex has its history', () => hasHistory('ccxt:poloniex'));
  const untouched = sidecarOf(service, 'novadax');
  const before = { poloniex: sidecarOf(service, 'poloniex'), digifinex: sidecarOf(service, 'digifinex') };
  const brokenAt = servers.poloniex.now();
  process.kill(before.digifinex, 'SIGKILL');
  process.kill(before.poloniex, 'SIGSTOP');
  for (const exchange of exchanges) await until(`${exchange} has its history`, () => hasHistory(exchange));
  for (const name of ['digifinex', 'poloniex']) {
    await until(`${name} has another sidecar`, () => ![undefined, before[name]].includes(sidecarOf(service, name)));
    await until(`ccxt:${name} is live again`, async () => {
      const feed = await service.feed(`ccxt:${name}`);
      return feed?.connected && feed.reconnects > 0;
    });
  }
  assert.throws(() => process.kill(before.poloniex, 0), 'the one that hung is gone');
  assert.equal(sidecarOf(service, 'novadax'), untouched);
  const healedAt = servers.poloniex.now();

  const examined = service.tell('doctor', '--format', 'jsonl').split('\n').filter(Boolean).map((line) => JSON.parse(line));
  for (const exchange of exchanges) {
    assert.equal(examined.find((finding) => finding.check === exchange)?.verdict, 'ok', JSON.stringify(examined));
  }

  // Minutes after the break, and those in between, are there and right; the ledger says what happened.
  for (const exchange of exchanges) {
    await until(`${exchange} goes on`, () => Date.parse(service.candles(exchange).at(-1).timestamp) > healedAt);
    checkCandles(exchange);
  }
  // The ladder is the venue's, without the level that Poloniex adds and removes.
  for (const exchange of exchanges) {
    const book = await until(`${exchange} has a ladder`, () => service.ask(`/v1/orderbook?exchange=${exchange}&symbol=BTC/USDT`));
    const known = (side) => side.filter(([price]) => price !== '60499.85').map((level) => level.slice(0, 2));
    assert.deepEqual(known(book.bids), bids.map(plainLevel), exchange);
    assert.deepEqual(known(book.asks), asks.map(plainLevel), exchange);
    const listed = await service.ask(`/v1/symbols?exchange=${exchange}`);
    assert.ok(JSON.stringify(listed).includes('BTC/USDT'), exchange);
    const ticker = await service.ask(`/v1/tickers?exchange=${exchange}`);
    assert.ok(JSON.stringify(ticker).includes('60500.25'), `${exchange}: ${JSON.stringify(ticker).slice(0, 500)}`);
  }

  const overlaps = (span) => Date.parse(span.from) < healedAt && Date.parse(span.to) > brokenAt;
  const ledger = service.coverage('ccxt:poloniex').filter(overlaps);
  const said = (stream, state, cause) => ledger.some((span) => span.stream === stream && span.state === state && span.cause === cause);
  assert.ok(said('candles', 'backfilled', 'silence'), JSON.stringify(ledger));
  assert.ok(said('trades', 'unrecoverable', 'silence'), JSON.stringify(ledger));
  assert.equal(service.coverage('ccxt:digifinex').some((span) => span.stream === 'candles' && span.state === 'missing'), false);

  assert.equal(await service.stop(), 0);
  for (const name of names) assert.equal(sidecarOf(service, name), undefined);
  for (const name of names) assert.deepEqual(servers[name].unknown, [], `${name}: what CCXT asked for is spoken`);
});

test('what is missing or wrong is said in one line', () => {
  const run = (environment, command = 'run') => {
    try {
      execFileSync(program, [command], { env: { ...plain, CANDLEWICK_DATA_DIR: path.join(tmpdir(), 'candlewick-bridge-none'), ...environment }, stdio: 'pipe' });
    } catch (error) {
      return { status: error.status, words: error.stderr.toString().trim().split('\n').at(-1) };
    }
    return assert.fail('it runs');
  };
  const cases = [
    [{ CANDLEWICK_EXCHANGES: 'ccxt:binance' }, /ccxt:binance is built in: write "binance"/],
    [{ CANDLEWICK_EXCHANGES: 'ccxt:mexx', CANDLEWICK_CCXT_SIDECAR: sidecar }, /ccxt:mexx: CCXT .* has no exchange "mexx" \(near: mexc\)/],
    [{ CANDLEWICK_EXCHANGES: 'ccxt:mexc', CANDLEWICK_CCXT_SIDECAR: sidecar, CANDLEWICK_CCXT_NODE: 'no-node' }, /cannot run "no-node".*ccxt\.node/],
    [{ CANDLEWICK_EXCHANGES: 'ccxt:mexc', CANDLEWICK_CCXT_SIDECAR: tmpdir() }, /ccxt\.sidecar: there is no main\.mjs/],
  ];
  // Without Node, the configuration can still be checked.
  cases.push(...[0, 3].map((i) => [...cases[i], 'check-config']));
  for (const [environment, words, command] of cases) {
    const told = run(environment, command);
    assert.equal(told.status, 2, told.words);
    assert.match(told.words, words);
  }
});
