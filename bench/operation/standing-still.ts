/** Pauses of a processor's main thread, as figures. */
import { percentile, waitAt } from "./percentiles.ts";
import type { Watched } from "./processor.ts";
import { figure } from "./report.ts";

export interface StandingStill {
  readonly spanMs: number;
  /** What an event that comes at any moment waits for a pause to end, at most, of 99 % and 99.9 % of all moments. */
  readonly waitP99Ms: number;
  readonly waitP999Ms: number;
  readonly longestMs: number;
  /** Processor time of the thread in the pause that took most of it: what others' work did not lengthen. */
  readonly longestCpuMs: number;
  readonly collectionP99Ms: number | null;
  readonly longestCollectionMs: number | null;
}

export const MAX_PAUSE_MS = 50;

export function standingStill({ spanMs, pauses, collectionsMs }: Watched): StandingStill {
  const walls = pauses.map(({ wallMs }) => wallMs);
  return {
    spanMs,
    waitP99Ms: waitAt(walls, spanMs, 0.99),
    waitP999Ms: waitAt(walls, spanMs, 0.999),
    longestMs: Math.max(0, ...walls),
    longestCpuMs: Math.max(0, ...pauses.map(({ cpuMs }) => cpuMs)),
    collectionP99Ms: percentile(collectionsMs, 0.99),
    longestCollectionMs: percentile(collectionsMs, 1),
  };
}

export const standingStillHeads = [
  "p99, ms",
  "p99.9, ms",
  "longest, ms",
  "longest in CPU, ms",
  "GC p99, ms",
  "GC longest, ms",
];

export const standingStillCells = (still: StandingStill): readonly string[] =>
  [
    still.waitP99Ms,
    still.waitP999Ms,
    still.longestMs,
    still.longestCpuMs,
    still.collectionP99Ms,
    still.longestCollectionMs,
  ].map(figure);
