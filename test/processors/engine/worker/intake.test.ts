import { expect, test } from "vitest";
import { Intake } from "../../../../processors/engine/worker/intake.ts";
import { batchOf } from "../../../support/records.ts";

const TOPICS = ["orders", "payments"];

function intake() {
  const flow: string[] = [];
  const made = new Intake(TOPICS, {
    pause: (input) => flow.push(`pause ${input}`),
    resume: (input) => flow.push(`resume ${input}`),
  });
  const add = (topic: string, offset: number) =>
    made.add(batchOf({ topic, partition: 0 }, [{ offset, value: null }]));
  return { made, flow, add };
}

test("each input has a queue of its own", () => {
  const { made, add } = intake();
  add("payments", 0);
  add("orders", 7);
  add("payments", 1);

  expect(made.head(0)!.batch.offset(0)).toBe(7);
  expect(made.head(1)!.batch.offset(0)).toBe(0);
  made.drop(1);
  expect(made.head(1)!.batch.offset(0)).toBe(1);
});

test("an input is paused while too much of it waits, and the other is not", () => {
  const { made, flow, add } = intake();

  for (let offset = 0; offset < 9; offset++) add("payments", offset);
  expect(flow).toEqual(["pause 1"]);
  expect(made.isPaused("payments")).toBe(true);
  expect(made.isPaused("orders")).toBe(false);

  for (let dropped = 0; dropped < 5; dropped++) made.drop(1);
  expect(flow).toEqual(["pause 1", "resume 1"]);
});

test("the position of an input is not known while some of it waits", () => {
  const { made, add } = intake();
  add("orders", 7);

  expect(made.position(0, 3)).toBeUndefined();
  made.drop(0);
  expect(made.position(0, 8)).toBe(8);
  expect(made.position(1, 3)).toBe(3);
});

test("the backlog is that of all inputs", () => {
  const { made, add } = intake();
  add("orders", 9);
  add("payments", 4);

  expect(made.backlog([3, 5])).toBe(7);
});

test("what is cleared is forgotten of every input", () => {
  const { made, add } = intake();
  for (let offset = 0; offset < 9; offset++) add("orders", offset);
  add("payments", 4);

  made.clear();

  expect([made.head(0), made.head(1), made.isPaused("orders")]).toEqual([undefined, undefined, false]);
  expect(made.position(1, 2)).toBe(2);
});
