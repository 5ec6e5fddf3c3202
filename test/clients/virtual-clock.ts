import type { Clock } from "../../clients/clock.ts";

interface Sleeper {
  readonly atMs: number;
  wake(): void;
}

/** Time passes when everything waits for it: tests of hours take no time, and take the same each time. */
export class VirtualClock implements Clock {
  readonly #sleepers = new Set<Sleeper>();
  #nowMs = 0;

  nowMs = (): number => this.#nowMs;

  epochMs = (): number => Date.UTC(2026, 0, 31) + this.#nowMs;

  sleep = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const sleeper = { atMs: this.#nowMs + Math.max(0, ms), wake: () => wake() };
      const wake = (): void => {
        this.#sleepers.delete(sleeper);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      signal.addEventListener("abort", wake);
      this.#sleepers.add(sleeper);
    });

  /** Those that wait for a time; not those that only wait to be woken. */
  get timers(): number {
    return [...this.#sleepers].filter(({ atMs }) => atMs !== Number.POSITIVE_INFINITY).length;
  }

  /** Lets time pass until the promise is settled; throws where it never will be. */
  async until<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const settle = (): void => {
      isSettled = true;
    };
    promise.then(settle, settle);
    for (;;) {
      await idle();
      if (isSettled) return promise;
      this.#advance();
    }
  }

  /** Lets so much time pass, and what is due in it happen. */
  async pass(ms: number): Promise<void> {
    await this.until(this.sleep(ms, new AbortController().signal));
  }

  #advance(): void {
    const next = [...this.#sleepers].reduce<Sleeper | undefined>(
      (first, sleeper) => (first === undefined || sleeper.atMs < first.atMs ? sleeper : first),
      undefined,
    );
    if (next === undefined || next.atMs === Number.POSITIVE_INFINITY) {
      throw new Error("everything waits, and nothing for the time");
    }
    this.#nowMs = next.atMs;
    next.wake();
  }
}

/** After all that is on its way to happen without time. */
const idle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
