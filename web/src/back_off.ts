// How long to wait before the next attempt: doubling up to a limit, and a random half of it, so that the
// clients of a server that comes back do not come all at once.

export class BackOff {
  #attempt = 0;
  readonly #firstMs: number;
  readonly #limitMs: number;
  readonly #random: () => number;

  constructor(firstMs: number, limitMs: number, random: () => number = Math.random) {
    this.#firstMs = firstMs;
    this.#limitMs = limitMs;
    this.#random = random;
  }

  get attempt(): number {
    return this.#attempt;
  }

  next(): number {
    const whole = Math.min(this.#limitMs, this.#firstMs * 2 ** Math.min(this.#attempt, 30));
    this.#attempt += 1;
    return whole / 2 + (whole / 2) * this.#random();
  }

  reset(): void {
    this.#attempt = 0;
  }
}
