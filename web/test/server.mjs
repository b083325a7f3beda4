// The server under test: the program that CANDLEWICK names, with its own dashboard and streams, and a simulated
// market. Ended by its process id only.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';

const readyDeadlineMs = 60_000;

async function freePort() {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

export function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

// Asks until the answer is not undefined; fails at the deadline with what was waited for.
export async function until(question, what, deadlineMs = 20_000) {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const answer = await question();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > end) throw new Error(`no ${what} within ${deadlineMs} ms`);
    await pause(50);
  }
}

export class Server {
  #child;

  static async start() {
    const server = new Server();
    server.port = await freePort();
    server.url = `http://127.0.0.1:${server.port}`;
    await server.run();
    return server;
  }

  // On the same port as before.
  async run() {
    this.#child = spawn(process.env.CANDLEWICK, ['run', '--demo'], {
      env: { ...process.env, CANDLEWICK_HTTP_LISTEN: `127.0.0.1:${this.port}` },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    await until(() => this.#isReady(), 'server that is ready', readyDeadlineMs);
  }

  async stop() {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null) return;
    child.kill();
    await once(child, 'exit');
  }

  // Still connected, and silent.
  freeze() {
    this.#child.kill('SIGSTOP');
  }

  thaw() {
    this.#child.kill('SIGCONT');
  }

  async #isReady() {
    if (this.#child.exitCode !== null) throw new Error('the server ended');
    try {
      const ready = await fetch(`${this.url}/readyz`);
      if (!ready.ok) return undefined;
      const candles = await fetch(
        `${this.url}/v1/candles?symbol=BTC-USDT&timeframe=1m&limit=300&sort=desc`,
      );
      return candles.ok && (await candles.json()).data.length === 300 ? true : undefined;
    } catch {
      return undefined;
    }
  }
}
