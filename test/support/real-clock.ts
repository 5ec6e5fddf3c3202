/** The clock of a processor: time passes by itself. */
import { setTimeout as delay } from "node:timers/promises";

export const realClock = {
  nowMs: (): number => Math.round(performance.now()),
  sleep: (ms: number, signal: AbortSignal): Promise<void> =>
    delay(ms, undefined, { signal }).catch(() => undefined),
};
