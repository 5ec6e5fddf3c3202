/** A pipeline with windows of any kind, its log as text, and a way to run it in pieces with crashes between. */

import fc from "fast-check";
import { collect } from "../../../../processors/engine/aggregates/collect.ts";
import type { WindowOptions } from "../../../../processors/engine/pipeline/dsl.ts";
import { count, type PipelineDefinition, pipeline, sum } from "../../../../processors/engine/pipeline/dsl.ts";
import { decodeSnapshot } from "../../../../processors/engine/state/snapshot.ts";
import { emptyState } from "../../../../processors/engine/state/task-state.ts";
import type { Cut } from "../../../../processors/engine/task/cut.ts";
import { Task } from "../../../../processors/engine/task/task.ts";
import type { WindowDefinition } from "../../../../processors/engine/windows/window.ts";
import { batchOf, readable, type TestRecord } from "../../../support/records.ts";
import { feed, freshTask, type Reading, recordsOf } from "../task-fixture.ts";

export interface WindowSetup extends WindowOptions {
  readonly window: WindowDefinition;
  readonly outOfOrderMs?: number;
}

const MAX_ITEMS = 1_000;

/** Results have the ids of the elements, so that a wrong one shows. */
export function windowed({ window, outOfOrderMs = 0, ...options }: WindowSetup): PipelineDefinition {
  return pipeline("readings")
    .from<Reading>(
      {
        topic: "readings-in",
        decode: (value) => JSON.parse(new TextDecoder().decode(value)) as Reading,
        time: (reading) => reading.t,
        identity: (reading) => reading.id,
      },
      { outOfOrderMs, dedupe: false },
    )
    .keyBy((reading) => reading.key)
    .window(window, options)
    .aggregate({
      n: count(),
      total: sum((reading) => reading.v),
      ids: collect((reading) => reading.id, { maxItems: MAX_ITEMS }),
    })
    .toResults();
}

/**
 * What came out, in its order: `+k 0..10 rev1 a,b` for a result with the ids of its elements, `-k 0..10 rev1` for a
 * retraction, `late c 5` for an event that is late by 5 ms.
 */
export function logOf(outputs: Cut["outputs"]): string[] {
  return outputs.map(readable).map(({ topic, value, headers }) => {
    if (topic === "readings.late") {
      const { id } = JSON.parse(value as string) as Reading;
      return `late ${id} ${(headers as Record<string, string>)["spillway-late-by-ms"]}`;
    }
    if (topic !== "readings.results") return `${topic}: ${JSON.stringify({ headers, value })}`;
    const record = value as {
      kind: string;
      key: string;
      window: { start: number; end: number };
      revision: number;
      pane?: number;
      value: { n: number; total: number; ids: { items: string[] } } | null;
    };
    const { key, window, revision, pane, value: fields } = record;
    const name = `${key} ${window.start}..${window.end} rev${revision}${pane === undefined ? "" : ` pane${pane}`}`;
    return fields === null ? `-${name}` : `+${name} ${fields.ids.items.join(",")}`;
  });
}

/** What a pipeline makes of readings, all in one batch. */
export function logFor(setup: WindowSetup, items: Parameters<typeof recordsOf>[0]): string[] {
  const task = freshTask(windowed(setup));
  feed(task, recordsOf(items));
  return logOf(task.cut().outputs);
}

/** A piece of a run: so many records and steps, then perhaps a cut or a crash. */
export interface Piece {
  readonly records: number;
  readonly steps: number;
  readonly end: "nothing" | "base" | "delta" | "crash";
}

export const pieces = fc.array(
  fc.record<Piece>({
    records: fc.integer({ min: 1, max: 8 }),
    steps: fc.integer({ min: 1, max: 5 }),
    end: fc.constantFrom("nothing", "base", "delta", "delta", "crash"),
  }),
  { minLength: 1, maxLength: 30 },
);

/** What a pipeline makes of records that come in these pieces, the last of which is the rest. */
export function logInPieces(
  definition: PipelineDefinition,
  records: readonly TestRecord[],
  plan: readonly Piece[],
): string[] {
  const run = new Run(definition);
  for (const piece of plan) run.go(records, piece);
  while (!run.isDone(records)) run.go(records, { records: 8, steps: 1_000, end: "nothing" });
  run.cut("delta");
  return logOf(run.outputs);
}

/** A task, and what it takes to restore it. */
class Run {
  readonly #definition: PipelineDefinition;
  readonly outputs: Cut["outputs"][number][] = [];
  #task: Task;
  #checkpoint = 1;
  #base: Uint8Array | undefined;
  #deltas: Uint8Array[] = [];

  constructor(definition: PipelineDefinition) {
    this.#definition = definition;
    this.#task = this.#restored();
  }

  isDone(records: readonly TestRecord[]): boolean {
    return !this.#task.firing && this.#task.offsets[0] === records.length;
  }

  go(records: readonly TestRecord[], piece: Piece): void {
    const next = this.#task.offsets[0]!;
    const batch = batchOf({ topic: "readings-in", partition: 0 }, records.slice(next, next + piece.records));
    if (this.#task.firing) this.#task.fire(piece.steps);
    else this.#task.apply(batch, 0, piece.steps);
    if (piece.end === "crash") this.#task = this.#restored();
    else if (piece.end !== "nothing") this.cut(piece.end);
  }

  cut(kind: "base" | "delta"): void {
    const cut = this.#task.cut(this.#base === undefined ? "base" : kind);
    this.outputs.push(...cut.outputs);
    this.#checkpoint = cut.number + 1;
    if (cut.kind === "base") {
      this.#base = cut.snapshot;
      this.#deltas = [];
    } else {
      this.#deltas.push(cut.snapshot);
    }
  }

  #restored(): Task {
    const definition = this.#definition;
    return new Task({
      definition,
      partition: 0,
      partitions: 1,
      generation: 1,
      nextCheckpoint: this.#checkpoint,
      state:
        this.#base === undefined
          ? emptyState(definition, [0])
          : decodeSnapshot(definition, this.#base, this.#deltas),
    });
  }
}
