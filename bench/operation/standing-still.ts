/** Pauses of a processor's main thread, as figures. */
import { percentile, waitAt } from "./percentiles.ts";
import type { Watched } from "./processor.ts";
import { figure, type Target } from "./report.ts";

export interface StandingStill {
  readonly spanMs: number;
  /** What an event that comes at any moment waits for a pause to end, at most, of 99 % of all moments. */
  readonly waitP99Ms: number;
  /** The same as if nobody else had used the cores: each pause as long as the thread's processor time in it. */
  readonly ownWaitP99Ms: number;
  readonly longestMs: number;
  readonly ownLongestMs: number;
  readonly collectionP99Ms: number | null;
  readonly longestCollectionMs: number | null;
}

const MAX_PAUSE_MS = 50;

export function standingStill({ spanMs, pauses, collectionsMs }: Watched): StandingStill {
  const walls = pauses.map(({ wallMs }) => wallMs);
  const owns = pauses.map(({ wallMs, cpuMs }) => Math.min(wallMs, cpuMs));
  const othersMs = walls.reduce((sum, wallMs, index) => sum + wallMs - owns[index]!, 0);
  return {
    spanMs,
    waitP99Ms: waitAt(walls, spanMs, 0.99),
    ownWaitP99Ms: waitAt(owns, spanMs - othersMs, 0.99),
    longestMs: Math.max(0, ...walls),
    ownLongestMs: Math.max(0, ...owns),
    collectionP99Ms: percentile(collectionsMs, 0.99),
    longestCollectionMs: percentile(collectionsMs, 1),
  };
}

export const standingStillHeads = [
  "p99, ms",
  "p99 in CPU, ms",
  "longest, ms",
  "longest in CPU, ms",
  "GC p99, ms",
  "GC longest, ms",
];

export const standingStillCells = (still: StandingStill): readonly string[] =>
  [
    still.waitP99Ms,
    still.ownWaitP99Ms,
    still.longestMs,
    still.ownLongestMs,
    still.collectionP99Ms,
    still.longestCollectionMs,
  ].map(figure);

/** Judged by processor time, as the machine may have others to serve. */
export const standingStillTarget = (when: string, { waitP99Ms, ownWaitP99Ms }: StandingStill): Target => ({
  what: `p99 of standing still, ${when}`,
  target: `≤ ${MAX_PAUSE_MS} ms`,
  measured: `${figure(ownWaitP99Ms)} ms of CPU, ${figure(waitP99Ms)} ms in all`,
  holds: ownWaitP99Ms <= MAX_PAUSE_MS,
});
