// Samples to a table and results.json: the median of the repetitions, their spread, and the goals. A goal
// that is not met is said to be not met; the exit status does not depend on it.
//
//   node report.mjs SAMPLES.jsonl RESULTS.json [PART...]
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem, loadavg, release } from 'node:os';

const [samplesPath, resultsPath, ...parts] = process.argv.slice(2);
const version = (name) =>
  JSON.parse(readFileSync(new URL(`peers/node_modules/${name}/package.json`, import.meta.url))).version;

const simdjson = 'simdjson On-Demand, the same fields as text';
const ccxt = `CCXT Pro ${version('ccxt')}`;
const tardis = `tardis-dev ${version('tardis-dev')}`;
// `of`: the question that the other one answered, when that is not the same. `below`: a limit on the ratio.
const against = (who, label, atLeast, of, below) => ({ who, label, atLeast, of, below });
const copied = 'bare COPY BINARY of the same rows into the same table, keys and indexes';
const pinned = (name) =>
  readFileSync(new URL('http/requirements.txt', import.meta.url), 'utf8').match(new RegExp(`^${name}==(.*)$`, 'm'))[1];
const nginx = 'nginx, the same bytes as a file';
const fastapi = `FastAPI ${pinned('fastapi')} on uvicorn ${pinned('uvicorn')}, the same objects in memory`;
const stored = (kind) => [
  { name: `postgres/${kind} write`, against: [against('copy', copied, 0.7)] },
  { name: `postgres/${kind} write again` },
  ...['p50', 'p99'].map((quantile) => ({
    name: `postgres/${kind} read 1,000 ${quantile}`,
    against: [against('idle', 'the same question to the idle server', undefined, undefined, 3)],
  })),
];
const decoded = (kind, hasTardis) => ({
  name: `decode/${kind}`,
  against: [against('simdjson', simdjson, 0.6), against('ccxt', ccxt, 15), ...(hasTardis ? [against('tardis', tardis, 3)] : [])],
});

// `below`: a limit on our own value. Rows without a goal are for watching.
const rows = [
  decoded('trade', true),
  decoded('kline', false),
  decoded('bookTicker', true),
  decoded('depth', true),
  { name: 'latency/visible p50' },
  { name: 'latency/visible p99', below: 1 },
  { name: 'latency/durable p50' },
  { name: 'latency/durable p99', below: 50 },
  ...['latest', 'candles'].map((what) => ({
    name: `http/${what}`,
    against: [against('nginx', nginx, 0.5), against('fastapi', fastapi, 25)],
  })),
  { name: 'streams/1,000 clients p50' },
  { name: 'streams/1,000 clients p99', below: 250 },
  { name: 'streams/processor' },
  { name: 'streams/memory of a client' },
  { name: 'streams/memory growth', below: 8 },
  { name: 'log/append', against: [against('sqlite', 'bare SQLite batch inserts of the same bytes')] },
  { name: 'log/read', against: [against('sqlite', 'bare SQLite select of the same bytes')] },
  { name: 'log/append+read', against: [against('sqlite', 'bare SQLite batch inserts alone', 0.7, 'log/append')] },
  { name: 'indicators/calculator' },
  { name: 'indicators/series' },
  { name: 'memory/idle stream' },
  { name: 'memory/candle history of 49 h' },
  ...stored('plain'),
  ...stored('timescale'),
];

const samples = new Map();
for (const line of readFileSync(samplesPath, 'utf8').split('\n')) {
  if (line === '') continue;
  const { name, who, value, unit } = JSON.parse(line);
  const key = `${name}|${who}`;
  if (!samples.has(key)) samples.set(key, { unit, values: [] });
  samples.get(key).values.push(value);
}

const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};
const spreadOf = (values) => ({ min: Math.min(...values), max: Math.max(...values), repetitions: values.length });
const rounded = (value) => (value === null ? null : Number(value.toPrecision(4)));

const results = [];
const missing = [];
for (const row of rows) {
  if (parts.length > 0 && !parts.includes(row.name.split('/')[0])) continue;
  const ours = samples.get(`${row.name}|ours`);
  if (ours === undefined) {
    missing.push(row.name);
    continue;
  }
  const value = median(ours.values);
  const common = { name: row.name, value: rounded(value), unit: ours.unit };
  const spread = Object.fromEntries(Object.entries(spreadOf(ours.values)).map(([key, number]) => [key, rounded(number)]));
  if (row.against === undefined) {
    const met = row.below === undefined ? null : value < row.below;
    const goal = row.below === undefined ? null : `< ${row.below} ${ours.unit}`;
    results.push({ ...common, against: null, ratio: null, goal, met, spread });
    continue;
  }
  for (const { who, label, atLeast, of, below } of row.against) {
    const theirs = samples.get(`${of ?? row.name}|${who}`);
    if (theirs === undefined) {
      missing.push(`${row.name} against ${label}`);
      continue;
    }
    const ratio = value / median(theirs.values);
    const goal = atLeast !== undefined ? `>= ${atLeast} x` : below !== undefined ? `< ${below} x` : null;
    const isMet = atLeast !== undefined ? ratio >= atLeast : below !== undefined ? ratio < below : null;
    results.push({
      ...common,
      against: label,
      ratio: rounded(ratio),
      goal,
      met: isMet,
      spread,
    });
  }
}
writeFileSync(resultsPath, JSON.stringify(results, null, 1) + '\n');

const short = (value) =>
  value >= 1e6 ? `${(value / 1e6).toFixed(2)} M` : value >= 1e4 ? `${(value / 1e3).toFixed(0)} k` : String(value);
const yesOrNo = (met) => (met === null ? '' : met ? 'yes' : 'NO');
const cells = results.map((result) => [
  result.name,
  `${short(result.value)} ${result.unit}`,
  `${short(result.spread.min)} .. ${short(result.spread.max)}`,
  result.against ?? '',
  result.ratio === null ? '' : `${result.ratio} x`,
  result.goal ?? '',
  yesOrNo(result.met),
]);
const header = ['question', 'median', 'spread', 'against', 'ratio', 'goal', 'met'];
const widths = header.map((title, column) => Math.max(title.length, ...cells.map((row) => row[column].length)));
const line = (row) => row.map((cell, column) => cell.padEnd(widths[column])).join('  ').trimEnd();

const processors = cpus();
console.log(`${processors[0]?.model.trim()}, ${processors.length} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, ` +
  `kernel ${release()}, node ${process.version}, load ${loadavg()[0].toFixed(1)}, ${new Date().toISOString()}\n`);
console.log(line(header));
console.log(line(widths.map((width) => '-'.repeat(width))));
for (const row of cells) console.log(line(row));
console.log(`
decode: medians of short runs; floor and ours copy each frame into a padded buffer first; the floor finds the fields in the venue's order
  and leaves them as text. The peers get the same frames as strings; CCXT also applies them to its caches and book.
latency: the whole service, 10,000 quotes and 50 closed candles a second over a loopback WebSocket; "visible" is
  GET /latest, the client's own round trip included; "durable" is read back from the synced log.
http: GET /latest/BTC-USDT (5 kB) and /v1/candles?symbol=BTC-USDT&limit=500 (175 kB) over 64 connections of one thread of wrk, one
  server after the other; one thread of each talks to the network. The service runs its demo all the while, live data included.
streams: 1,000 WebSocket clients hold one quote that changes 10 times a second; from the venue's send to the client, whose one thread
  reads all 1,000; the service is a process of its own. Growth is over 10 s.
memory: without sockets; an instrument's four streams (candles, ticker, quotes, ladder) counted as four.
postgres: a server of its own with fsync on; 200,000 one-minute candles in transactions of 5,000, rows encoded before for the bare COPY
  and by the sink for ours, with the position of the log in the same transaction. What is new goes in by COPY, so the rest is the sink's
  own encoding and the statements about the position; "write again" is the same rows once more, through the staging table and the guarded
  upsert. Reads: the newest 1,000 candles of one series while the sink writes at full speed, against the idle server.`);
for (const name of missing) console.log(`MISSING: ${name}`);
const unmet = results.filter((result) => result.met === false).length;
console.log(`\n${results.filter((result) => result.met !== null).length - unmet} goals met, ${unmet} not met; ${resultsPath}`);
process.exit(missing.length > 0 ? 1 : 0);
