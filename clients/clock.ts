import { setTimeout as delay } from "node:timers/promises";

/** Time, as the sender is told it. */
export interface Clock {
  /** Milliseconds that never go back; from any origin. */
  nowMs(): number;
  /** Milliseconds since the epoch, for dates that others name. */
  epochMs(): number;
  /** Resolves after `ms`, or at once when the signal aborts. Never rejects. Infinity waits for the signal alone. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** Longer timers than 2^31 - 1 ms fire at once in Node. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  epochMs: Date.now,
  sleep: async (ms, signal) => {
    if (signal.aborted) return;
    if (ms === Number.POSITIVE_INFINITY) {
      // No timer: whoever has nothing to wait for keeps no process alive.
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      return;
    }
    await delay(Math.min(ms, MAX_TIMER_MS), undefined, { signal }).catch(() => undefined);
  },
};
