/** Hopping windows that are put together of slices tell what windows with rows of their own would. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { FixedWindowsState } from "../../../../processors/engine/operators/windows/fixed-windows-state.ts";
import { endAfter, lastEnd, sliceStart } from "../../../../processors/engine/operators/windows/slices.ts";
import type { WindowsDefinition } from "../../../../processors/engine/operators/windows/windows-definition.ts";
import type { PipelineDefinition } from "../../../../processors/engine/pipeline/definition.ts";
import { hopping } from "../../../../processors/engine/pipeline/dsl.ts";
import type { Cut } from "../../../../processors/engine/task/cut.ts";
import type { Task } from "../../../../processors/engine/task/task.ts";
import {
  firstWindowStart,
  type HoppingWindow,
  lastWindowStart,
} from "../../../../processors/engine/windows/window.ts";
import { batchOf } from "../../../support/records.ts";
import { freshTask, readings, recordsOf, restoredTask, resultsOf, watermark } from "../task-fixture.ts";

const shape = fc
  .record({ sizeMs: fc.integer({ min: 2, max: 60 }), advanceMs: fc.integer({ min: 1, max: 59 }) })
  .filter(({ sizeMs, advanceMs }) => advanceMs < sizeMs)
  .chain(({ sizeMs, advanceMs }) =>
    fc.nat(advanceMs - 1).map((offsetMs) => hopping({ sizeMs, advanceMs, offsetMs })),
  );
const settings = fc.record({
  window: shape,
  outOfOrderMs: fc.constantFrom(0, 7, 40),
  allowedLatenessMs: fc.constantFrom(0, 12, 70),
  panes: fc.constantFrom("accumulating" as const, "discarding" as const),
});
const events = fc.array(
  fc.record({
    key: fc.constantFrom("k1", "k2", "k3"),
    t: fc.integer({ min: -60, max: 160 }),
    v: fc.integer({ min: -9, max: 9 }),
  }),
  { maxLength: 60 },
);

/** The same pipeline with a row for each window, as it was before there were slices. */
function whole(definition: PipelineDefinition): PipelineDefinition {
  const [sliced] = definition.operators as [WindowsDefinition<HoppingWindow>];
  const operator = Object.create(sliced, {
    schema: { value: { ...sliced.schema, kind: "fixed-windows" } },
    newState: { value: () => new FixedWindowsState(sliced) },
  }) as typeof sliced;
  return { ...definition, operators: [operator] };
}

interface Run {
  readonly cuts: Cut[];
  readonly task: Task;
}

/** Applies records in small steps, from a task of the first definition to one of the second after `switchAt` steps. */
function run(
  definitions: readonly PipelineDefinition[],
  items: Parameters<typeof recordsOf>[0],
  switchAt: number,
): Run {
  const [before, after] = [definitions[0]!, definitions.at(-1)!];
  const batch = batchOf({ topic: "readings-in", partition: 0 }, [
    ...recordsOf(items),
    watermark(items.length, 10_000),
  ]);
  let task = freshTask(before);
  const cuts: Cut[] = [];
  let next = 0;
  for (let step = 0; next < batch.count || task.firing; step++) {
    if (task.firing) task.fire(2);
    else next = task.apply(batch, next, 3);
    if (step !== switchAt) continue;
    const cut = task.cut();
    cuts.push(cut);
    task = restoredTask(after, cut);
  }
  cuts.push(task.cut());
  return { cuts, task };
}

/** Of windows that fire together each kind has its own order of keys. */
const sorted = ({ cuts }: Run): string[] => cuts.flatMap(resultsOf).sort();

test.each([
  ["from the beginning", (sliced: PipelineDefinition) => [sliced]],
  ["in the place of windows with rows of their own", (sliced: PipelineDefinition) => [whole(sliced), sliced]],
])("the same results, revisions and late events, %s", (_, definitionsOf) => {
  fc.assert(
    fc.property(settings, events, fc.nat(40), (options, items, switchAt) => {
      const definition = readings({ ...options, dedupe: false });
      expect(definition.operators[0]!.schema.kind).toBe("sliced-windows");
      const expected = run([whole(definition)], items, switchAt);
      const actual = run(definitionsOf(definition), items, switchAt);

      expect(sorted(actual)).toEqual(sorted(expected));
      expect(actual.task.counters).toEqual(expected.task.counters);
      expect(actual.task.limit.entries).toBe(0);
    }),
    { numRuns: 400 },
  );
});

test("at the state's limit an event still counts for rows that are there, though all of its windows have ended", () => {
  const window = hopping({ sizeMs: 20, advanceMs: 10 });
  const definition = {
    ...readings({ window, allowedLatenessMs: 100, dedupe: false }),
    maxEntriesPerTask: 2,
  };
  for (const each of [definition, whole(definition)]) {
    const { task } = run([each], [{ t: 5 }, watermark(1, 50), { t: 5 }], -1);
    expect(task.counters).toMatchObject({ counted: 2, dead: 0 });
  }
});

test("windows of which more than a hundred overlap keep rows of their own", () => {
  const kindOf = (sizeMs: number) =>
    readings({ window: hopping({ sizeMs, advanceMs: 10 }) }).operators[0]!.schema.kind;
  expect([kindOf(1_000), kindOf(1_001)]).toEqual(["sliced-windows", "fixed-windows"]);
});

test("all times of a slice are in the same windows, and their ends follow each other", () => {
  fc.assert(
    fc.property(
      shape,
      fc.integer({ min: -1_000, max: 1_000 }),
      fc.integer({ min: -50, max: 100 }),
      (window, t, past) => {
        const startMs = sliceStart(window, t);
        expect(startMs).toBeLessThanOrEqual(t);
        expect(firstWindowStart(window, startMs)).toBe(firstWindowStart(window, t));
        expect(lastWindowStart(window, startMs)).toBe(lastWindowStart(window, t));
        expect(lastEnd(window, startMs)).toBe(lastWindowStart(window, t) + window.sizeMs);
        const ends: number[] = [];
        for (
          let start = firstWindowStart(window, t);
          start <= lastWindowStart(window, t);
          start += window.advanceMs
        ) {
          ends.push(start + window.sizeMs);
        }
        const next = ends.find((end) => end > t + past);
        const found = endAfter(window, startMs, t + past);
        expect(found > lastEnd(window, startMs) ? undefined : found).toBe(next);
      },
    ),
    { numRuns: 1_000 },
  );
});
