/** Everything a task must have back after a crash; what a snapshot holds. */
import type { PipelineDefinition } from "../pipeline/definition.ts";
import { OpenWindows } from "./open-windows.ts";
import { SeenEvents } from "./seen.ts";

/** What became of the records read; exact after a crash, since it is part of the state. */
export interface Counters {
  /** Events that are in a window's row. */
  counted: number;
  late: number;
  duplicate: number;
  dead: number;
  /** Records that are none of this pipeline's: other types on a shared topic. */
  ignored: number;
  /** Results emitted. */
  results: number;
}

export interface TaskState {
  /** The next offset to read, for each of the definition's inputs. */
  readonly offsets: number[];
  /** Minus infinity until the first event. */
  watermarkMs: number;
  readonly counters: Counters;
  readonly windows: OpenWindows;
  readonly seen: SeenEvents | null;
}

/** The state of a task that has read nothing, starting at these offsets. */
export function emptyState(definition: PipelineDefinition, offsets: readonly number[]): TaskState {
  return {
    offsets: [...offsets],
    watermarkMs: Number.NEGATIVE_INFINITY,
    counters: { counted: 0, late: 0, duplicate: 0, dead: 0, ignored: 0, results: 0 },
    windows: new OpenWindows(definition.allowedLatenessMs),
    seen: definition.dedupeHorizonMs === null ? null : new SeenEvents(definition.dedupeHorizonMs),
  };
}
