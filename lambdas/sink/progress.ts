/** How far a batch brings the partitions of the series whose windows close in order (contracts/served-series.ts). */
import type { Progress, ServedSeries } from "../../contracts/served-series.ts";
import type { StoredResult } from "./batch.ts";

export interface PartitionProgress extends Progress {
  readonly series: string;
  readonly partition: number;
}

/** At most one for each series and partition: the highest of its newest generation. */
export function progressOf(
  results: readonly StoredResult[],
  series: ReadonlyMap<string, ServedSeries>,
): PartitionProgress[] {
  const furthest = new Map<string, PartitionProgress>();
  for (const { record, result } of results) {
    const { pipeline, kind, window, version } = result;
    // Of a series that this function is not told of yet nobody is told that it is closed.
    if (kind !== "result" || (series.get(pipeline)?.closedAfterMs ?? null) === null) continue;
    const { partition } = record;
    const place = `${pipeline}#${partition}`;
    const progress = { series: pipeline, partition, generation: version.generation, endMs: window.end };
    const other = furthest.get(place);
    if (other === undefined || isFurther(progress, other)) furthest.set(place, progress);
  }
  return [...furthest.values()];
}

/** A new generation begins anew, however far the one before had come. */
const isFurther = (progress: Progress, other: Progress): boolean =>
  progress.generation > other.generation ||
  (progress.generation === other.generation && progress.endMs > other.endMs);
