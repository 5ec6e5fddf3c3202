/** A clock that stands until a test moves it; whoever sleeps is woken in the order of time. */
interface Sleeper {
  readonly untilMs: number;
  readonly wake: () => void;
}

export class VirtualClock {
  #nowMs = 0;
  readonly #sleepers = new Set<Sleeper>();

  readonly nowMs = (): number => this.#nowMs;

  readonly sleep = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const sleeper = { untilMs: this.#nowMs + ms, wake: resolve };
      this.#sleepers.add(sleeper);
      signal.addEventListener("abort", () => {
        this.#sleepers.delete(sleeper);
        resolve();
      });
    });

  /** Lets time pass, and everything happen that it brings. */
  async pass(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      const [next] = [...this.#sleepers].sort((a, b) => a.untilMs - b.untilMs);
      if (next === undefined || next.untilMs > endMs) break;
      this.#nowMs = next.untilMs;
      this.#sleepers.delete(next);
      next.wake();
    }
    this.#nowMs = endMs;
  }
}
