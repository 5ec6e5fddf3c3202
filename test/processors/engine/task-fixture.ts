/** A small pipeline over plain JSON records, and a task of it that tests can feed. */

import {
  type CustomSource,
  count,
  max,
  mean,
  min,
  type PipelineDefinition,
  pipeline,
  sum,
  tumbling,
} from "../../../processors/engine/pipeline/dsl.ts";
import { decodeSnapshot } from "../../../processors/engine/state/snapshot.ts";
import { emptyState } from "../../../processors/engine/state/task-state.ts";
import type { Cut } from "../../../processors/engine/task/cut.ts";
import type { Task } from "../../../processors/engine/task/task.ts";
import { Task as RealTask } from "../../../processors/engine/task/task.ts";
import type { EmitPolicy, Panes } from "../../../processors/engine/windows/emission.ts";
import type { WindowDefinition } from "../../../processors/engine/windows/window.ts";
import { batchOf, readable, type TestRecord } from "../../support/records.ts";

export interface Reading {
  readonly id: string;
  readonly key: string;
  /** Event time, milliseconds. */
  readonly t: number;
  readonly v: number;
}

export interface ReadingOptions {
  readonly allowedLatenessMs?: number;
  readonly outOfOrderMs?: number;
  readonly dedupe?: false | { readonly horizonMs: number };
  /** Default: tumbling windows of 10 ms. */
  readonly window?: WindowDefinition;
  readonly emit?: EmitPolicy;
  readonly panes?: Panes;
}

/** Where readings come from. */
export const reading: CustomSource<Reading> = {
  topic: "readings-in",
  decode: (value) => JSON.parse(new TextDecoder().decode(value)) as Reading,
  time: ({ t }) => t,
  identity: ({ id }) => id,
};

/** Windows of 10 ms, a bound of 0 unless given: times in the tests are small numbers that can be read. */
export function readings({
  allowedLatenessMs = 0,
  outOfOrderMs = 0,
  dedupe,
  window = tumbling({ sizeMs: 10 }),
  ...emission
}: ReadingOptions = {}): PipelineDefinition {
  return pipeline("readings")
    .from<Reading>(reading, { outOfOrderMs, ...(dedupe === undefined ? {} : { dedupe }) })
    .keyBy((reading) => reading.key)
    .window(window, { allowedLatenessMs, ...emission })
    .aggregate({
      n: count(),
      big: count((reading) => reading.v > 15),
      total: sum((reading) => reading.v),
      mean: mean((reading) => reading.v),
      least: min((reading) => reading.v),
      most: max((reading) => reading.v),
    })
    .toResults();
}

export function freshTask(definition: PipelineDefinition, partitions = 1): Task {
  return new RealTask({
    definition,
    partition: 0,
    partitions,
    generation: 1,
    nextCheckpoint: 1,
    state: emptyState(definition, [0]),
  });
}

/** The task that recovery would make of a cut. */
export function restoredTask(definition: PipelineDefinition, cut: Cut): Task {
  return new RealTask({
    definition,
    partition: 0,
    partitions: 1,
    generation: 1,
    nextCheckpoint: cut.number + 1,
    state: decodeSnapshot(definition, cut.snapshot),
  });
}

/** Records with offsets from 0; a string is a raw value, an object a reading whose id defaults to its offset. */
export function recordsOf(items: readonly (Partial<Reading> | string | TestRecord)[]): TestRecord[] {
  return items.map((item, offset) => {
    if (typeof item === "string") return { offset, value: item };
    if ("offset" in item) return item;
    const { id = `e${offset}`, key = "k", t = 0, v = 1 } = item as Partial<Reading>;
    return { offset, key, value: JSON.stringify({ id, key, t, v }) };
  });
}

/** Applies everything in one batch and fires whatever is due. */
export function feed(task: Task, records: readonly TestRecord[], maxSteps = 1_000): void {
  const batch = batchOf({ topic: "readings-in", partition: 0 }, records);
  let next = 0;
  while (next < batch.count || task.firing) {
    if (task.firing) task.fire(maxSteps);
    else next = task.apply(batch, next, maxSteps);
  }
}

export const watermark = (offset: number, ms: number | string): TestRecord => ({
  offset,
  key: null,
  value: null,
  headers: { "spillway-watermark-ms": String(ms) },
});

/** `key start-end n/total rev` of each result: short enough to read in a table. */
export function resultsOf(cut: Cut): string[] {
  return outputsTo(cut, "readings.results").map(({ value }) => {
    const {
      key,
      window,
      value: fields,
      revision,
    } = value as {
      key: string;
      window: { start: number; end: number };
      value: { n: number; total: number };
      revision: number;
    };
    return `${key} ${window.start}..${window.end} n=${fields.n} total=${fields.total} rev=${revision}`;
  });
}

export const outputsTo = (cut: Cut, topic: string): Record<string, unknown>[] =>
  cut.outputs.map(readable).filter((output) => output.topic === topic);
