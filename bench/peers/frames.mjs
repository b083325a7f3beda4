// What the peers share: the frames that bench_frames wrote, time, and the samples that report.mjs reads.
import { readFileSync } from 'node:fs';

const secondsASample = 0.5;
const framesARun = 25;
const fewestPasses = 3;

export function readFrames(folder, kind) {
  return readFileSync(`${folder}/${kind}.jsonl`, 'utf8').split('\n').filter((line) => line !== '');
}

function seconds() {
  return Number(process.hrtime.bigint()) / 1e9;
}

// Frames a second: each short run of frames counts with the median of its times, as in bench_decode. What a
// pass needs (a fresh order book) is made by `prepare`, outside of the time.
function rate(frames, read, prepare, forSeconds) {
  const runs = Array.from({ length: Math.ceil(frames.length / framesARun) }, () => []);
  const start = seconds();
  for (let passes = 0; passes < fewestPasses || seconds() - start < forSeconds; ++passes) {
    prepare();
    let runStart = seconds();
    for (let run = 0; run < runs.length; ++run) {
      const last = Math.min((run + 1) * framesARun, frames.length);
      for (let i = run * framesARun; i < last; ++i) read(frames[i]);
      const runEnd = seconds();
      runs[run].push(runEnd - runStart);
      runStart = runEnd;
    }
  }
  let pass = 0;
  for (const times of runs) pass += times.sort((a, b) => a - b)[times.length >> 1];
  return frames.length / pass;
}

// The first time is for the compiler alone.
export function measure(name, who, frames, read, prepare = () => {}) {
  rate(frames, read, prepare, 2 * secondsASample);
  const value = rate(frames, read, prepare, secondsASample);
  console.log(JSON.stringify({ name: `decode/${name}`, who, value, unit: 'frames/s' }));
}

export function fail(message) {
  console.error(`bench: ${message}`);
  process.exit(1);
}
