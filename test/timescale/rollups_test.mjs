// Continuous aggregates, retention and compression on TimescaleDB's community edition. "At once" means:
// within one refresh, as the server's job does it every minute.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { makeWarehouse } from "./warehouse.mjs";

const levels = { "5m": 5, "15m": 15, "1h": 60, "4h": 240, "1d": 1440, "1w": 10080 };
const columns =
  "open, high, low, close, volume, quote_volume, trade_count, taker_buy_volume, taker_buy_quote_volume, bars";
const at = "2024-11-06 10:07:00+00"; // a Wednesday, long after every refresh policy's window
let database;

async function rows(sql, parameters = []) {
  return (await database.query(sql, parameters)).rows;
}

// As the writer does it: rows, and the days of closed minutes, in one transaction.
async function write(insert, from, to) {
  await database.transaction(async (transaction) => {
    await transaction.exec(insert);
    await transaction.query(
      "INSERT INTO rollup_touched (day) SELECT d::date FROM generate_series($1::timestamptz, $2, '1 day') d",
      [from, to],
    );
  });
}

// Digits that floats have not, holes, and a value that some minutes lack.
function minutes(from, to) {
  return `INSERT INTO fact_ohlcv
    SELECT 1, c, '1m', t, 100 + n % 7 + 0.123456789012345678, 110 + n % 13, 90 - n % 11, 100 + n % 5,
           n % 17 + 0.000000000000000001, CASE WHEN n % 501 = 0 THEN NULL ELSE n % 19 END, n % 23, n % 3, n % 2,
           true, 'ws', 0, t
    FROM (VALUES (1), (2)) s (c), (SELECT t, (extract(epoch FROM t) / 60)::bigint AS n
         FROM generate_series('${from}'::timestamptz, '${to}'::timestamptz - interval '1 minute', '1 minute') t) m
    WHERE extract(hour FROM t) IN (0, 5, 10, 23) AND n % 10 <> 3`;
}

async function refresh() {
  await database.query("CALL refresh_rollups(0, jsonb_build_object('at', $1::text))", [at]);
}

// What the views ought to say, from the raw minutes alone, one group at a time.
async function exact(timeframe, since = "-infinity") {
  return rows(
    `SELECT e.name AS exchange, c.symbol, date_bin($1::interval, f.timestamp, '2001-01-01 00:00:00+00')::text AS timestamp,
            (array_agg(open ORDER BY f.timestamp))[1]::text AS open, max(high)::text AS high, min(low)::text AS low,
            (array_agg(close ORDER BY f.timestamp DESC))[1]::text AS close, sum(volume)::text AS volume,
            CASE WHEN bool_and(quote_volume IS NOT NULL) THEN sum(quote_volume) END::text AS quote_volume,
            sum(trade_count)::text AS trade_count, sum(taker_buy_volume)::text AS taker_buy_volume,
            sum(taker_buy_quote_volume)::text AS taker_buy_quote_volume, count(*)::text AS bars,
            count(*) = ${levels[timeframe]} AS is_complete
     FROM fact_ohlcv f JOIN dim_exchange e USING (exchange_id) JOIN dim_cryptocurrency c USING (crypto_id)
     WHERE timeframe = '1m' AND is_closed AND f.timestamp >= $2::timestamptz
     GROUP BY 1, 2, 3 ORDER BY 2, 3`,
    [`${levels[timeframe]} minutes`, since],
  );
}

async function shown(timeframe) {
  const text = columns.split(", ").map((name) => `${name}::text`);
  return rows(
    `SELECT exchange, symbol, timestamp::text, ${text}, is_complete FROM ohlcv_${timeframe} ORDER BY 2, 3`,
  );
}

async function assertExact() {
  for (const timeframe of Object.keys(levels)) {
    const wanted = await exact(timeframe);
    assert.ok(wanted.length > 0);
    assert.deepEqual(await shown(timeframe), wanted, timeframe);
  }
}

before(async () => {
  database = await makeWarehouse();
  await database.exec(
    "INSERT INTO dim_exchange (exchange_id, name) VALUES (1, 'binance');" +
      "INSERT INTO dim_cryptocurrency (crypto_id, symbol, base, quote) VALUES (1, 'A/B', 'A', 'B'), (2, 'C/B', 'C', 'B')",
  );
});
after(() => database.close());

test("what was never refreshed is read in real time", async () => {
  await write(minutes("2024-09-20", "2024-11-06 10:05"), "2024-09-20", "2024-11-06");
  await assertExact();
});

test("every level equals the exact sums of the minutes", async () => {
  await refresh();
  await assertExact();
  const materialized = await rows(
    "SELECT format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name) AS name, view_name " +
      "FROM timescaledb_information.continuous_aggregates ORDER BY view_name",
  );
  assert.deepEqual(
    materialized.map((row) => row.view_name),
    Object.keys(levels).map((name) => `rollup_${name}`).sort(),
  );
  for (const { name, view_name } of materialized) {
    const [{ count }] = await rows(`SELECT count(*)::int FROM ${name}`);
    assert.ok(count > 0, `${view_name} is stored`);
  }
  const [week] = await rows("SELECT min(timestamp)::text AS week FROM ohlcv_1w");
  assert.equal(week.week, "2024-09-16 00:00:00+00", "weeks open on Monday");
});

test("a bucket that is still open goes on in real time", async () => {
  await write(
    "INSERT INTO fact_ohlcv SELECT 1, 1, '1m', '2024-11-06 10:06', 1, 777, 1, 5, 1, 1, 1, 1, 1, true, 'ws', 0, now()",
    "2024-11-06",
    "2024-11-06",
  );
  await assertExact();
  await refresh();
  await assertExact();
});

test("a late candle and a revision from before every window show in every level after one refresh", async () => {
  const late = "2024-09-25 12:34:00+00";
  const revised = "2024-10-10 05:07:00+00";
  await write(
    `INSERT INTO fact_ohlcv SELECT 1, 1, '1m', '${late}', 3, 5000, 2, 4, 1, 1, 1, 1, 1, true, 'rest', 0, now();
     UPDATE fact_ohlcv SET low = 0.000000000000000007, volume = 12345, revision = 1
     WHERE crypto_id = 2 AND timestamp = '${revised}'`,
    "2024-09-25",
    "2024-09-25",
  );
  await database.query("INSERT INTO rollup_touched (day) VALUES ('2024-10-10')");
  // The moving windows alone do not see them.
  for (const { job_id } of await rows(
    "SELECT job_id FROM timescaledb_information.jobs WHERE proc_name = 'policy_refresh_continuous_aggregate' ORDER BY 1",
  )) {
    await database.exec(`CALL run_job(${job_id})`);
  }
  const stale = await rows("SELECT max(high)::text AS high FROM ohlcv_1w");
  assert.notEqual(stale[0].high, "5000", "this test would prove nothing");
  const [{ job_id }] = await rows(
    "SELECT job_id FROM timescaledb_information.jobs WHERE proc_name = 'refresh_rollups'",
  );
  await database.exec(`CALL run_job(${job_id})`);
  await assertExact();
  for (const timeframe of Object.keys(levels)) {
    const [found] = await rows(
      `SELECT count(*) FILTER (WHERE high = 5000)::int AS late, count(*) FILTER (WHERE low < 0.1)::int AS revised
       FROM ohlcv_${timeframe}`,
    );
    assert.deepEqual(found, { late: 1, revised: 1 }, timeframe);
  }
});

test("days of a week that is not over stay noted, others do not", async () => {
  await write(minutes("2024-11-06 23:00", "2024-11-06 23:02"), "2024-11-06", "2024-11-06");
  await database.query("INSERT INTO rollup_touched (day) VALUES ('2024-10-01')");
  await refresh();
  const left = await rows("SELECT DISTINCT day::text FROM rollup_touched");
  assert.deepEqual(left, [{ day: "2024-11-06" }]);
  await database.query("CALL refresh_rollups(0, '{}')");
  assert.deepEqual(await rows("SELECT day FROM rollup_touched"), []);
  await assertExact();
});

test("corrections are written into compressed chunks", async () => {
  await database.exec("SELECT compress_chunk(c) FROM show_chunks('fact_ohlcv', older_than => '2024-10-15'::timestamptz) c");
  const [{ count }] = await rows(
    "SELECT count(*)::int FROM timescaledb_information.chunks WHERE hypertable_name = 'fact_ohlcv' AND is_compressed",
  );
  assert.ok(count > 0);
  await assertExact();
  await database.exec("SET timescaledb.max_tuples_decompressed_per_dml_transaction = 0");
  await write(
    `INSERT INTO fact_ohlcv AS stored
     SELECT exchange_id, crypto_id, timeframe, timestamp, open, high, low, close, volume + 1, quote_volume, trade_count,
            taker_buy_volume, taker_buy_quote_volume, true, 'rest', 2, now()
     FROM fact_ohlcv WHERE timestamp < '2024-09-28'
     ON CONFLICT (exchange_id, crypto_id, timeframe, timestamp) DO UPDATE
     SET volume = excluded.volume, revision = excluded.revision WHERE excluded.revision > stored.revision`,
    "2024-09-20",
    "2024-09-27",
  );
  await refresh();
  await assertExact();
});

test("compression has a policy for every table of facts, and the columns that reads go by", async () => {
  const policies = await rows(
    "SELECT hypertable_name::text AS name FROM timescaledb_information.jobs WHERE proc_name = 'policy_compression' ORDER BY 1",
  );
  assert.deepEqual(
    policies.map((row) => row.name),
    ["fact_ohlcv", "fact_trade", "market_ticks", "technical_indicators"],
  );
  const segments = await rows(
    "SELECT attname::text AS name FROM timescaledb_information.compression_settings " +
      "WHERE hypertable_name = 'fact_ohlcv' AND segmentby_column_index IS NOT NULL ORDER BY segmentby_column_index",
  );
  assert.deepEqual(segments.map((row) => row.name), ["exchange_id", "crypto_id", "timeframe"]);
});

test("kept trades are compressed by instrument, and one that comes again changes nothing", async () => {
  const settings = await rows(
    "SELECT attname::text AS name FROM timescaledb_information.compression_settings WHERE hypertable_name = " +
      "'fact_trade' ORDER BY segmentby_column_index, orderby_column_index",
  );
  assert.deepEqual(
    settings.map((row) => row.name),
    ["exchange_id", "crypto_id", "exchange_time", "trade_id"],
  );
  const keep = (id, price) =>
    database.query(
      "INSERT INTO fact_trade (exchange_id, crypto_id, exchange_time, trade_id, price, size, taker_side, ingested_at) " +
        "SELECT exchange_id, crypto_id, '2024-05-01 12:00:00+00', $1, $2::numeric, 1, 'buy', now() " +
        "FROM (SELECT exchange_id, crypto_id FROM fact_ohlcv LIMIT 1) one ON CONFLICT DO NOTHING",
      [id, price],
    );
  await keep("6085c09769bc506996295e36", "1.5");
  await keep("100523573486102542049163", "2.5");
  await database.query("SELECT compress_chunk(chunk) FROM show_chunks('fact_trade') AS chunk");
  await keep("6085c09769bc506996295e36", "9");
  await keep("7", "3.5");
  const kept = await rows("SELECT trade_id AS id, price::text AS price FROM fact_trade ORDER BY price");
  assert.deepEqual(
    kept.map((row) => `${row.id} ${row.price}`),
    ["6085c09769bc506996295e36 1.5", "100523573486102542049163 2.5", "7 3.5"],
  );
  await database.query("DELETE FROM fact_trade");
});

test("raw candles are not dropped before their roll-ups are refreshed", async () => {
  const [{ total }] = await rows("SELECT count(*)::int AS total FROM fact_ohlcv");
  await database.query("INSERT INTO rollup_touched (day) VALUES ('2024-09-21')");
  await database.query("SELECT keep_rollups('2024-11-01')");
  const [{ dropped }] = await rows("SELECT drop_raw('fact_ohlcv', '2024-11-01') AS dropped");
  assert.equal(dropped, 0);
  assert.deepEqual(await rows("SELECT count(*)::int AS total FROM fact_ohlcv"), [{ total }]);
  await refresh();
});

test("raw retention leaves every roll-up as it was", async () => {
  const before = {};
  for (const timeframe of Object.keys(levels)) before[timeframe] = await shown(timeframe);
  await database.query("SELECT keep_rollups('2024-11-01')");
  const [{ dropped }] = await rows("SELECT drop_raw('fact_ohlcv', '2024-11-01') AS dropped");
  assert.ok(dropped > 0);
  const [{ horizon, oldest }] = await rows(
    "SELECT (SELECT before FROM raw_horizon)::text AS horizon, (SELECT min(timestamp) FROM fact_ohlcv)::text AS oldest",
  );
  assert.ok(oldest >= horizon);
  for (const timeframe of Object.keys(levels)) assert.deepEqual(await shown(timeframe), before[timeframe], timeframe);

  // Minutes that come for what was dropped would replace whole buckets; and what came since does show.
  await write(
    `INSERT INTO fact_ohlcv SELECT 1, 1, '1m', '2024-09-21 00:01', 3, 9000, 2, 4, 1, 1, 1, 1, 1, true, 'rest', 9, now();
     INSERT INTO fact_ohlcv SELECT 1, 1, '1m', '${horizon}'::timestamptz + interval '3 minutes', 3, 6000, 2, 4, 1, 1, 1, 1, 1,
                                   true, 'rest', 9, now()`,
    "2024-09-20",
    "2024-11-06",
  );
  await refresh();
  for (const timeframe of Object.keys(levels)) {
    const found = await shown(timeframe);
    assert.equal(found.length, before[timeframe].length, timeframe);
    const changed = found.filter((row, i) => row.high !== before[timeframe][i].high);
    assert.deepEqual(changed.map((row) => row.high), ["6000"], timeframe);
  }
  assert.deepEqual(await rows("SELECT day FROM rollup_touched WHERE day < '2024-11-01'"), []);
});

test("younger raw rows than a week are never dropped", async () => {
  await assert.rejects(database.query("SELECT keep_rollups(now() - interval '6 days')"), /at least 7 days/);
  await assert.rejects(database.query("SELECT drop_raw('fact_trade', now() - interval '6 days')"), /at least 7 days/);
});

test("the roles' script hands over what the warehouse has, twice", async () => {
  const { readFile } = await import("node:fs/promises");
  const script = await readFile(new URL("../../sql/warehouse/postgres/roles.sql", import.meta.url), "utf8");
  await database.exec(script);
  await database.exec(script);
  const [owned] = await rows(
    "SELECT pg_get_userbyid(relowner)::text AS owner FROM pg_class WHERE oid = 'rollup_1w'::regclass",
  );
  assert.equal(owned.owner, "candlewick_owner");
  const [may] = await rows(
    "SELECT has_table_privilege('candlewick_writer', 'rollup_touched', 'INSERT') AS note, " +
      "has_table_privilege('candlewick_analyst', 'ohlcv_1w', 'SELECT') AS read, " +
      "has_table_privilege('candlewick_analyst', 'rollup_touched', 'INSERT') AS more",
  );
  assert.deepEqual(may, { note: true, read: true, more: false });
  await refresh();
});
