import { describe, expect, test } from "vitest";
import {
  aggregate,
  count,
  everyCount,
  global,
  hopping,
  pipeline,
  session,
  sliding,
  tumbling,
} from "../../../../processors/engine/pipeline/dsl.ts";
import { ByteWriter } from "../../../../processors/engine/state/bytes.ts";
import { emptyState } from "../../../../processors/engine/state/task-state.ts";
import { Task } from "../../../../processors/engine/task/task.ts";
import type { WindowDefinition } from "../../../../processors/engine/windows/window.ts";
import { batchOf, readable, type TestRecord } from "../../../support/records.ts";
import { type Reading, recordsOf, watermark } from "../task-fixture.ts";

/** A sum that breaks on 13 and at 12, after it has changed what it was given. */
const fragile = aggregate({
  kind: "fragile",
  create: () => ({ total: 0 }),
  add: (all, { v }: Reading) => {
    all.total += v;
    if (v === 13 || all.total === 12) throw new Error("thirteen");
    return all;
  },
  merge: (into, from) => {
    if (into.total + from.total === 66) throw new Error("sixty-six");
    return { total: into.total + from.total };
  },
  result: ({ total }) => total,
  encode: (all) => Buffer.from(JSON.stringify(all)),
  decode: (bytes) => JSON.parse(Buffer.from(bytes).toString()) as { total: number },
});

function taskOf(window: WindowDefinition, expand = (reading: Reading): Reading[] => [reading]) {
  const definition = pipeline("fragile")
    .from<Reading>(
      {
        topic: "readings-in",
        decode: (value) => JSON.parse(new TextDecoder().decode(value)) as Reading,
        time: ({ t }) => t,
      },
      { outOfOrderMs: 100, dedupe: false },
    )
    .flatMap(expand)
    .keyBy(({ key }) => key)
    .window(window)
    .aggregate({ total: fragile, n: count() })
    .toResults();
  const state = emptyState(definition, [0]);
  const task = new Task({ definition, partition: 0, partitions: 1, generation: 1, nextCheckpoint: 1, state });
  const feed = (records: readonly TestRecord[]) => {
    const batch = batchOf({ topic: "readings-in", partition: 0 }, records);
    for (let next = 0; next < batch.count || task.firing; ) {
      if (task.firing) task.fire(100);
      else next = task.apply(batch, next, 100);
    }
  };
  const windows = () => {
    const writer = new ByteWriter();
    state.operators[0]!.writeBase(writer);
    return writer.finish();
  };
  return { task, feed, windows };
}

const outputsOf = (task: Task) => task.cut().outputs.map(readable);

describe.each<[string, WindowDefinition]>([
  ["tumbling", tumbling({ sizeMs: 10 })],
  ["hopping", hopping({ sizeMs: 10, advanceMs: 5 })],
  ["session", session({ gapMs: 10 })],
  ["sliding", sliding({ sizeMs: 10 })],
  ["global", global({ trigger: everyCount(2) })],
])("an aggregate that throws in %s windows", (_, window) => {
  test("dead-letters its event, which leaves no trace", () => {
    const { task, feed, windows } = taskOf(window);
    feed(recordsOf([{ t: 1, v: 5 }]));
    const before = windows();

    feed(recordsOf([{ t: 0 }, { t: 2, v: 13 }]).slice(1));

    expect(windows()).toEqual(before);
    expect(task.counters).toMatchObject({ counted: 1, dead: 1 });
    const [dead] = outputsOf(task);
    expect(dead).toMatchObject({
      topic: "dead-letters",
      headers: {
        "spillway-reason": "user-code-failed",
        "spillway-detail": "aggregate total threw: thirteen",
      },
    });
  });
});

test("two elements of one record that only break together cost the pane, and stop nothing else", () => {
  const twice = (reading: Reading): Reading[] => [reading, reading];
  const { task, feed } = taskOf(tumbling({ sizeMs: 10 }), twice);

  feed([
    ...recordsOf([
      { t: 1, v: 6 },
      { t: 1, v: 100, key: "other" },
    ]),
    watermark(2, 1_000),
  ]);

  expect(outputsOf(task).map(({ topic }) => topic)).toEqual(["dead-letters", "fragile.results"]);
  expect(task.counters).toMatchObject({ counted: 2, dead: 0, results: 1 });
});

test("a merge that throws dead-letters the event that joins two sessions", () => {
  const { task, feed } = taskOf(session({ gapMs: 10 }));

  feed(
    recordsOf([
      { t: 1, v: 33 },
      { t: 21, v: 33 },
      { t: 11, v: 1 },
    ]),
  );
  feed([watermark(3, 1_000)]);

  const outputs = outputsOf(task);
  expect(outputs.map(({ topic }) => topic)).toEqual(["dead-letters", "fragile.results", "fragile.results"]);
  expect(outputs[0]!.headers).toMatchObject({ "spillway-detail": "aggregate total threw: sixty-six" });
});
