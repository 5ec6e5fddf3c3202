import fc from "fast-check";
import { expect, test } from "vitest";
import type { PipelineDefinition } from "../../../../processors/engine/pipeline/definition.ts";
import {
  everyEventTimeMs,
  hopping,
  onUpdate,
  session,
  sliding,
  tumbling,
  type WindowDefinition,
} from "../../../../processors/engine/pipeline/dsl.ts";
import { decodeSnapshot } from "../../../../processors/engine/state/snapshot.ts";
import type { Cut } from "../../../../processors/engine/task/cut.ts";
import { Task } from "../../../../processors/engine/task/task.ts";
import { batchOf, readable, type TestRecord } from "../../../support/records.ts";
import { freshTask, readings, recordsOf, watermark } from "../task-fixture.ts";

const definitions: readonly PipelineDefinition[] = [
  readings({ outOfOrderMs: 5 }),
  readings({ outOfOrderMs: 5, allowedLatenessMs: 12 }),
  readings({ window: hopping({ sizeMs: 30, advanceMs: 10 }), allowedLatenessMs: 5 }),
  readings({ outOfOrderMs: 5, emit: onUpdate(), panes: "discarding" }),
  readings({ window: tumbling({ sizeMs: 40 }), emit: everyEventTimeMs(15), allowedLatenessMs: 7 }),
  readings({ window: tumbling({ sizeMs: 40 }), emit: everyEventTimeMs(15), panes: "discarding" }),
];

const outputsOf = (cuts: readonly Cut[]): unknown[] =>
  cuts
    .flatMap(({ outputs }) => outputs.map(readable))
    .map(({ value, ...rest }) => {
      const { version: _, ...result } = (typeof value === "object" ? value : { value }) as {
        version?: unknown;
      };
      return { ...rest, result };
    });

/** What a step does between records: nothing, a cut, or a cut after which everything is read back from it. */
type Step = "go on" | "delta" | "base" | "recover";

function run(
  definition: PipelineDefinition,
  records: readonly TestRecord[],
  steps: readonly Step[],
): unknown[] {
  let task = freshTask(definition);
  const cuts = [task.cut("base")];
  let chain = [cuts[0]!.snapshot];
  const batch = batchOf({ topic: "readings-in", partition: 0 }, records);
  let next = 0;
  for (let step = 0; next < batch.count || task.firing; step++) {
    if (task.firing) task.fire(2);
    else next = task.apply(batch, next, 3);
    const what = steps[step % steps.length]!;
    if (what === "go on") continue;
    const cut = task.cut(what === "base" ? "base" : "delta");
    cuts.push(cut);
    chain = cut.kind === "base" ? [cut.snapshot] : [...chain, cut.snapshot];
    if (what === "recover") task = recovered(definition, cut.number, chain);
  }
  return outputsOf([...cuts, task.cut()]);
}

function recovered(definition: PipelineDefinition, number: number, [base, ...deltas]: readonly Uint8Array[]) {
  const state = decodeSnapshot(definition, base!, deltas);
  return new Task({
    definition,
    partition: 0,
    partitions: 1,
    generation: 1,
    nextCheckpoint: number + 1,
    state,
  });
}

const event = fc.record({
  id: fc.integer({ min: 0, max: 30 }).map((id) => `e${id}`),
  key: fc.constantFrom("k1", "k2", "k3"),
  t: fc.integer({ min: -60, max: 160 }),
  v: fc.integer({ min: -9, max: 9 }),
});

test("base and deltas give back the state, wherever the cuts fall", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...definitions),
      fc.array(event, { maxLength: 60 }),
      fc.array(fc.constantFrom<Step>("go on", "delta", "base", "recover"), { minLength: 1, maxLength: 20 }),
      (definition, events, steps) => {
        const records = [...recordsOf(events), watermark(events.length, 10_000)];

        expect(run(definition, records, steps)).toEqual(run(definition, records, ["go on"]));
      },
    ),
    { numRuns: 400 },
  );
});

test.each<[string, WindowDefinition]>([
  ["tumbling", tumbling({ sizeMs: 1_000_000 })],
  ["session", session({ gapMs: 1_000_000 })],
  ["sliding", sliding({ sizeMs: 1_000_000 })],
])("a delta of %s windows holds what changed, not what is held or changed before", (_, window) => {
  const task = freshTask(readings({ window, dedupe: false }));
  const feed = (from: number, count: number) => {
    const records = Array.from({ length: count }, (_, i) => ({
      offset: from + i,
      value: JSON.stringify({ id: "x", key: `k${i}`, t: 1, v: 1 }),
    }));
    task.apply(batchOf({ topic: "readings-in", partition: 0 }, records), 0, count);
  };
  feed(0, 5_000);
  const base = task.cut("base");
  feed(5_000, 1_000);
  const large = task.cut("delta");
  feed(6_000, 10);

  const delta = task.cut("delta");

  expect(base.snapshot.length).toBeGreaterThan(250_000);
  expect(large.snapshot.length).toBeGreaterThan(50_000);
  expect(delta.snapshot.length).toBeLessThan(2_000);
});
