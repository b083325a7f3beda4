// Target: our own double of PostgREST and Realtime (double.mjs) over a real PostgreSQL 15. Judge: the
// official client, @supabase/supabase-js, and PostgreSQL itself. The writer is the sink.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { createClient } from '@supabase/supabase-js';
import WebSocket from 'ws';

import { publishableKey, secretKey, signToken, startDouble } from './double.mjs';
import { Postgres } from './postgres.mjs';
import { candle, examine, indicators, instant, setupSql, tick, write } from './sink.mjs';

const deadlineMs = 10_000;
const far = Math.floor(Date.now() / 1000) + 86_400;
const everything = { candles: true, latest: true, broadcast: true };
const rollback = readFileSync(new URL('../../sql/supabase/rollback.sql', import.meta.url), 'utf8');

let postgres;
let databases = 0;
before(async () => {
  postgres = await Postgres.start();
});
after(() => postgres?.stop());

// A project of its own: `sql` is run by its owner after the double has furnished it.
async function project(t, sql) {
  const name = `project_${(databases += 1)}`;
  const double = await startDouble({ database: await postgres.makeDatabase(name) });
  const query = async (text, values) => (await double.pool.query(text, values)).rows;
  const reader = createClient(double.url, publishableKey, { realtime: { transport: WebSocket }, auth: { persistSession: false } });
  // The reader first: it would wait for the answers of a server that is gone.
  t.after(async () => {
    await reader.removeAllChannels();
    await reader.realtime.disconnect();
    await double.stop();
  });
  if (sql) await query(sql);
  return { query, reader, url: double.url, sink: { url: double.url, service_role_key: secretKey } };
}

async function writeAll(settings, ...batches) {
  for (const outcome of await write(settings, ...batches)) assert.deepEqual(outcome, { ok: true });
}

function within(promise, what) {
  let timer;
  const deadline = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no ${what} within ${deadlineMs} ms`)), deadlineMs);
  });
  return Promise.race([promise, deadline]).finally(() => clearTimeout(timer));
}

// Resolves once the server says that changes flow.
const subscribed = (channel) => within(new Promise((resolve, reject) => {
  channel.on('system', {}, (message) => (message.status === 'ok' ? resolve() : reject(new Error(message.message))));
  channel.subscribe((status, error) => (status === 'CHANNEL_ERROR' ? reject(error ?? new Error(status)) : undefined));
}), 'subscription');

// Values in order, and a way to wait for a number of them.
class Heard {
  values = [];
  #waiting = [];
  take = (value) => {
    this.values.push(value);
    this.#waiting = this.#waiting.filter(({ count, resolve }) => this.values.length < count || resolve());
  };
  reach(count) {
    if (this.values.length >= count) return Promise.resolve();
    return within(new Promise((resolve) => this.#waiting.push({ count, resolve })), `${count} messages`);
  }
}

test('a reader with the public key sees every digit that was written', async (t) => {
  const { sink, reader, query } = await project(t, setupSql(everything));
  await writeAll({ ...sink, ...everything }, [tick({ minute: 1 }), indicators({ minute: 1 }), candle({ minute: 0 }), candle({ minute: 1, closed: false })]);
  const ticks = await reader.from('market_ticks').select('symbol,exchange,bid_depth,volume_change_pct_24h,exchange_ts').eq('symbol', 'BTC/USDT');
  assert.equal(ticks.error, null);
  assert.deepEqual(ticks.data, [{ symbol: 'BTC/USDT', exchange: 'binance', bid_depth: [['1.10', '2']], volume_change_pct_24h: 3.0000000000000004,
    exchange_ts: instant(1).replace('.000Z', '+00:00') }]);
  assert.deepEqual(await query('select last_price::text, low::text, volume_24h_quote::text, market_cap from market_ticks'),
    [{ last_price: '60000.123456789012345678', low: '0.000000000000000001', volume_24h_quote: '12345678901234567890.123456789012345678', market_cap: null }]);
  const rsi = await reader.from('technical_indicators').select('rsi_14,rolling_volatility_24h,macd,extra,revision');
  assert.deepEqual(rsi.data, [{ rsi_14: 55.5, rolling_volatility_24h: 0.30000000000000004, macd: 1e-9, extra: { ema_9: 1.25 }, revision: 0 }]);
  const candles = await reader.from('fact_ohlcv').select('close,is_closed,trade_count');
  assert.deepEqual(candles.data, [{ close: 60000.1, is_closed: true, trade_count: 17 }]);
  const latest = await reader.from('market_latest').select('symbol,rsi_14,exchange_ts,indicators_ts');
  assert.equal(latest.data.length, 1);
  assert.equal(latest.data[0].exchange_ts, latest.data[0].indicators_ts);
});

test('nobody but the service may write', async (t) => {
  const { sink, reader, url, query } = await project(t, setupSql(everything));
  await writeAll({ ...sink, ...everything }, [tick({ minute: 1 }), indicators({ minute: 1 }), candle({ minute: 1 })]);
  const user = createClient(url, publishableKey, { accessToken: async () => signToken({ role: 'authenticated', exp: far }), realtime: { transport: WebSocket } });
  for (const client of [reader, user]) {
    for (const table of ['market_ticks', 'technical_indicators', 'market_latest', 'fact_ohlcv']) {
      const before = await query(`select * from ${table}`);
      const onConflict = { market_latest: 'exchange,symbol', fact_ohlcv: 'exchange,symbol,timeframe,timestamp' }[table]
        ?? 'exchange,symbol,window_interval,exchange_ts';
      const key = { exchange: 'x', symbol: 'x' };
      assert.equal((await client.from(table).insert(key)).error?.code, '42501', `${table}: insert`);
      assert.equal((await client.from(table).upsert(key, { onConflict })).error?.code, '42501', `${table}: upsert`);
      assert.equal((await client.from(table).update({ symbol: 'y' }).eq('exchange', 'binance')).error?.code, '42501', `${table}: update`);
      assert.equal((await client.from(table).delete().eq('exchange', 'binance')).error?.code, '42501', `${table}: delete`);
      assert.deepEqual(await query(`select * from ${table}`), before);
      assert.equal((await client.from(table).select('symbol')).data?.length, 1);
    }
    assert.equal((await client.rpc('candlewick_setup')).error?.code, '42501');
  }
});

test('a batch that comes again changes nothing, and a lower revision never wins', async (t) => {
  const { sink, query } = await project(t, setupSql(everything));
  const settings = { ...sink, ...everything };
  const minutes = [...Array(700).keys()];
  const batch = [...minutes.map((minute) => tick({ minute, symbol: `S${minute % 3}/USDT` })), ...minutes.map((minute) => indicators({ minute })),
    indicators({ minute: 5, rsi: '70', revision: 2 }), indicators({ minute: 5, rsi: '60', revision: 1 }), candle({ minute: 5, close: '9', revision: 1 })];
  await writeAll(settings, batch, batch);
  const state = () => Promise.all(['market_ticks', 'technical_indicators', 'market_latest', 'fact_ohlcv'].map((table) => query(`select * from ${table} order by exchange, symbol, 5`)));
  const first = await state();
  assert.deepEqual(first.map((rows) => rows.length), [700, 700, 4, 1]);
  assert.deepEqual(await query('select rsi_14, revision from technical_indicators where revision > 0'), [{ rsi_14: 70, revision: '2' }]);
  // Dead letters that are resent: older revisions, older ticks with another price, an older candle.
  await writeAll(settings, [indicators({ minute: 5, rsi: '1' }), tick({ minute: 3, symbol: 'S0/USDT', price: '1' }), candle({ minute: 5, close: '1' })]);
  assert.deepEqual(await state(), first);
});

test('tables that were filled before are adopted', async (t) => {
  const { sink, query } = await project(t, `
    create table public.market_ticks (id uuid primary key default gen_random_uuid(), symbol varchar(20) not null, exchange text not null default 'binance',
      window_interval text not null, exchange_ts timestamptz not null, open numeric not null, high numeric not null, low numeric not null, close numeric not null,
      volume_24h_quote double precision, bid_depth jsonb not null, ask_depth jsonb, ingested_at timestamptz default now(), fetched_by text not null);
    create table public.technical_indicators (id bigserial primary key, symbol text not null, window_interval text not null, exchange_ts timestamptz not null,
      rsi_14 double precision not null, created_at timestamptz default now());
    insert into public.market_ticks (symbol, window_interval, exchange_ts, open, high, low, close, bid_depth, ingested_at, fetched_by)
      select 'BTC/USDT', '1m', '2026-03-01', n, n, n, n, '[]', '2026-03-01'::timestamptz + n * interval '1 second', 'old' from generate_series(1, 3) n;
    insert into public.technical_indicators (symbol, window_interval, exchange_ts, rsi_14, created_at)
      select 'BTC/USDT', '1m', '2026-03-01', n, '2026-03-01'::timestamptz + n * interval '1 second' from generate_series(1, 3) n;`);
  const [refused] = await write(sink, [tick({ minute: 1 })]);
  assert.equal(refused.kind, 'misconfigured');
  assert.match(refused.message, /alter table public\.market_ticks add column if not exists \w+ \w+/);
  for (let run = 0; run < 2; run += 1) await query(setupSql());
  await writeAll(sink, [tick({ minute: 1 }), indicators({ minute: 1 }), tick({ minute: 0 })]);
  assert.deepEqual(await query('select close::text, fetched_by from market_ticks order by exchange_ts'),
    [{ close: '1', fetched_by: 'old' }, { close: '60000.123456789012345678', fetched_by: null }]);
  assert.deepEqual(await query('select rsi_14, exchange, revision from technical_indicators order by exchange_ts'),
    [{ rsi_14: 3, exchange: 'binance', revision: '0' }, { rsi_14: 55.5, exchange: 'binance', revision: '0' }]);
  const findings = await examine(sink);
  assert.deepEqual(findings.filter(({ grade }) => grade !== 'good').map(({ what, advice }) => [what, advice]), [[
    'table public.market_ticks: column volume_24h_quote is double precision, which drops digits',
    'alter table public.market_ticks alter column volume_24h_quote type numeric;']]);
});

test('doctor names each thing that is wrong, and the SQL that it prints mends it', async (t) => {
  const { sink, query } = await project(t, setupSql(everything));
  const settings = { ...sink, ...everything, ladder_days: 1 };
  const ailing = async () => (await examine(settings)).filter(({ grade }) => grade !== 'good');
  assert.deepEqual(await ailing(), []);
  const damages = [
    ['alter table technical_indicators drop column macd, drop column extra', /technical_indicators.*macd/, /add column if not exists macd double precision/],
    ['alter table market_ticks drop constraint market_ticks_pkey', /natural key/, /add unique \(exchange, symbol, window_interval, exchange_ts\)/],
    ['revoke insert on market_ticks from service_role', /market_ticks.*permission denied/, /grant select, insert, update on public\.market_ticks/],
    ['revoke usage on schema public from public, service_role', /schema public/, /grant usage on schema public/],
    ['grant all on market_ticks to anon; alter table market_ticks disable row level security', /anybody.*may change/, /revoke insert, update, delete/],
    ['alter table fact_ohlcv disable row level security', /fact_ohlcv.*Row-Level Security is off/, /enable row level security/],
    ['revoke select on market_latest from anon, authenticated', /neither anon nor authenticated/, /grant select on public\.market_latest/],
    ['alter publication supabase_realtime drop table market_ticks', /Realtime's publication/, /alter publication supabase_realtime add table public\.market_ticks/],
  ];
  for (const [damage, what, advice] of damages) {
    await query(damage);
    // One thing at a time is named where PostgreSQL itself names one at a time.
    for (let round = 0; round < 3; round += 1) {
      const found = await ailing();
      if (round === 0) {
        assert.equal(found.length > 0, true, damage);
        assert.match(found[0].what, what);
        assert.match(found[0].advice, advice);
      }
      for (const finding of found) await query(finding.advice.replaceAll(/\(all of it.*?\)/g, '').replace(/create policy candlewick_read on public\.(\w+)/, 'drop policy if exists candlewick_read on public.$1; $&'));
    }
    assert.deepEqual(await ailing(), [], damage);
  }
  await query('drop trigger candlewick_keep_newer on technical_indicators; drop function candlewick_setup(); drop table market_latest');
  const found = await ailing();
  assert.deepEqual(found.map(({ grade }) => grade), ['warning', 'warning']);
  assert.match(found[0].what, /candlewick_setup: missing/);
  assert.match(found[1].what, /market_latest: missing/);
  // Without the trigger the sink keeps the order by itself.
  await writeAll(settings, [indicators({ minute: 5, rsi: '70', revision: 2 }), tick({ minute: 5 })]);
  await writeAll(settings, [indicators({ minute: 5, rsi: '1', revision: 1 }), indicators({ minute: 6, rsi: '2' })]);
  assert.deepEqual(await query('select rsi_14 from technical_indicators order by exchange_ts'), [{ rsi_14: 70 }, { rsi_14: 2 }]);
  await query('drop table technical_indicators');
  assert.match((await ailing()).map(({ what }) => what).join('\n'), /table public\.technical_indicators: Could not find the table/);
});

test('a subscriber hears of each row once, though batches come twice', async (t) => {
  const { sink, reader, query } = await project(t, setupSql(everything));
  const heard = new Heard();
  const channel = reader.channel('ticks').on('postgres_changes', { event: '*', schema: 'public', table: 'market_ticks' }, heard.take)
    .on('postgres_changes', { event: '*', schema: 'public', table: 'technical_indicators' }, heard.take);
  await subscribed(channel);
  const batch = [tick({ minute: 1 }), tick({ minute: 2 }), indicators({ minute: 1 })];
  await writeAll(sink, batch, batch, [tick({ minute: 3 }), indicators({ minute: 1, rsi: '60', revision: 1 })], batch);
  await writeAll(sink, [tick({ minute: 4 })]);
  await heard.reach(6);
  assert.deepEqual(heard.values.map(({ eventType, table, new: row }) => [eventType, table, row.exchange_ts, row.revision ?? null]), [
    ['INSERT', 'market_ticks', instant(1), null], ['INSERT', 'market_ticks', instant(2), null], ['INSERT', 'technical_indicators', instant(1), 0],
    ['INSERT', 'market_ticks', instant(3), null], ['UPDATE', 'technical_indicators', instant(1), 1], ['INSERT', 'market_ticks', instant(4), null],
  ].map(([event, table, at, revision]) => [event, table, at.replace('.000Z', '+00:00'), revision]));
  assert.deepEqual(heard.values[0].new.bid_depth, [['1.10', '2']]);
  await query('revoke select on market_ticks from anon');
  await writeAll(sink, [tick({ minute: 5 }), indicators({ minute: 5 })]);
  await heard.reach(7);
  assert.equal(heard.values[6].table, 'technical_indicators');
});

test('new ticks are broadcast to listeners of the private topic, old ones are not', async (t) => {
  const { sink, reader } = await project(t, setupSql(everything));
  const heard = new Heard();
  await reader.realtime.setAuth(signToken({ role: 'anon', exp: far }));
  const channel = reader.channel('market_ticks', { config: { private: true } }).on('broadcast', { event: 'tick' }, heard.take);
  await within(new Promise((resolve, reject) => {
    channel.subscribe((status, error) => (status === 'SUBSCRIBED' ? resolve() : reject(error ?? new Error(status))));
  }), 'subscription');
  const at = new Date().toISOString();
  await writeAll({ ...sink, broadcast: true }, [tick({ minute: 1 }), tick({ minute: 2, at })]);
  await heard.reach(1);
  assert.equal(heard.values[0].payload.exchange_ts, at);
  assert.equal(heard.values[0].payload.last_price, '60000.123456789012345678');
  const stranger = reader.channel('another topic', { config: { private: true } });
  await assert.rejects(within(new Promise((resolve, reject) => {
    stranger.subscribe((status, error) => (status === 'SUBSCRIBED' ? resolve() : reject(error ?? new Error(status))));
  }), 'answer'), /Unauthorized/);
});

test('keys of every form are told apart, and each refusal says what to do', async (t) => {
  const { sink, query } = await project(t, setupSql());
  const with_key = async (service_role_key) => (await write({ ...sink, service_role_key }, [tick({ minute: 1 })]))[0];
  assert.deepEqual(await with_key(secretKey), { ok: true });
  assert.deepEqual(await with_key(signToken({ role: 'service_role', exp: far })), { ok: true });
  const now = Math.floor(Date.now() / 1000);
  const refused = [
    [publishableKey, 'misconfigured', /publishable key/],
    [signToken({ role: 'anon', exp: far }), 'misconfigured', /role anon/],
    [signToken({ role: 'service_role', exp: now - 3600 }), 'misconfigured', /has expired.*valid until/],
    [signToken({ role: 'service_role', iat: now + 3600, exp: far }), 'transient', /not valid yet.*clock/],
    [signToken({ role: 'service_role', exp: far }, 'another secret'), 'misconfigured', /does not accept SUPABASE_SERVICE_ROLE_KEY/],
    ['sb_secret_deleted', 'misconfigured', /Invalid API key.*does not accept/],
    ['nonsense', 'misconfigured', /does not accept/],
  ];
  for (const [key, kind, words] of refused) {
    const outcome = await with_key(key);
    assert.equal(outcome.kind, kind, outcome.message);
    assert.match(outcome.message, words);
    assert.equal(outcome.message.includes(key), false);
  }
  assert.deepEqual(await query('select count(*)::int from market_ticks'), [{ count: 1 }]);
});

test('a row that the table refuses is named, the schema too, and ladders are retired', async (t) => {
  const { sink, query } = await project(t, setupSql());
  await query('alter table market_ticks add check (last_price > 0)');
  const [poison] = await write(sink, [tick({ minute: 1 }), tick({ minute: 2, price: '-1' })]);
  assert.equal(poison.kind, 'rejected');
  assert.match(poison.message, /market_ticks.*23514/);
  const [elsewhere] = await write({ ...sink, schema: 'private' }, [tick({ minute: 1 })]);
  assert.equal(elsewhere.kind, 'misconfigured');
  assert.match(elsewhere.message, /exposed schemas/);
  const recent = new Date().toISOString();
  await writeAll({ ...sink, ladder_days: 1 }, [tick({ minute: 1 }), tick({ minute: 2, at: recent })]);
  assert.deepEqual(await query('select bid_depth is null and ask_depth is null as retired from market_ticks order by exchange_ts'), [{ retired: true }, { retired: false }]);
});

test('the venue\'s spelling goes into symbol when asked for', async (t) => {
  const { sink, query } = await project(t, setupSql());
  await writeAll({ ...sink, symbol_style: 'exchange' }, [tick({ minute: 1 }), indicators({ minute: 1 })]);
  for (const table of ['market_ticks', 'technical_indicators', 'market_latest']) {
    assert.deepEqual(await query(`select symbol, exchange_symbol from ${table}`), [{ symbol: 'BTCUSDT', exchange_symbol: 'BTCUSDT' }]);
  }
});

test('the rollback keeps the rows, closes the tables to readers, and may be undone', async (t) => {
  const { sink, reader, query } = await project(t, setupSql(everything));
  await writeAll({ ...sink, ...everything }, [tick({ minute: 1 }), candle({ minute: 1 })]);
  for (let run = 0; run < 2; run += 1) await query(rollback);
  assert.equal((await reader.from('market_ticks').select('symbol')).error?.code, '42501');
  assert.deepEqual(await query(`select count(*)::int from pg_proc where proname like 'candlewick%'`), [{ count: 0 }]);
  await writeAll(sink, [tick({ minute: 1 }), tick({ minute: 2 })]);
  await query(setupSql(everything));
  assert.equal((await reader.from('market_ticks').select('symbol')).data?.length, 2);
});
