// A candlewick-sim of one's own: started on a free port, ended by its process id, and what it knows
// to be true. Every wait has a deadline, so that a silent stream fails instead of hanging.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { isDeepStrictEqual } from 'node:util';

const programVariable = 'CANDLEWICK_SIM';
const startDeadlineMs = 10_000;
const waitDeadlineMs = 15_000;

export const timeframeMs = { '1m': 60_000, '5m': 300_000, '1h': 3_600_000 };

// Rejects unless the promise settles in time; `what` says what was waited for.
export function within(promise, what, deadlineMs = waitDeadlineMs) {
  let timer;
  const deadline = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no ${what} within ${deadlineMs} ms`)), deadlineMs);
  });
  return Promise.race([promise, deadline]).finally(() => clearTimeout(timer));
}

// Calls `step` until it returns something other than undefined. `step` must wait for something
// itself, else this spins.
export async function until(step, what, deadlineMs = waitDeadlineMs) {
  let isOver = false;
  const search = async () => {
    let found;
    while (found === undefined && !isOver) found = await step();
    return found;
  };
  try {
    return await within(search(), what, deadlineMs);
  } finally {
    isOver = true;
  }
}

export class Simulator {
  #process;

  // `speed` is virtual seconds a second. At 0.001 the market all but stands still, so that answers
  // to different questions can be compared.
  static async start({ exchange, speed, extra = [] }) {
    const program = process.env[programVariable];
    if (!program) throw new Error(`${programVariable} must name the candlewick-sim program`);
    const child = spawn(
      program,
      ['--exchange', exchange, '--synthetic', '1', '--speed', `${speed}`, '--port', '0', ...extra],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    const simulator = new Simulator(child);
    try {
      await within(simulator.#readAddress(), 'address of the simulator', startDeadlineMs);
    } catch (error) {
      await simulator.stop();
      throw error;
    }
    return simulator;
  }

  constructor(child) {
    this.#process = child;
  }

  async #readAddress() {
    const failed = once(this.#process, 'error').then(([error]) => {
      throw error;
    });
    const said = [];
    const read = (async () => {
      for await (const line of createInterface({ input: this.#process.stderr })) {
        said.push(line);
        const found = /(http:\/\/\S+) (ws:\/\/\S+)/.exec(line);
        if (found) return found;
      }
      throw new Error(`the simulator ended: ${said.join(' ')}`);
    })();
    const found = await Promise.race([read, failed]);
    [, this.http, this.ws] = found;
    failed.catch(() => {});
    // Nobody reads what it says from here on; a full pipe would stop it.
    this.#process.stderr.resume();
  }

  async stop() {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    if (this.#process.pid === undefined) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGTERM');
    try {
      await within(ended, 'end of the simulator', 3_000);
    } catch {
      this.#process.kill('SIGKILL');
      await ended;
    }
  }

  async #ask(path, options) {
    const reply = await within(fetch(this.http + path, options), `answer to ${path}`);
    const body = await reply.text();
    if (!reply.ok) throw new Error(`${path}: ${reply.status} ${body}`);
    return body;
  }

  async state() {
    return JSON.parse(await this.#ask('/_sim/state'));
  }

  async nowMs() {
    return Date.parse((await this.state()).virtual_time);
  }

  // The true closed candles, oldest first; opening from `start` on and before `end`, in ms.
  async truth(symbol, timeframe, start, end) {
    const query = new URLSearchParams({ symbol, timeframe, start });
    if (end !== undefined) query.set('end', end);
    const lines = (await this.#ask(`/_sim/truth?${query}`)).split('\n').filter(Boolean);
    return lines.map((line) => {
      const candle = JSON.parse(line);
      return { ...candle, open_ms: Date.parse(candle.open_time) };
    });
  }

  // The book and the figures of 24 hours at this instant.
  async moment(symbol) {
    return JSON.parse(await this.#ask(`/_sim/moment?${new URLSearchParams({ symbol })}`));
  }

  // An answer, and what was true of each symbol when it was given: asks again when the market moved
  // meanwhile. For simulators that all but stand still.
  async inOneMoment(symbols, ask) {
    const look = async () => {
      const moments = await Promise.all(symbols.map((symbol) => this.moment(symbol)));
      return moments.map(({ virtual_time, ...truth }) => truth);
    };
    return until(async () => {
      const truths = await look();
      const answer = await ask();
      return isDeepStrictEqual(truths, await look()) ? { answer, truths } : undefined;
    }, 'answer while the market stood still');
  }

  async setFaults(text) {
    await this.#ask('/_sim/faults', { method: 'POST', body: text });
  }

  async cutConnections() {
    await this.#ask('/_sim/connections', { method: 'POST', body: 'cut' });
  }
}

// [open time, open, high, low, close, volume], as ccxt has candles.
export function toRow(candle) {
  return [candle.open_ms, candle.open, candle.high, candle.low, candle.close, candle.volume];
}

// Decimal text as a count of 10^-8, for exact sums.
export function toUnits(text) {
  const [whole, fraction = ''] = String(text).split('.');
  return BigInt(whole + fraction.padEnd(8, '0').slice(0, 8));
}

// The candle that trades ({price, size} as text, in order) make, as numbers of the same digits as
// the truth has.
export function candleOf(openMs, trades) {
  const prices = trades.map((trade) => Number(trade.price));
  const volume = trades.reduce((sum, trade) => sum + toUnits(trade.size), 0n);
  const digits = volume.toString().padStart(9, '0');
  return [
    openMs,
    prices[0],
    Math.max(...prices),
    Math.min(...prices),
    prices[prices.length - 1],
    Number(`${digits.slice(0, -8)}.${digits.slice(-8)}`),
  ];
}
