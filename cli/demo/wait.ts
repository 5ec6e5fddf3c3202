import { setTimeout as delay } from "node:timers/promises";

export interface WaitOptions {
  /** Said in the error: "waited 60 s for <what>". */
  readonly what: string;
  readonly intervalMs: number;
  /** How long `remaining` may stand still before the wait is given up. */
  readonly stallTimeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Asks `remaining` again and again until it is 0. What it throws counts as no answer, since brokers and processors
 * come and go here. Rejects when it has not fallen for `stallTimeoutMs`.
 */
export async function untilNoneRemains(
  remaining: () => Promise<number>,
  options: WaitOptions,
): Promise<void> {
  const { what, intervalMs, stallTimeoutMs, signal } = options;
  let least = Number.POSITIVE_INFINITY;
  let fellAt = Date.now();
  let failure: unknown;
  for (;;) {
    const left = await remaining().catch((error: unknown) => {
      failure = error;
      return Number.POSITIVE_INFINITY;
    });
    if (left === 0) return;
    if (left < least) {
      least = left;
      fellAt = Date.now();
    } else if (Date.now() - fellAt > stallTimeoutMs) {
      const why = Number.isFinite(least) ? `${least} records are left` : String(failure);
      throw new Error(`${what}: no progress for ${stallTimeoutMs / 1000} s; ${why}`);
    }
    await delay(intervalMs, undefined, { signal });
  }
}
