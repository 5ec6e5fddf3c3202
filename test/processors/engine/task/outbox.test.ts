import { expect, test } from "vitest";
import { batchOf } from "../../../support/records.ts";
import { freshTask, readings, recordsOf } from "../task-fixture.ts";

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
