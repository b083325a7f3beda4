// The program itself on TimescaleDB's community edition: a month of real minutes through the
// simulator's REST, with the program's own migrations, COPY and upserts, and what its roll-ups and
// its retention make of them. The other kinds of warehouse have test/end_to_end/history_test.cc.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

import { serve } from "./front.mjs";
import { makeDatabase } from "./warehouse.mjs";

const execute = promisify(execFile);
const data = process.env.CANDLEWICK_SHARED_DATA ?? resolve(import.meta.dirname, "../../../shared/data");
const skip = existsSync(join(data, "history")) ? false : "no recordings beside the project";
assert.ok(!skip || !process.env.CI, `CI must have the recordings at ${data}`);
const file = (name, symbol) => join(data, "history", name.replace("{}", symbol));
const longMs = 120_000;

let database;
let front;
let folder;

before(async () => {
  if (skip) return;
  for (const name of ["CANDLEWICK", "CANDLEWICK_SIM"]) {
    assert.ok(process.env[name], `${name} does not name the program: run this by ctest`);
  }
  database = await makeDatabase();
  front = await serve(database);
  folder = await mkdtemp(join(tmpdir(), "candlewick-"));
});
after(async () => {
  front?.close();
  await database?.close();
  if (folder) await rm(folder, { recursive: true });
});

async function candlewick(words, environment) {
  const ended = await execute(process.env.CANDLEWICK, words, {
    env: { PATH: "/usr/bin:/bin", CANDLEWICK_FEED_REQUEST_BUDGET_PERCENT: "100", ...environment },
    maxBuffer: 1 << 28,
    timeout: longMs,
  });
  await front.idle();
  return ended.stdout;
}
const onServer = () => ({ CANDLEWICK_DATA_DIR: join(folder, "server"), DATABASE_URL: front.url });
// One of SQLite for each of the files that are the measure.
const onFile = (path) => ({ CANDLEWICK_DATA_DIR: join(folder, path.replaceAll("/", "_")) });

async function withSimulator(files, use) {
  const child = spawn(
    process.env.CANDLEWICK_SIM,
    ["--exchange", "binance", "--port", "0", "--candles", ...files],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  try {
    let said = "";
    const url = await new Promise((done, failed) => {
      child.on("exit", () => failed(new Error(said)));
      child.stderr.on("data", (bytes) => {
        said += bytes;
        const found = /(http:\/\/\S+) /.exec(said);
        if (found) done(found[1]);
      });
    });
    await use({ ...onServer(), BINANCE_BASE_URL: url, BINANCE_WS_URL: url.replace("http", "ws") });
  } finally {
    child.kill();
  }
}

// With the venue's eight digits: the files hold what doubles made of some volumes.
function exact(number) {
  const [whole, fraction = ""] = number.split(".");
  const count = BigInt(whole + fraction.padEnd(9, "0").slice(0, 9));
  const digits = `${(count + 5n) / 10n}`.padStart(9, "0");
  return `${digits.slice(0, -8)}.${digits.slice(-8)}`;
}

// open high low close volume, by open time; of a CSV with a header.
function candlesIn(csv, isWanted = () => true) {
  const [header, ...lines] = csv.trimEnd().split("\n");
  const names = header.split(",");
  const cells = lines.map((line) => Object.fromEntries(line.split(",").map((cell, i) => [names[i], cell])));
  return new Map(
    cells
      .filter(isWanted)
      .map((row) => [row.timestamp, ["open", "high", "low", "close", "volume"].map((name) => exact(row[name])).join(" ")]),
  );
}

async function exported(symbol, timeframe, environment, isWanted) {
  const words = ["export", "--exchange", "binance", "--symbol", symbol, "--timeframe", timeframe, "--to", "csv"];
  return candlesIn(await candlewick(words, environment), isWanted);
}

async function fileCandles(path, symbol, timeframe) {
  const words = ["import", path, "--exchange", "binance", "--symbol", symbol, "--timeframe", timeframe];
  await candlewick(words, onFile(path));
  return exported(symbol, timeframe, onFile(path));
}

// All but the last minute, which may not be final for the venue; answers what went in.
async function fill(path, symbol, environment) {
  const wanted = await fileCandles(path, symbol, "1m");
  const times = [...wanted.keys()];
  await candlewick(
    ["backfill", "--exchange", "binance", "--symbol", symbol, "--timeframe", "1m", "--start", times[0], "--end", times.at(-1)],
    environment,
  );
  wanted.delete(times.at(-1));
  return wanted;
}

const jobs = async (procedure) =>
  (await database.query("SELECT job_id FROM timescaledb_information.jobs WHERE proc_name = $1 ORDER BY 1", [procedure])).rows;

// What the server's background workers would do by themselves.
async function runRefreshes() {
  for (const name of ["policy_refresh_continuous_aggregate", "refresh_rollups"]) {
    for (const { job_id } of await jobs(name)) await database.exec(`CALL run_job(${job_id})`);
  }
}

// As the views give them to anybody.
async function shown(symbol, timeframe, isWanted = "true") {
  const { rows } = await database.query(
    `SELECT to_char(timestamp AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS timestamp, open::text, high::text,
            low::text, close::text, volume::text
     FROM ohlcv_${timeframe} WHERE exchange = 'binance' AND symbol = $1 AND ${isWanted} ORDER BY timestamp`,
    [symbol],
  );
  return new Map(
    rows.map((row) => [row.timestamp, ["open", "high", "low", "close", "volume"].map((name) => exact(row[name])).join(" ")]),
  );
}

const pair = (symbol) => symbol.replace(/USDT$/, "/USDT");

test("a month of five symbols comes out as it went in", { skip, timeout: 3 * longMs }, async () => {
  const symbols = ["BTCUSDT", "ETHUSDT", "DOGEUSDT", "LTCUSDT", "XRPUSDT"];
  const path = (symbol) => file("binance-spot-1m-{}-2021-04-20_2021-05-20.csv.zst", symbol);
  await withSimulator(symbols.map(path), async (environment) => {
    for (const symbol of symbols) {
      const wanted = await fill(path(symbol), pair(symbol), environment);
      assert.ok(wanted.size > 42_900, `${symbol}: ${wanted.size}`);
      assert.deepEqual(await exported(pair(symbol), "1m", onServer()), wanted, symbol);
    }
  });
  await runRefreshes();
  for (const symbol of symbols) {
    // The program rolls them up from the minutes, the server by steps.
    for (const timeframe of symbol === "BTCUSDT" ? ["5m", "15m", "1h", "4h", "1d", "1w"] : ["1h"]) {
      const program = await exported(pair(symbol), timeframe, onServer());
      assert.ok(program.size >= 5);
      assert.deepEqual(await shown(pair(symbol), timeframe), program, `${symbol} ${timeframe}`);
    }
  }
  assert.deepEqual((await database.query("SELECT * FROM rollup_touched")).rows, [], "every day was seen to");
});

test("minutes roll up to the venue's own five minutes", { skip, timeout: 2 * longMs }, async (context) => {
  const symbols = ["BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT"];
  const minutes = (symbol) => file("bybit-linear-1m-{}-2025-05_2025-06.csv.zst", symbol);
  const fives = (symbol) => file("bybit-linear-5m-{}-2025-04_2025-07.csv.zst", symbol);
  await withSimulator(symbols.map(minutes), async (environment) => {
    for (const symbol of symbols) await fill(minutes(symbol), pair(symbol), environment);
  });
  await runRefreshes();
  for (const symbol of symbols) {
    const wanted = await fileCandles(fives(symbol), pair(symbol), "5m");
    let compared = 0;
    for (const [time, numbers] of await shown(pair(symbol), "5m", "is_complete AND timestamp >= '2025-01-01'")) {
      if (!wanted.has(time)) continue;
      assert.equal(numbers, wanted.get(time), `${symbol} ${time}`);
      ++compared;
    }
    context.diagnostic(`${symbol}: ${compared} complete bars are equal`);
    assert.ok(compared >= 8639, `${symbol}: ${compared}`);
  }
});

test("a minute that the program brings late shows in every roll-up after one refresh", { skip, timeout: longMs }, async () => {
  const levels = ["5m", "15m", "1h", "4h", "1d", "1w"];
  const was = {};
  for (const timeframe of levels) was[timeframe] = await shown("BTC/USDT", timeframe);
  await database.exec(
    "DELETE FROM fact_ohlcv WHERE timestamp = '2021-05-10 12:00' AND crypto_id = " +
      "(SELECT crypto_id FROM dim_cryptocurrency WHERE symbol = 'BTC/USDT')",
  );
  await database.exec("INSERT INTO rollup_touched (day) VALUES ('2021-05-10')");
  await runRefreshes();
  for (const timeframe of levels) {
    assert.notDeepEqual(await shown("BTC/USDT", timeframe), was[timeframe], `the minute is gone from ${timeframe}`);
  }
  const path = file("binance-spot-1m-{}-2021-04-20_2021-05-20.csv.zst", "BTCUSDT");
  await withSimulator([path], async (environment) => {
    await candlewick(
      ["backfill", "--exchange", "binance", "--symbol", "BTC/USDT", "--timeframe", "1m",
       "--start", "2021-05-10T11:00:00Z", "--end", "2021-05-10T13:00:00Z"],
      environment,
    );
  });
  for (const { job_id } of await jobs("refresh_rollups")) await database.exec(`CALL run_job(${job_id})`);
  for (const timeframe of levels) assert.deepEqual(await shown("BTC/USDT", timeframe), was[timeframe], timeframe);
});

test("the program's own candles stay as they were when the minutes are dropped", { skip, timeout: longMs }, async () => {
  const timeframes = ["5m", "30m", "6h", "3d", "1w", "1M"];
  const asked = async () => {
    const found = [];
    for (const timeframe of timeframes) {
      const words = ["export", "--exchange", "binance", "--symbol", "BTC/USDT", "--timeframe", timeframe, "--to", "csv",
        "--end", "2021-06-01"];
      const csv = await candlewick(words, onServer());
      // Without revision and ingested_at, which go with the minutes.
      const names = csv.slice(0, csv.indexOf("\n")).split(",");
      const gone = [names.indexOf("revision"), names.indexOf("ingested_at")];
      found.push(csv.split("\n").map((line) => line.split(",").filter((_, i) => !gone.includes(i)).join(",")));
    }
    return found;
  };
  const before = await asked();
  await database.query("SELECT keep_rollups('2021-05-14')");
  const [{ dropped }] = (await database.query("SELECT drop_raw('fact_ohlcv', '2021-05-14') AS dropped")).rows;
  assert.ok(dropped > 0);
  const minutes = await exported("BTC/USDT", "1m", onServer());
  assert.ok([...minutes.keys()][0] > "2021-05-01", "minutes are gone");
  const after = await asked();
  for (const [i, timeframe] of timeframes.entries()) assert.deepEqual(after[i], before[i], timeframe);
});
