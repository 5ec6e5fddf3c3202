import { describe, expect, test } from "vitest";
import type { Task } from "../../../processors/engine/task/task.ts";
import { feed, freshTask, readings, recordsOf, restoredTask, resultsOf } from "./task-fixture.ts";

const ARRIVED_MS = 1_000;

/** A task that has read one reading at 5, in the window 0..10, which arrived at {@link ARRIVED_MS}. */
function taskWithReading(outOfOrderMs = 0): { definition: ReturnType<typeof readings>; task: Task } {
  const definition = readings({ outOfOrderMs });
  const task = freshTask(definition);
  feed(
    task,
    recordsOf([{ t: 5, v: 2 }]).map((record) => ({ ...record, arrivalMs: ARRIVED_MS })),
  );
  return { definition, task };
}

function fireAll(task: Task): void {
  while (task.firing) task.fire(1_000);
}

describe("a tick", () => {
  test("moves the watermark by what has passed since the last record arrived, and closes windows", () => {
    const { task } = taskWithReading();

    expect(task.tick(0, ARRIVED_MS + 4)).toBe(true);
    expect(task.watermarkMs).toBe(9);
    expect(task.firing).toBe(false);
    task.tick(0, ARRIVED_MS + 5);
    fireAll(task);

    expect(resultsOf(task.cut())).toEqual(["k 0..10 n=1 total=2 rev=1"]);
  });

  test("counts from the watermark of the last record, not from its time", () => {
    const { task } = taskWithReading(3);

    task.tick(0, ARRIVED_MS + 5);

    expect(task.watermarkMs).toBe(7);
  });

  test("never moves the watermark back, whatever the clock says", () => {
    const { task } = taskWithReading();
    task.tick(0, ARRIVED_MS + 5);

    expect(task.tick(0, ARRIVED_MS - 100)).toBe(false);
    expect(task.watermarkMs).toBe(10);
  });

  test("on an input that never had a record moves nothing", () => {
    const task = freshTask(readings());

    expect(task.tick(0, ARRIVED_MS)).toBe(true);
    expect(task.watermarkMs).toBe(Number.NEGATIVE_INFINITY);
    expect(task.tick(0, ARRIVED_MS + 1)).toBe(false);
  });

  test("makes an event late that comes for a window it has closed", () => {
    const { task } = taskWithReading();
    task.tick(0, ARRIVED_MS + 5);
    fireAll(task);

    feed(task, recordsOf([{}, { t: 9 }]).slice(1));

    expect(task.counters).toMatchObject({ counted: 1, late: 1 });
  });

  test("after another record counts from that one's arrival", () => {
    const { task } = taskWithReading();
    task.tick(0, ARRIVED_MS + 2);
    feed(task, [{ ...recordsOf([{}, { t: 6 }])[1]!, arrivalMs: ARRIVED_MS + 50 }]);

    task.tick(0, ARRIVED_MS + 53);

    expect(task.watermarkMs).toBe(9);
  });
});

describe("a tick matters", () => {
  test("where it is the first since the last record, then only once the clock reaches what is due", () => {
    const { task } = taskWithReading();
    expect(task.tickMatters(0, ARRIVED_MS + 1)).toBe(true);
    task.tick(0, ARRIVED_MS + 1);

    expect(task.tickMatters(0, ARRIVED_MS + 4)).toBe(false);
    expect(task.tickMatters(0, ARRIVED_MS + 5)).toBe(true);
    task.tick(0, ARRIVED_MS + 5);
    fireAll(task);

    // Nothing is open any more: an idle night costs no checkpoints.
    expect(task.tickMatters(0, ARRIVED_MS + 86_400_000)).toBe(false);
  });
});

describe("a checkpoint", () => {
  test("holds the ticks since the one before, with where every input stood", () => {
    const { task } = taskWithReading();
    task.tick(0, ARRIVED_MS + 1);
    task.tick(0, ARRIVED_MS + 2);

    expect(task.cut().ticks).toEqual([
      { input: 0, offsets: [1], nowMs: ARRIVED_MS + 1 },
      { input: 0, offsets: [1], nowMs: ARRIVED_MS + 2 },
    ]);
    expect(task.cut().ticks).toEqual([]);
  });

  test("gives back a task that ticks go on from", () => {
    const { definition, task } = taskWithReading();
    task.tick(0, ARRIVED_MS + 3);

    const restored = restoredTask(definition, task.cut());

    expect(restored.watermarkMs).toBe(8);
    expect(restored.tickMatters(0, ARRIVED_MS + 4)).toBe(false);
    restored.tick(0, ARRIVED_MS + 5);
    fireAll(restored);
    expect(resultsOf(restored.cut())).toEqual(["k 0..10 n=1 total=2 rev=1"]);
  });
});
