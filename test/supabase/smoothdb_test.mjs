// Target: smoothdb (CANDLEWICK_SMOOTHDB), an independent server of PostgREST's protocol, over a real
// PostgreSQL 15. Judge: the rows in PostgreSQL and the official client's PostgREST part. It knows no
// Realtime and no gateway keys; double_test.mjs is for those.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { PostgrestClient } from '@supabase/postgrest-js';

import { jwtSecret, signToken } from './double.mjs';
import { Postgres } from './postgres.mjs';
import { candle, examine, indicators, setupSql, tick, write } from './sink.mjs';

const startDeadlineMs = 20_000;
const far = Math.floor(Date.now() / 1000) + 86_400;
const settings = { candles: true, latest: true };
const furnishings = `
  create role anon nologin; create role authenticated nologin; create role service_role nologin bypassrls;
  create publication supabase_realtime;`;

let postgres;
let folder;
let server;
let url;
let sink;
const query = async (sql) => (await postgres.query('project', sql)).rows;

const freePort = async () => {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address();
  listener.close();
  return port;
};

before(async () => {
  postgres = await Postgres.start();
  const database = await postgres.makeDatabase('project');
  await query(furnishings);
  await query(setupSql(settings));
  folder = mkdtempSync(path.join(tmpdir(), 'candlewick-smoothdb-'));
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  const config = path.join(folder, 'config.jsonc');
  writeFileSync(config, JSON.stringify({
    Address: `127.0.0.1:${port}`, AllowAnon: true, JWTSecret: jwtSecret, LoginMode: 'none', SessionMode: 'none', EnableAPIRoute: true,
    BaseAPIURL: '/rest/v1', ShortAPIURL: true, VerboseErrors: true, RequestMaxBytes: 1 << 20,
    Database: { URL: database, MinPoolConnections: 1, MaxPoolConnections: 4, AnonRole: 'anon', AllowedDatabases: ['project'],
      SchemaSearchPath: ['public'], TransactionMode: 'none' },
    Logging: { Level: 'warn', FileLogging: false, StdOut: true },
  }));
  server = spawn(process.env.CANDLEWICK_SMOOTHDB, ['-c', config], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [server.stdout, server.stderr]) stream.on('data', (part) => { said += part; });
  const deadline = Date.now() + startDeadlineMs;
  // It says that it listens before it does.
  for (let isUp = false; !isUp;) {
    if (server.exitCode !== null || Date.now() > deadline) throw new Error(`smoothdb does not start: ${said}`);
    isUp = await fetch(`${url}/rest/v1/market_ticks?limit=1`).then((reply) => reply.status > 0, () => new Promise((resolve) => { setImmediate(resolve, false); }));
  }
  sink = { url, service_role_key: signToken({ role: 'service_role', exp: far }), ...settings };
});

after(async () => {
  if (server && server.exitCode === null) {
    const ended = once(server, 'exit');
    server.kill('SIGKILL');
    await ended;
  }
  postgres?.stop();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

async function writeAll(...batches) {
  for (const outcome of await write(sink, ...batches)) assert.deepEqual(outcome, { ok: true });
}

test('what is written through smoothdb is what PostgreSQL holds, and twice is once', async () => {
  const minutes = [...Array(600).keys()];
  const batch = [...minutes.map((minute) => tick({ minute })), ...minutes.map((minute) => indicators({ minute })),
    ...minutes.map((minute) => candle({ minute }))];
  await writeAll(batch, batch);
  const [counts] = await query(`select (select count(*)::int from market_ticks) as ticks, (select count(*)::int from technical_indicators) as indicators,
    (select count(*)::int from fact_ohlcv) as candles, (select count(*)::int from market_latest) as latest`);
  assert.deepEqual(counts, { ticks: 600, indicators: 600, candles: 600, latest: 1 });
  assert.deepEqual(await query(`select distinct last_price::text, low::text, volume_24h_quote::text, volume_change_pct_24h, bid_depth, market_cap from market_ticks`), [{
    last_price: '60000.123456789012345678', low: '0.000000000000000001', volume_24h_quote: '12345678901234567890.123456789012345678',
    volume_change_pct_24h: 3.0000000000000004, bid_depth: [['1.10', '2']], market_cap: null }]);
  assert.deepEqual(await query('select distinct macd, rolling_volatility_24h, extra from technical_indicators'),
    [{ macd: 1e-9, rolling_volatility_24h: 0.30000000000000004, extra: { ema_9: 1.25 } }]);
  assert.deepEqual(await query('select exchange_ts = indicators_ts as together from market_latest'), [{ together: true }]);
});

test('a correction goes in, an older one does not, with the trigger and without', async () => {
  const revised = () => query('select rsi_14, revision::int from technical_indicators where revision > 0');
  await writeAll([indicators({ minute: 7, rsi: '60', revision: 1 }), indicators({ minute: 7, rsi: '70', revision: 2 })]);
  await writeAll([indicators({ minute: 7, rsi: '1', revision: 1 }), tick({ minute: 7, price: '1' })]);
  assert.deepEqual(await revised(), [{ rsi_14: 70, revision: 2 }]);
  await query('drop trigger candlewick_keep_newer on technical_indicators');
  await writeAll([indicators({ minute: 7, rsi: '1', revision: 1 })]);
  assert.deepEqual(await revised(), [{ rsi_14: 70, revision: 2 }]);
  await query(setupSql(settings));
});

test('a reader without a key reads and cannot write', async () => {
  const reader = new PostgrestClient(`${url}/rest/v1`, { headers: { 'User-Agent': 'reader' } });
  const { data, error } = await reader.from('market_ticks').select('symbol').limit(3);
  assert.equal(error, null);
  assert.equal(data.length, 3);
  assert.notEqual((await reader.from('market_ticks').delete().eq('symbol', 'BTC/USDT')).error, null);
  assert.notEqual((await reader.from('market_ticks').insert({ exchange: 'x', symbol: 'x', window_interval: '1m', exchange_ts: '2026-01-01' })).error, null);
  assert.deepEqual(await query('select count(*)::int from market_ticks'), [{ count: 600 }]);
});

test('errors of another server are read the same way', async () => {
  await query('revoke insert on market_ticks from service_role');
  const [outcome] = await write(sink, [tick({ minute: 9000 })]);
  assert.equal(outcome.kind, 'misconfigured', outcome.message);
  assert.match(outcome.message, /grant select, insert, update on public\.market_ticks to service_role/);
  await query('grant insert on market_ticks to service_role; alter table market_ticks add check (last_price > 0)');
  const [poison] = await write(sink, [tick({ minute: 9000, price: '-1' })]);
  assert.equal(poison.kind, 'rejected', poison.message);
  await query('alter table market_ticks drop constraint market_ticks_last_price_check');
  assert.deepEqual((await examine(sink)).filter(({ grade }) => grade !== 'good'), []);
});
