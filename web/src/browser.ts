// What the stream client and the views take from the browser: its WebSocket, timers, frames, and storage that
// may be forbidden.
import type { Socket, Surroundings } from './stream.ts';

export const browser: Surroundings = {
  open(): Socket {
    const url = new URL('/v1/stream', location.href);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    return new WebSocket(url, 'candlewick.v1') as Socket;
  },
  now: () => performance.timeOrigin + performance.now(),
  after(milliseconds, run) {
    const timer = setTimeout(run, milliseconds);
    return () => clearTimeout(timer);
  },
  random: Math.random,
};

// Runs each job at most once a frame, however often it is asked for.
export class Frames {
  readonly #due = new Set<() => void>();

  ask(job: () => void): void {
    if (this.#due.size === 0) requestAnimationFrame(() => this.#run());
    this.#due.add(job);
  }

  #run(): void {
    const jobs = [...this.#due];
    this.#due.clear();
    for (const job of jobs) job();
  }
}

export function remembered(name: string): string | null {
  try {
    return localStorage.getItem(`candlewick.${name}`);
  } catch {
    return null;
  }
}

export function remember(name: string, value: string): void {
  try {
    localStorage.setItem(`candlewick.${name}`, value);
  } catch {
    // Storage is forbidden or full: then it is forgotten with the page.
  }
}
