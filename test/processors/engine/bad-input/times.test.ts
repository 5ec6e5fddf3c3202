/** Time that does not go on as it should: silence for a year, clocks that run ahead, one key with nearly everything. */
import { describe, expect, test } from "vitest";
import {
  count,
  DAY_MS,
  everyEventTimeMs,
  global,
  HOUR_MS,
  hopping,
  type KeyedStream,
  MINUTE_MS,
  onUpdate,
  type PipelineDefinition,
  pipeline,
  session,
  sliding,
  sum,
  tumbling,
} from "../../../../processors/engine/pipeline/dsl.ts";
import type { Task } from "../../../../processors/engine/task/task.ts";
import { TestDriver } from "../../../../processors/engine/testing/test-driver.ts";
import { batchOf } from "../../../support/records.ts";
import { freshTask } from "../task-fixture.ts";
import { type Item, kinds, pipelineOf, record, sourceOf, TOPIC } from "./pipelines.ts";

const YEAR_MS = 365 * DAY_MS;
const START_MS = Date.UTC(2025, 0, 1);

const n = { n: count<Item>() };
const keyed = () =>
  pipeline("times")
    .from<Item>(sourceOf(TOPIC), { outOfOrderMs: 0, dedupe: false })
    .keyBy(({ key }) => key);

const every = everyEventTimeMs(1);
const windows: Record<string, (items: KeyedStream<Item>) => PipelineDefinition> = {
  "a day's windows every minute": (items) =>
    items
      .window(hopping({ sizeMs: DAY_MS, advanceMs: MINUTE_MS }))
      .aggregate(n)
      .toResults(),
  "a day's windows every minute, emitted every millisecond": (items) =>
    items
      .window(hopping({ sizeMs: DAY_MS, advanceMs: MINUTE_MS }), { emit: every })
      .aggregate(n)
      .toResults(),
  "windows of a millisecond": (items) =>
    items
      .window(tumbling({ sizeMs: 1 }))
      .aggregate(n)
      .toResults(),
  "sessions, emitted every millisecond": (items) =>
    items
      .window(session({ gapMs: HOUR_MS }), { emit: every })
      .aggregate(n)
      .toResults(),
  "sliding windows": (items) =>
    items
      .window(sliding({ sizeMs: HOUR_MS }))
      .aggregate(n)
      .toResults(),
  "all time, emitted every millisecond": (items) =>
    items
      .window(global({ trigger: every }))
      .aggregate(n)
      .toResults(),
};

/** Applies one item and fires what is due; returns how many steps that took. */
function apply(task: Task, offset: number, t: number): number {
  const batch = batchOf({ topic: TOPIC, partition: 0 }, [
    { offset, value: JSON.stringify({ id: offset, key: "k", t, v: 1 }), arrivalMs: t },
  ]);
  task.apply(batch, 0, 1);
  let steps = 1;
  while (task.firing) steps += task.fire(1_000);
  return steps;
}

describe.each(Object.keys(windows))("%s", (name) => {
  test.each([YEAR_MS, 100 * YEAR_MS])(
    "after a silence of %s ms the next event costs what is open, not what lies between",
    (gapMs) => {
      const task = freshTask(windows[name]!(keyed()));
      apply(task, 0, START_MS);
      const open = task.limit.entries;
      const steps = apply(task, 1, START_MS + gapMs);
      expect(steps).toBeLessThanOrEqual(3 * open + 10);
      expect(task.pendingOutputs.length).toBeLessThanOrEqual(2 * open + 2);
      expect(apply(task, 2, START_MS + gapMs + 1)).toBeLessThanOrEqual(3 * open + 10);
    },
  );
});

test("a tick after a year of silence closes what is open, and no more", () => {
  const driver = new TestDriver(windows["a day's windows every minute, emitted every millisecond"]!(keyed()));
  driver.feed(record({ t: START_MS }));
  driver.tick(START_MS + YEAR_MS);
  const windowsOfAnEvent = DAY_MS / MINUTE_MS;
  expect(driver.results).toHaveLength(windowsOfAnEvent);
});

describe.each(kinds.filter((kind) => kind !== "global"))("a producer's clock that runs ahead, %s", (kind) => {
  test("beyond the bound of its arrival moves nobody's time: its event is dead, and the others go on", () => {
    const run = (ahead: boolean) => {
      const driver = new TestDriver(pipelineOf(kind));
      const arrivalMs = START_MS + 10;
      const event = (id: string, t: number) => record({ id, key: "others", t }, { arrivalMs });
      driver.feed(event("1", START_MS));
      if (ahead) driver.feed(record({ key: "wrong", t: START_MS + 2 * DAY_MS }, { arrivalMs }));
      driver.feed(event("2", START_MS + 1), event("3", START_MS + 30));
      driver.flush();
      return driver;
    };
    const [with_, without] = [run(true), run(false)];
    expect(with_.dead).toMatchObject([{ reason: "too-far-ahead" }]);
    expect(with_.late).toEqual([]);
    expect(with_.emissions).toEqual(without.emissions);
  });
});

/** What the bound cannot tell from an event that is early: it closes windows, but only of its own partition. */
test("a clock that runs ahead within the bound makes others late, in its partition only", () => {
  const definition = keyed()
    .window(tumbling({ sizeMs: MINUTE_MS }))
    .aggregate(n)
    .toResults();
  const driver = new TestDriver(definition, { partitions: 2 });
  const arrivalMs = START_MS + 1_000;
  const at = (partition: number, t: number) => record({ key: keyOf(partition), t }, { arrivalMs, partition });
  driver.feed(at(0, START_MS), at(1, START_MS));
  driver.feed(at(0, START_MS + HOUR_MS));
  driver.feed(at(0, START_MS + 2_000), at(1, START_MS + 2_000));
  driver.flush();

  expect(driver.late.map(({ partition, lateByMs }) => [partition, lateByMs])).toEqual([
    [0, HOUR_MS - MINUTE_MS],
  ]);
  expect(driver.counters).toMatchObject({ counted: 4, late: 1, dead: 0 });
});

/** With two partitions, a key of each. */
function keyOf(partition: number): string {
  const probe = new TestDriver(
    keyed()
      .window(tumbling({ sizeMs: 1 }))
      .aggregate(n)
      .toResults(),
    { partitions: 2 },
  );
  for (let i = 0; ; i++) {
    const key = `key-${i}`;
    probe.feed(record({ key, t: i }, { partition }));
    if (probe.counters.dead <= i) return key;
  }
}

describe("a key with 90 % of the traffic", () => {
  const KEYS = 10;
  const EVENTS = 5_000;
  const items = Array.from({ length: EVENTS }, (_, index) => ({
    key: index % 10 === 0 ? `cold-${(index / 10) % (KEYS - 1)}` : "hot",
    t: START_MS + index,
    v: index % 7,
  }));
  const expected = (key: string) => {
    const own = items.filter((item) => item.key === key);
    return { n: own.length, total: own.reduce((total, { v }) => total + v, 0) };
  };
  const fields = { n: count<Item>(), total: sum(({ v }: Item) => v) };
  const window = tumbling({ sizeMs: HOUR_MS });
  const start = () => pipeline("hot").from<Item>(sourceOf(TOPIC), { outOfOrderMs: 0 });

  const shapes: Record<string, () => PipelineDefinition> = {
    "grouped where it is": () =>
      start()
        .keyBy(({ key }) => key)
        .window(window)
        .aggregate(fields)
        .toResults(),
    "spread over all partitions": () =>
      start()
        .spreadBy("by-key", ({ key }) => key)
        .window(window)
        .aggregate(fields)
        .toResults(),
    "emitted at every event": () =>
      start()
        .keyBy(({ key }) => key)
        .window(window, { emit: onUpdate() })
        .aggregate(fields)
        .toResults(),
  };

  test.each(Object.keys(shapes))("counts exactly, %s", (shape) => {
    const driver = new TestDriver(shapes[shape]!(), { partitions: 4 });
    const spread = shape.startsWith("spread");
    driver.feed(...items.map((item, index) => record(item, spread ? { partition: index % 4 } : {})));
    driver.checkpoint();
    driver.crash();
    driver.flush();
    expect(driver.dead).toEqual([]);
    for (const key of new Set(items.map((item) => item.key))) {
      expect(driver.results.findLast((result) => result.key === key)?.value).toEqual(expected(key));
    }
  });
});
