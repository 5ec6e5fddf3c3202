import { expect, test } from "vitest";
import type { ResultRecord } from "../../../../contracts/results.ts";
import { emptyState } from "../../../../processors/engine/state/task-state.ts";
import { Task } from "../../../../processors/engine/task/task.ts";
import { batchOf, readable, type TestRecord } from "../../../support/records.ts";
import { feed, freshTask, readings, recordsOf } from "../task-fixture.ts";

test("late events and dead letters do not keep the fetched bytes that they came in", () => {
  const task = freshTask(readings({ dedupe: false }));
  const records = recordsOf([{ t: 25 }, { t: 3 }, "not json"]);
  const fetched = Buffer.from(records.map(({ value }) => value).join(""));
  let start = 0;
  const views = records.map(({ value }) => {
    const view = fetched.subarray(start, start + (value as string).length);
    start += view.length;
    return view;
  });

  task.apply({ ...batchOf({ topic: "readings-in", partition: 0 }, records), value: (i) => views[i]! }, 0, 9);

  const { outputs } = task.cut();
  expect(outputs.map(({ topic }) => topic)).toEqual(["readings.late", "dead-letters"]);
  expect(outputs.map(({ value }) => Buffer.from(value!))).toEqual(views.slice(1));
  for (const { value } of outputs) expect(value!.buffer).not.toBe(fetched.buffer);
});

test("a record that is larger than its dead letter may be is there as an excerpt, and stops nothing", () => {
  const task = freshTask(readings({ dedupe: false }));
  const MEGABYTE = 1_048_576;
  const huge = "x".repeat(3 * MEGABYTE);
  const late = JSON.stringify({ id: "l", key: "k", t: 3, v: 1, filling: huge });
  const records: TestRecord[] = [
    ...recordsOf([{ t: 25 }]),
    { offset: 1, key: "k", value: huge },
    { offset: 2, key: huge, value: "not json" },
    { offset: 3, key: "k", value: late },
    { offset: 4, key: "k", value: "not json" },
  ];

  feed(task, records);

  const [dead, keyless, lateOne, whole] = task.cut().outputs;
  const excerpt = { "spillway-content": "excerpt", "spillway-value-bytes": String(huge.length) };
  expect(dead).toMatchObject({ topic: "dead-letters", headers: excerpt });
  expect(Buffer.from(dead!.key!).toString()).toBe("k");
  expect(Buffer.from(dead!.value!).toString()).toBe(huge.slice(0, 65_536));
  expect(keyless).toMatchObject({ key: null, headers: { "spillway-content": "excerpt" } });
  expect(Buffer.from(keyless!.value!).toString()).toBe("not json");
  expect(lateOne).toMatchObject({
    topic: "readings.late",
    headers: { "spillway-value-bytes": String(late.length), "spillway-offset": "3" },
  });
  expect(whole!.headers).toMatchObject({ "spillway-content": "record" });
  expect(whole!.headers["spillway-value-bytes"]).toBeUndefined();
  expect(task.counters).toMatchObject({ counted: 1, dead: 3, late: 1 });
});

test("a result's version is the generation, the checkpoint that writes it, and its place among the outputs", () => {
  const definition = readings({ dedupe: false });
  const state = emptyState(definition, [0]);
  const task = new Task({ definition, partition: 0, partitions: 1, generation: 3, nextCheckpoint: 7, state });
  const versions = () => task.cut().outputs.map((output) => (readable(output).value as ResultRecord).version);

  feed(task, recordsOf([{ key: "a", t: 1 }, { key: "b", t: 2 }, { t: 12 }]));
  expect(versions()).toEqual([
    { generation: 3, checkpoint: 7, index: 0 },
    { generation: 3, checkpoint: 7, index: 1 },
  ]);

  feed(task, [{ ...recordsOf([{ t: 23 }])[0]!, offset: 3 }]);
  expect(versions()).toEqual([{ generation: 3, checkpoint: 8, index: 0 }]);
});
