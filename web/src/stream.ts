// The client of /v1/stream (docs/streaming.md): keeps one connection up, tells the server what is wanted, and goes
// on after a break where it stopped. It knows no data: listeners get what their stream brings.
//
// A cursor belongs to one stream, so streams that resume are subscribed one by one, all others together. A server
// that was started anew has a new session; then cursors mean nothing and `onSession` says so.
import { BackOff } from './back_off.ts';
import type { Phase } from './liveness.ts';

export interface Socket {
  onopen: (() => void) | null;
  onmessage: ((message: { data: unknown }) => void) | null;
  onclose: (() => void) | null;
  send(text: string): void;
  close(): void;
}

export interface Surroundings {
  open(): Socket;
  now(): number;
  // Returns what cancels it.
  after(milliseconds: number, run: () => void): () => void;
  random(): number;
}

export interface StreamEvent {
  stream: string;
  type: 'snapshot' | 'update';
  seq: number;
  data: unknown;
}

export interface Listener {
  // Goes on behind its last event after a break, instead of starting with a snapshot.
  resumes: boolean;
  onEvent(event: StreamEvent): void;
  // Events lie between the last one and the next that will never come.
  onLost?(): void;
  // What it has is not what the exchange has, until the next update.
  onStale?(since: string | null): void;
  onRefused?(message: string): void;
}

export interface ConnectionState {
  phase: Phase;
  // Of `waiting`: when the next attempt begins.
  retryAt: number | undefined;
}

interface Wanted {
  listener: Listener;
  state: 'idle' | 'queued' | 'asked' | 'subscribed' | 'refused';
  seq: number | undefined;
}

interface Reply {
  id?: unknown;
  error?: { message?: string; param?: string };
}

const helloDeadlineMs = 10_000;
// A heartbeat may be late, but not by as much again.
const heartbeatPatience = 1.6;
const stableAfterMs = 5000;
// The server closes on more than 20 messages a second.
const messagesPerSecond = 10;
const mostStreamsInOne = 200;

export class Stream {
  readonly #around: Surroundings;
  readonly #backOff: BackOff;
  readonly #wanted = new Map<string, Wanted>();
  readonly #dropped = new Set<string>();
  readonly #asked = new Map<number, string[]>();
  #outbox: (() => string | undefined)[] = [];
  #socket: Socket | undefined;
  #session: string | undefined;
  #hasHello = false;
  #nextId = 1;
  #heardAt = 0;
  #heartbeatMs = 15_000;
  #sentAt: number[] = [];
  #cancelRetry: (() => void) | undefined;
  #cancelWatch: (() => void) | undefined;
  #cancelStable: (() => void) | undefined;
  #cancelPump: (() => void) | undefined;
  #isFlushDue = false;
  #isStarted = false;
  #state: ConnectionState = { phase: 'connecting', retryAt: undefined };

  onState: (state: ConnectionState) => void = () => {};
  // The server is another run than the one before.
  onSession: () => void = () => {};

  constructor(around: Surroundings) {
    this.#around = around;
    this.#backOff = new BackOff(300, 8000, around.random);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#open();
  }

  stop(): void {
    this.#isStarted = false;
    this.#cancelRetry?.();
    this.#leave();
  }

  // The network came back, or somebody asked: no need to wait any longer.
  retryNow(): void {
    if (this.#state.phase !== 'waiting') return;
    this.#cancelRetry?.();
    this.#backOff.reset();
    this.#open();
  }

  subscribe(stream: string, listener: Listener): void {
    const held = this.#wanted.get(stream);
    if (held) {
      held.listener = listener;
      return;
    }
    // Wanted again before the server was told to stop: start anew, with a snapshot.
    this.#wanted.set(stream, { listener, state: 'idle', seq: undefined });
    this.#flushSoon();
  }

  unsubscribe(stream: string): void {
    const held = this.#wanted.get(stream);
    if (!held) return;
    this.#wanted.delete(stream);
    if (held.state === 'asked' || held.state === 'subscribed') this.#dropped.add(stream);
    this.#flushSoon();
  }

  #setState(phase: Phase, retryAt?: number): void {
    this.#state = { phase, retryAt };
    this.onState(this.#state);
  }

  #open(): void {
    this.#setState('connecting');
    this.#hasHello = false;
    const socket = this.#around.open();
    this.#socket = socket;
    this.#heardAt = this.#around.now();
    socket.onmessage = (message) => {
      if (this.#socket === socket) this.#hear(message.data);
    };
    socket.onclose = () => {
      if (this.#socket === socket) this.#lose();
    };
    this.#watch();
  }

  #watch(): void {
    this.#cancelWatch?.();
    const patience = this.#hasHello ? this.#heartbeatMs * heartbeatPatience : helloDeadlineMs;
    const rest = this.#heardAt + patience - this.#around.now();
    this.#cancelWatch = this.#around.after(Math.max(rest, 0) + 1, () => {
      if (this.#around.now() - this.#heardAt >= patience) this.#lose();
      else this.#watch();
    });
  }

  #leave(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#cancelWatch?.();
    this.#cancelStable?.();
    this.#cancelPump?.();
    this.#cancelPump = undefined;
    this.#outbox = [];
    this.#asked.clear();
    this.#dropped.clear();
    this.#sentAt = [];
    this.#hasHello = false;
    for (const wanted of this.#wanted.values()) wanted.state = 'idle';
    socket?.close();
  }

  #lose(): void {
    this.#leave();
    if (!this.#isStarted) return;
    const wait = this.#backOff.next();
    this.#setState('waiting', this.#around.now() + wait);
    this.#cancelRetry = this.#around.after(wait, () => this.#open());
  }

  #hear(text: unknown): void {
    this.#heardAt = this.#around.now();
    let message: Record<string, unknown>;
    try {
      message = JSON.parse(String(text)) as Record<string, unknown>;
    } catch {
      // Nothing that follows could be trusted to be whole.
      this.#lose();
      return;
    }
    if (message['type'] === 'hello') this.#greet(message);
    else if (typeof message['stream'] === 'string') this.#take(message['stream'], message);
    else if ('id' in message) this.#answer(message as Reply);
  }

  #greet(hello: Record<string, unknown>): void {
    const session = String(hello['session']);
    const seconds = Number(hello['heartbeat_seconds']);
    if (seconds > 0) this.#heartbeatMs = seconds * 1000;
    this.#hasHello = true;
    const isOther = this.#session !== undefined && this.#session !== session;
    this.#session = session;
    if (isOther) {
      for (const wanted of this.#wanted.values()) wanted.seq = undefined;
    }
    this.#cancelStable = this.#around.after(stableAfterMs, () => this.#backOff.reset());
    this.#setState('open');
    if (isOther) this.onSession();
    this.#flush();
    this.#watch();
  }

  #take(name: string, message: Record<string, unknown>): void {
    const wanted = this.#wanted.get(name);
    if (!wanted) return;
    const { listener } = wanted;
    if (message['type'] === 'dropped') {
      wanted.seq = Number(message['to_seq']);
      listener.onLost?.();
      return;
    }
    if (message['type'] === 'stale') {
      // An event with a number of its own; or, behind a snapshot, the snapshot's.
      wanted.seq = Number(message['seq']);
      listener.onStale?.((message['since'] as string | null | undefined) ?? null);
      return;
    }
    if (message['type'] !== 'snapshot' && message['type'] !== 'update') return;
    const event = message as unknown as StreamEvent;
    const { seq } = wanted;
    if (event.type === 'update' && seq !== undefined && event.seq <= seq) return;
    const next = event.type === 'update' ? 1 : 0;
    const hasHole = seq !== undefined && event.seq !== seq + next && event.seq !== seq;
    wanted.seq = event.seq;
    listener.onEvent(event);
    if (hasHole) listener.onLost?.();
  }

  #answer(reply: Reply): void {
    const names = this.#asked.get(Number(reply.id));
    if (!names) return;
    this.#asked.delete(Number(reply.id));
    const asked = names.filter((name) => this.#wanted.get(name)?.state === 'asked');
    if (!reply.error) {
      for (const name of asked) this.#wanted.get(name)!.state = 'subscribed';
      return;
    }
    // One bad name spoils its whole request: set it apart and ask for the others again.
    const { param, message = 'refused' } = reply.error;
    const culprits = names.length === 1 ? names : names.filter((name) => name === param);
    for (const name of asked) this.#wanted.get(name)!.state = 'idle';
    for (const name of culprits) {
      const wanted = this.#wanted.get(name);
      if (!wanted) continue;
      wanted.state = 'refused';
      wanted.listener.onRefused?.(message);
    }
    if (culprits.length > 0) {
      this.#flush();
      return;
    }
    const middle = names.length >> 1;
    this.#ask(names.slice(0, middle));
    this.#ask(names.slice(middle));
    this.#pump();
  }

  // Wishes of one turn go out together.
  #flushSoon(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    this.#around.after(0, () => {
      this.#isFlushDue = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (!this.#hasHello) return;
    if (this.#dropped.size > 0) {
      const params = [...this.#dropped];
      this.#dropped.clear();
      this.#outbox.push(() =>
        JSON.stringify({ method: 'UNSUBSCRIBE', params, id: this.#nextId++ }),
      );
    }
    const fresh: string[] = [];
    for (const [name, wanted] of this.#wanted) {
      if (wanted.state !== 'idle') continue;
      if (wanted.listener.resumes && wanted.seq !== undefined) {
        this.#ask([name], `${this.#session}:${wanted.seq}`);
      } else {
        wanted.seq = undefined;
        fresh.push(name);
      }
    }
    for (let i = 0; i < fresh.length; i += mostStreamsInOne) {
      this.#ask(fresh.slice(i, i + mostStreamsInOne));
    }
    this.#pump();
  }

  #ask(names: string[], after?: string): void {
    for (const name of names) {
      const wanted = this.#wanted.get(name);
      if (wanted) wanted.state = 'queued';
    }
    this.#outbox.push(() => {
      // Who changed their mind while this waited is left out.
      const params = names.filter((name) => this.#wanted.get(name)?.state === 'queued');
      if (params.length === 0) return undefined;
      for (const name of params) this.#wanted.get(name)!.state = 'asked';
      const id = this.#nextId++;
      this.#asked.set(id, params);
      return JSON.stringify({ method: 'SUBSCRIBE', params, ...(after && { after }), id });
    });
  }

  #pump(): void {
    const now = this.#around.now();
    this.#sentAt = this.#sentAt.filter((time) => now - time < 1000);
    while (this.#outbox.length > 0 && this.#sentAt.length < messagesPerSecond) {
      const text = this.#outbox.shift()!();
      if (text === undefined) continue;
      this.#sentAt.push(now);
      this.#socket?.send(text);
    }
    if (this.#outbox.length === 0 || this.#cancelPump) return;
    const wait = Math.max(1, (this.#sentAt[0] ?? now) + 1000 - now);
    this.#cancelPump = this.#around.after(wait, () => {
      this.#cancelPump = undefined;
      this.#pump();
    });
  }
}
