/** What may change in a definition while its state stays. */
import { describe, expect, test } from "vitest";
import type { PipelineDefinition } from "../../../../processors/engine/pipeline/definition.ts";
import { count, max, pipeline, sum, tumbling } from "../../../../processors/engine/pipeline/dsl.ts";
import { decodeSnapshot, SchemaMismatchError } from "../../../../processors/engine/state/snapshot.ts";
import { emptyState } from "../../../../processors/engine/state/task-state.ts";
import { Task } from "../../../../processors/engine/task/task.ts";
import { readable } from "../../../support/records.ts";
import { feed, type Reading, recordsOf, watermark } from "../task-fixture.ts";

const stream = (dedupe?: false) =>
  pipeline("readings")
    .from<Reading>(
      {
        topic: "readings-in",
        decode: (value) => JSON.parse(new TextDecoder().decode(value)) as Reading,
        time: ({ t }) => t,
        identity: ({ id }) => id,
      },
      { outOfOrderMs: 0, ...(dedupe === undefined ? {} : { dedupe }) },
    )
    .keyBy(({ key }) => key);

const before = stream()
  .window(tumbling({ sizeMs: 10 }))
  .aggregate({ total: sum(({ v }) => v) })
  .toResults();

const withAggregate = stream()
  .window(tumbling({ sizeMs: 10 }))
  .aggregate({ n: count(), total: sum(({ v }) => v), most: max(({ v }) => v) })
  .toResults();

const withOutput = stream()
  .branch({
    main: (readings) => readings.window(tumbling({ sizeMs: 10 })).aggregate({ total: sum(({ v }) => v) }),
    long: (readings) => readings.window(tumbling({ sizeMs: 100 })).aggregate({ n: count() }),
  })
  .toResults();

const taskOf = (definition: PipelineDefinition, state = emptyState(definition, [0])): Task =>
  new Task({ definition, partition: 0, partitions: 1, generation: 1, nextCheckpoint: 1, state });

/** A task of the changed definition that goes on from what the first one wrote. */
function changedTo(definition: PipelineDefinition): Task {
  const task = taskOf(before);
  feed(
    task,
    recordsOf([
      { t: 1, v: 5 },
      { t: 32, v: 1 },
      { t: 33, v: 2 },
    ]),
  );
  return taskOf(definition, decodeSnapshot(definition, task.cut().snapshot));
}

const after = (items: Parameters<typeof recordsOf>[0]) =>
  recordsOf(items).map((record) => ({
    ...record,
    offset: record.offset + 3,
    value: String(record.value).replace(/"id":"e(\d)"/, '"id":"later$1"'),
  }));

const resultsOf = (task: Task) =>
  task
    .cut()
    .outputs.map(readable)
    .filter(({ topic }) => String(topic).endsWith(".results"));

describe("state is kept", () => {
  test("by a pipeline with more aggregates: they begin with what comes now", () => {
    const task = changedTo(withAggregate);

    feed(task, [...after([{ t: 34, v: 7 }]), watermark(4, 1_000)]);

    expect(resultsOf(task)).toMatchObject([
      { value: { window: { start: 30, end: 40 }, value: { n: 1, total: 10, most: 7 } } },
    ]);
  });

  test("by a pipeline with more outputs: what was the only one is the branch main", () => {
    const task = changedTo(withOutput);

    feed(task, [...after([{ t: 34, v: 7 }]), watermark(4, 1_000)]);

    expect(resultsOf(task)).toMatchObject([
      { topic: "readings.results", value: { pipeline: "readings", value: { total: 10 } } },
      { topic: "readings.long.results", value: { pipeline: "readings.long", value: { n: 1 } } },
    ]);
  });

  test("by one that remembers ids for longer: what was forgotten before stays late, and nothing counts twice", () => {
    const task = changedTo(withOutput);

    // W is 33, and ids were remembered for 10: nobody knows what came before 23.
    feed(task, [
      { offset: 3, key: "k", value: JSON.stringify({ id: "e0", key: "k", t: 1, v: 5 }) },
      { offset: 4, key: "k", value: JSON.stringify({ id: "e1", key: "k", t: 32, v: 1 }) },
      ...after([{ t: 90 }, { t: 91 }]).map((record) => ({ ...record, offset: record.offset + 2 })),
    ]);

    expect(task.counters).toMatchObject({ counted: 5, late: 1, duplicate: 1 });
    const again = taskOf(withOutput, decodeSnapshot(withOutput, task.cut().snapshot));
    feed(again, [{ offset: 7, key: "k", value: JSON.stringify({ id: "new", key: "k", t: 22, v: 5 }) }]);
    expect(again.counters).toMatchObject({ late: 2 });
  });
});

describe("is refused", () => {
  test.each([
    [
      "an aggregate of another kind",
      () =>
        stream()
          .window(tumbling({ sizeMs: 10 }))
          .aggregate({ total: max(({ v }) => v) }),
    ],
    [
      "an aggregate less",
      () =>
        stream()
          .window(tumbling({ sizeMs: 10 }))
          .aggregate({ n: count() }),
    ],
    [
      "another window",
      () =>
        stream()
          .window(tumbling({ sizeMs: 20 }))
          .aggregate({ total: sum(({ v }) => v) }),
    ],
    [
      "an output less",
      () => stream().branch({ long: (s) => s.window(tumbling({ sizeMs: 10 })).aggregate({ n: count() }) }),
    ],
    [
      "no dedupe any more",
      () =>
        stream(false)
          .window(tumbling({ sizeMs: 10 }))
          .aggregate({ total: sum(({ v }) => v) }),
    ],
  ])("%s", (_, make) => {
    expect(() => changedTo(make().toResults())).toThrow(SchemaMismatchError);
  });
});
