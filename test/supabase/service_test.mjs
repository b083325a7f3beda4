// Target: our own double (double.mjs) over a real PostgreSQL 15. The writer is the whole service, fed by
// a simulated venue and killed between two requests of a batch. Judges: a subscriber of the official
// client, and the service's own warehouse.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';

import { createClient } from '@supabase/supabase-js';
import WebSocket from 'ws';

import { Simulator, within } from '../interop/simulator.mjs';
import { publishableKey, secretKey, startDouble } from './double.mjs';
import { Postgres } from './postgres.mjs';
import { setupSql } from './sink.mjs';

const patienceMs = 60_000;

// Variables of the tests are no settings of the service, which refuses those that it does not know.
const plain = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('CANDLEWICK')));

class Service {
  constructor(environment) {
    this.child = spawn(process.env.CANDLEWICK, ['run'], { env: { ...plain, ...environment }, stdio: ['ignore', 'ignore', 'pipe'] });
    this.said = '';
    this.child.stderr.on('data', (part) => { this.said = (this.said + part).slice(-20_000); });
    this.ended = once(this.child, 'exit');
  }
  async end(signal) {
    if (signal && this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
    const [status, killedBy] = await within(this.ended, `end of the service: ${this.said.slice(-2000)}`, patienceMs);
    return killedBy ?? status;
  }
}

// The last that was started ends first.
function undoing(t) {
  const steps = [];
  t.after(async () => {
    for (const step of steps.reverse()) await step();
  });
  return (step) => steps.push(step);
}

test('killed in the middle of a batch, the service tells a subscriber of each tick once', async (t) => {
  const undo = undoing(t);
  const folder = mkdtempSync(path.join(tmpdir(), 'candlewick-supabase-service-'));
  undo(() => rmSync(folder, { recursive: true, force: true }));
  const postgres = await Postgres.start();
  undo(() => postgres.stop());
  const double = await startDouble({ database: await postgres.makeDatabase('project') });
  undo(() => double.stop());
  await double.pool.query(setupSql({ candles: true }));
  const venue = await Simulator.start({ exchange: 'binance', speed: 60 });
  undo(() => venue.stop());

  const reader = createClient(double.url, publishableKey, { realtime: { transport: WebSocket }, auth: { persistSession: false } });
  undo(() => reader.removeAllChannels().then(() => reader.realtime.disconnect()));
  const heard = [];
  let wake = () => {};
  const reach = async (count) => {
    while (heard.length < count) await new Promise((resolve) => { wake = resolve; });
  };
  await within(new Promise((resolve, reject) => {
    reader.channel('ticks')
      .on('postgres_changes', { event: '*', schema: 'public', table: 'market_ticks' }, (change) => {
        heard.push(`${change.eventType} ${change.new.exchange} ${change.new.symbol} ${Date.parse(change.new.exchange_ts) * 1000}`);
        wake();
      })
      .on('system', {}, (message) => (message.status === 'ok' ? resolve() : reject(new Error(message.message))))
      .subscribe((status, error) => (status === 'CHANNEL_ERROR' ? reject(error ?? new Error(status)) : undefined));
  }), 'subscription');

  const environment = {
    BINANCE_BASE_URL: venue.http, BINANCE_WS_URL: venue.ws, CANDLEWICK_DATA_DIR: folder, CANDLEWICK_HTTP_LISTEN: '127.0.0.1:0',
    SUPABASE_URL: double.url, SUPABASE_SERVICE_ROLE_KEY: secretKey, CANDLEWICK_SUPABASE_CANDLES: 'true', DATABASE_URL: '',
  };
  const first = new Service({ ...environment, CANDLEWICK_FAULT_POINT: 'supabase.ticks_written:2' });
  undo(() => first.end('SIGKILL'));
  assert.equal(await first.end(), 'SIGKILL', `the fault point was not reached: ${first.said.slice(-2000)}`);
  const second = new Service(environment);
  undo(() => second.end('SIGKILL'));
  await within(reach(heard.length + 12), `ticks: ${second.said.slice(-2000)}`, patienceMs);
  assert.equal(await second.end('SIGTERM'), 0, second.said.slice(-2000));

  const warehouse = new DatabaseSync(path.join(folder, 'warehouse.db'), { readOnly: true });
  undo(() => warehouse.close());
  const local = (sql) => warehouse.prepare(sql).all().map(({ line }) => line);
  const remote = async (sql) => (await double.pool.query(sql)).rows.map(({ line }) => line);
  const micros = (column) => `(extract(epoch from ${column}) * 1000000)::bigint`;
  const comparisons = {
    market_ticks: ["exchange || ' ' || symbol || ' ' || {} || ' ' || last_price || ' ' || coalesce(volume_24h_quote, '-')", 'exchange_ts'],
    technical_indicators: ["exchange || ' ' || symbol || ' ' || {} || ' ' || revision", 'exchange_ts'],
  };
  for (const [table, [line, time]] of Object.entries(comparisons)) {
    const ours = local(`select ${line.replace('{}', time)} as line from ${table} order by 1`);
    const theirs = await remote(`select ${line.replace('{}', micros(time)).replace(/(last_price|volume_24h_quote|revision)/g, '$1::text')} as line from ${table} order by 1`);
    assert.ok(ours.length >= 12);
    assert.deepEqual(theirs.sort(), ours.sort(), table);
  }
  // A notification may still be on its way.
  const stored = await remote(`select 'INSERT ' || exchange || ' ' || symbol || ' ' || ${micros('exchange_ts')} as line from market_ticks`);
  await within(reach(stored.length), 'the last ticks');
  assert.deepEqual(heard.toSorted(), stored.toSorted());
  const [{ count }] = (await double.pool.query('select count(*)::int from fact_ohlcv')).rows;
  assert.equal(count, warehouse.prepare('select count(*) as count from fact_ohlcv where is_closed').get().count);
});
