// tardis-dev on the same frames, from the text of a message to its normalised form: JSON.parse, then the
// mapper that its normalizer makes, as its own real-time loop does. It has no candles of Binance.
//
//   node tardis.mjs FRAMES
import tardis from 'tardis-dev';
import { fail, measure, readFrames } from './frames.mjs';

const folder = process.argv[2] ?? fail('usage: node tardis.mjs FRAMES');
const received = new Date();

let mapped = 0;
const readerOf = (mapper) => (text) => {
  const message = JSON.parse(text);
  if (!mapper.canHandle(message)) fail(`tardis-dev does not take ${text}`);
  for (const normalized of mapper.map(message, received)) {
    if (normalized.symbol !== undefined) ++mapped;
  }
};

for (const [kind, normalizer] of [['trade', tardis.normalizeTrades], ['bookTicker', tardis.normalizeBookTickers]]) {
  measure(kind, 'tardis', readFrames(folder, kind), readerOf(normalizer('binance', received)));
}

// Without a snapshot it only buffers; one that stands just before the first update makes it map every one.
const depth = readFrames(folder, 'depth');
const first = JSON.parse(depth[0]);
const snapshot = JSON.stringify({
  stream: first.stream.replace('@depth', '@depthSnapshot'),
  data: { ...JSON.parse(readFrames(folder, 'snapshot')[0]), lastUpdateId: first.data.U - 1 },
});
let read;
measure('depth', 'tardis', depth, (text) => read(text), () => {
  read = readerOf(tardis.normalizeBookChanges('binance', received));
  read(snapshot);
});
if (mapped === 0) fail('tardis-dev mapped nothing');
