// A clock that stands still until it is told to go on, and sockets whose other end is the test.
export class FakeSurroundings {
  time = 1_000_000;
  sockets = [];
  #timers = new Set();

  open = () => {
    const socket = {
      onopen: null,
      onmessage: null,
      onclose: null,
      sent: [],
      isClosed: false,
      send(text) {
        this.sent.push(JSON.parse(text));
      },
      close() {
        this.isClosed = true;
      },
      say(message) {
        this.onmessage({ data: JSON.stringify(message) });
      },
      hello(session = 'a', heartbeat_seconds = 15) {
        this.say({ type: 'hello', session, time: '2026-01-15T12:00:00Z', heartbeat_seconds });
      },
      // Says yes to every request that was not answered yet.
      agree() {
        for (const { id } of this.sent.splice(0)) this.say({ result: null, id });
      },
    };
    this.sockets.push(socket);
    return socket;
  };

  now = () => this.time;

  after = (milliseconds, run) => {
    const timer = { at: this.time + milliseconds, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  };

  random = () => 0.5;

  get socket() {
    return this.sockets.at(-1);
  }

  pass(milliseconds) {
    const end = this.time + milliseconds;
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.#timers.delete(next);
      this.time = Math.max(this.time, next.at);
      next.run();
    }
    this.time = end;
  }
}
