/** What a task does that holds as much as it may: it refuses what would be more, and gets out of that by itself. */
import { describe, expect, test } from "vitest";
import { count, keyedState, pipeline, tumbling } from "../../../../processors/engine/pipeline/dsl.ts";
import { TestDriver } from "../../../../processors/engine/testing/test-driver.ts";
import { batchOf } from "../../../support/records.ts";
import { freshTask } from "../task-fixture.ts";
import {
  kinds,
  pipelineOf,
  RIGHT_TOPIC,
  record,
  STAY_MS,
  sourceOf,
  TABLE_TOPIC,
  TOPIC,
} from "./pipelines.ts";

const keysAt = (t: number, ...keys: string[]) => keys.map((key) => record({ key, t }));
const reasons = (driver: TestDriver) => driver.dead.map(({ reason }) => reason);

describe.each(kinds.filter((kind) => kind !== "global"))("a task with %s that is full", (kind) => {
  /** Rows of ten milliseconds; a hopping window's event has two of them, a process' a state and a timer. */
  const full = () => {
    const driver = new TestDriver(pipelineOf(kind, { maxEntriesPerTask: 4 }));
    if (kind === "join") driver.watermark(1_000_000, RIGHT_TOPIC);
    driver.feed(...keysAt(1, "a", "b", "c", "d", "e", "f"));
    return driver;
  };

  test("has room again as time goes on, though the events that say so were refused", () => {
    const driver = full();
    const refused = driver.dead.length;
    expect(refused).toBeGreaterThan(0);

    driver.feed(...keysAt(1 + 3 * STAY_MS, "x", "y"), ...keysAt(1 + 6 * STAY_MS, "z"));

    // The one that brings the time finds the state as it was.
    expect(driver.dead.length).toBeLessThanOrEqual(refused + 1);
    expect(new Set(reasons(driver))).toEqual(new Set(["state-full"]));
  });

  test("says after a crash what it would have said without", () => {
    const driver = full();
    driver.checkpoint();
    const before = driver.outputs;
    driver.crash();
    driver.feed(...keysAt(1, "g"));
    expect(driver.outputs.length).toBe(before.length + 1);
    expect(reasons(driver).at(-1)).toBe("state-full");
  });
});

describe("where the state is full", () => {
  test("a duplicate is one", () => {
    const driver = new TestDriver(pipelineOf("tumbling", { maxEntriesPerTask: 1 }));
    const first = record({ key: "a", t: 1 });
    driver.feed(first, record({ key: "b", t: 1 }), first);
    expect(driver.counters).toMatchObject({ counted: 1, dead: 1, duplicate: 1 });
  });

  test("what is refused is not remembered, so that it counts when it is sent again", () => {
    const driver = new TestDriver(pipelineOf("tumbling", { maxEntriesPerTask: 1 }));
    const second = record({ key: "b", t: 70 });
    driver.feed(record({ key: "a", t: 55 }), second);
    expect(driver.counters).toMatchObject({ counted: 1, dead: 1 });
    driver.feed(second, second);
    expect(driver.counters).toMatchObject({ counted: 2, dead: 1, duplicate: 1 });
  });

  test("what a filter drops is ignored", () => {
    const definition = pipeline("filtered", { maxEntriesPerTask: 1 })
      .from(sourceOf(TOPIC), { outOfOrderMs: 0 })
      .keyBy(({ key }) => key)
      .filter(({ v }) => v > 0)
      .window(tumbling({ sizeMs: 10 }))
      .aggregate({ n: count() })
      .toResults();
    const driver = new TestDriver(definition);
    driver.feed(record({ key: "a" }), record({ key: "b", v: 0 }), record({ key: "b" }));
    expect(driver.counters).toMatchObject({ counted: 1, ignored: 1, dead: 1 });
  });

  test("a process function may still do what needs no further entry", () => {
    const definition = pipeline("processed", { maxEntriesPerTask: 2 })
      .from(sourceOf(TOPIC), { outOfOrderMs: 0, dedupe: false })
      .keyBy(({ key }) => key)
      .process({
        state: keyedState<number>(),
        onEvent: ({ v, t }, { state, timers, emit }) => {
          emit({ v });
          if (v > 0) state.set(v);
          if (v > 1) timers.set(t + v);
        },
        onTimer: () => undefined,
      })
      .toResults();
    const driver = new TestDriver(definition);
    // A state and a timer; the same timer again; another timer; another state; nothing.
    for (const [key, v] of [
      ["a", 2],
      ["a", 2],
      ["a", 3],
      ["b", 1],
      ["b", 0],
    ] as const) {
      driver.feed(record({ key, v }));
    }
    expect(driver.results.map(({ value }) => value)).toEqual([{ v: 2 }, { v: 2 }, { v: 0 }]);
    expect(reasons(driver)).toEqual(["state-full", "state-full"]);
  });

  test("rows of a table count, and further ones are refused", () => {
    const driver = new TestDriver(pipelineOf("lookup", { maxEntriesPerTask: 2 }));
    const row = (key: string, rate: number | null) => ({
      topic: TABLE_TOPIC,
      key,
      value: rate === null ? null : { rate },
    });
    driver.feed(row("a", 2), row("b", 3), row("c", 4), row("a", 5));
    expect(reasons(driver)).toEqual(["state-full"]);
    driver.feed(row("b", null), record({ key: "a", v: 10 }), record({ key: "c", v: 10 }));
    driver.flush();
    expect(driver.results.map(({ value }) => value)).toEqual([{ n: 1, total: 50, most: 50 }]);
    expect(reasons(driver)).toEqual(["state-full", "state-full"]);
  });

  test("ids that are remembered have a limit of their own, and are forgotten as time goes on", () => {
    const driver = new TestDriver(pipelineOf("tumbling", { maxIdsPerTask: 3 }));
    driver.feed(...keysAt(1, "a", "a", "a", "a"));
    expect(driver.counters).toMatchObject({ counted: 3, dead: 1 });
    expect(driver.dead[0]!.detail).toContain("maxIdsPerTask");
    driver.feed(...keysAt(5_000, "a", "a"));
    expect(driver.counters).toMatchObject({ counted: 4, dead: 2 });
  });
});

test("a task tells what share of its limits it has used, of the one that is nearer", () => {
  const definition = pipelineOf("tumbling", { maxEntriesPerTask: 10, maxIdsPerTask: 4 });
  const task = freshTask(definition);
  const batch = (from: number, t: number, ...keys: string[]) =>
    batchOf(
      { topic: TOPIC, partition: 0 },
      keys.map((key, index) => ({
        offset: from + index,
        value: JSON.stringify({ id: `${from}-${index}`, key, t, v: 1 }),
      })),
    );

  task.apply(batch(0, 1, "a", "b", "c"), 0, 100);
  expect(task.limit).toMatchObject({ entries: 3, share: 0.75 });
  task.apply(batch(3, 5_000, "a", "b"), 0, 100);
  expect(task.limit).toMatchObject({ entries: 2, share: 0.5 });
});
