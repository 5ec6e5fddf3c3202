/**
 * The author's code throws half-way, in every step that runs it: the record is one dead letter, the state is what it was,
 * byte for byte, and the next record counts.
 */
import { describe, expect, test } from "vitest";
import { stagesOf } from "../../../../processors/engine/pipeline/definition.ts";
import {
  aggregate,
  count,
  type KeyedStream,
  keyedState,
  max,
  min,
  type PipelineDefinition,
  pipeline,
  stream,
  sum,
  type Table,
  table,
  tumbling,
} from "../../../../processors/engine/pipeline/dsl.ts";
import type { Task } from "../../../../processors/engine/task/task.ts";
import { RecoverableTask } from "../../../../processors/engine/testing/recoverable-task.ts";
import { TestDriver } from "../../../../processors/engine/testing/test-driver.ts";
import { batchOf, type TestRecord } from "../../../support/records.ts";
import { decode, type Item, RIGHT_TOPIC, record, sourceOf, TABLE_TOPIC, TOPIC } from "./pipelines.ts";

const BAD_VALUE = 666;

/** What the code throws; not all of it is an error that says what is wrong. */
const thrown: Record<string, unknown> = {
  "an error": new Error("no luck"),
  "no error": "no luck",
  nothing: undefined,
  "an error whose message cannot be read": Object.defineProperty(new Error("x"), "message", {
    get: () => {
      throw new Error("not even this");
    },
  }),
};
let cause: unknown = thrown["an error"];

function check(item: Item): Item {
  if (item.v === BAD_VALUE) throw cause;
  return item;
}

const start = (source = sourceOf(TOPIC)) => pipeline("throwing").from<Item>(source, { outOfOrderMs: 0 });
const keyed = () => start().keyBy(({ key }) => key);
const window = tumbling({ sizeMs: 10 });
const counted = (items: KeyedStream<Item>) => items.window(window).aggregate({ n: count() }).toResults();

const twice = (item: Item): Item[] => {
  const items = [item];
  items.push(check(item));
  return items;
};

const summing = {
  kind: "summing-v1",
  create: () => 0,
  add: (total: number, item: Item) => total + check(item).v,
  merge: (a: number, b: number) => a + b,
  result: (total: number) => total,
  encode: (total: number) => new TextEncoder().encode(String(total)),
  decode: (bytes: Uint8Array) => Number(new TextDecoder().decode(bytes)),
};

const rows: Table<{ readonly rate: number }> = table({
  topic: TABLE_TOPIC,
  decode: () => ({ rate: 1 }),
});

const steps: Record<string, () => PipelineDefinition> = {
  decode: () =>
    counted(start({ ...sourceOf(TOPIC), decode: (value) => check(decode(value)) }).keyBy(({ key }) => key)),
  time: () => counted(start({ ...sourceOf(TOPIC), time: (item) => check(item).t }).keyBy(({ key }) => key)),
  identity: () =>
    counted(start({ ...sourceOf(TOPIC), identity: (item) => check(item).id }).keyBy(({ key }) => key)),
  key: () => counted(start().keyBy((item) => check(item).key)),
  filter: () =>
    counted(
      start()
        .filter((item) => check(item).v > 0)
        .keyBy(({ key }) => key),
    ),
  map: () =>
    counted(
      start()
        .map(check)
        .keyBy(({ key }) => key),
    ),
  "flatMap, after its first element": () =>
    counted(
      start()
        .flatMap(twice)
        .keyBy(({ key }) => key),
    ),
  "the key of a flatMap's second element": () =>
    counted(
      start()
        .flatMap((item) => [{ ...item, v: 1 }, item])
        .keyBy((item) => check(item).key),
    ),
  "filter after keyBy": () => counted(keyed().filter((item) => check(item).v > 0)),
  "map after keyBy": () => counted(keyed().map(check)),
  "flatMap after keyBy": () => counted(keyed().flatMap(twice)),
  "the third of five selectors": () =>
    keyed()
      .window(window)
      .aggregate({
        n: count(),
        least: min(({ v }) => v),
        total: sum((item) => check(item).v),
        most: max(({ v }) => v),
        many: count(({ v }) => v > 1),
      })
      .toResults(),
  "the second element's selector": () =>
    keyed()
      .flatMap((item) => [{ ...item, v: 1 }, item])
      .window(window)
      .aggregate({ total: sum((item) => check(item).v) })
      .toResults(),
  "the second branch's selector": () =>
    keyed()
      .branch({
        one: (items) => items.window(window).aggregate({ n: count() }),
        two: (items) => items.window(window).aggregate({ total: sum((item) => check(item).v) }),
      })
      .toResults(),
  "a custom aggregate": () =>
    keyed()
      .window(window)
      .aggregate({ n: count(), own: aggregate(summing) })
      .toResults(),
  "a custom aggregate's encode": () =>
    keyed()
      .window(window)
      .aggregate({
        n: count(),
        own: aggregate({
          ...summing,
          add: (total: number, item: Item) => total + item.v,
          encode: (total: number) => {
            if (total >= BAD_VALUE) throw cause;
            return summing.encode(total);
          },
        }),
      })
      .toResults(),
  "onEvent, after it set, timed and emitted": () =>
    keyed()
      .process({
        state: keyedState<number>({ ttlMs: 10_000 }),
        onEvent: (item, { state, timers, emit }) => {
          state.set(item.v);
          timers.set(item.t + 100);
          emit({ v: item.v });
          check(item);
        },
        onTimer: () => undefined,
      })
      .toResults(),
  "onEvent of the second element": () =>
    keyed()
      .flatMap((item) => [{ ...item, v: 1 }, item])
      .process({
        state: keyedState<number>({ ttlMs: 10_000 }),
        onEvent: (item, { state, timers }) => {
          state.set((state.get() ?? 0) + check(item).v);
          timers.set(item.t + item.v);
        },
        onTimer: () => undefined,
      })
      .toResults(),
  "which part an event is": () =>
    keyed()
      .correlate({ withinMs: 10, all: { any: (item) => item.v === 0, other: (item) => check(item).v > 0 } })
      .toResults(),
  "what a look-up makes of its row": () => counted(keyed().lookup(rows, check)),
  "the key of rekeyBy": () => counted(start().rekeyBy("by-key", (item) => check(item).key)),
  "a step before rekeyBy": () =>
    counted(
      start()
        .flatMap(twice)
        .rekeyBy("by-key", ({ key }) => key),
    ),
  "the key of spreadBy": () =>
    start()
      .spreadBy("by-key", (item) => check(item).key)
      .window(window)
      .aggregate({ n: count() })
      .toResults(),
  "a selector behind spreadBy": () =>
    start()
      .spreadBy("by-key", ({ key }) => key)
      .window(window)
      .aggregate({ n: count(), total: sum((item) => check(item).v) })
      .toResults(),
};

const item = (offset: number, v: number): TestRecord => ({
  offset,
  value: JSON.stringify({ id: `id-${offset}`, key: "k", t: offset, v }),
});

/** The task of the pipeline's first stage, which runs the code. */
const taskOf = (definition: PipelineDefinition): Task =>
  new RecoverableTask({ definition: stagesOf(definition)[0]!, partition: 0, partitions: 1 }).task;

function feed(task: Task, records: readonly TestRecord[]): void {
  const batch = batchOf({ topic: TOPIC, partition: 0 }, records);
  for (let next = 0; next < batch.count || task.firing; ) {
    if (task.firing) task.fire(100);
    else next = task.apply(batch, next, 100);
  }
}

const reasonsIn = (task: Task) => task.pendingOutputs.map(({ headers }) => headers["spillway-reason"]);

describe.each(Object.keys(steps))("code that throws in %s", (step) => {
  test.each(Object.keys(thrown))(
    "%s: one dead letter, and the state is as if the record had been no JSON",
    (what) => {
      cause = thrown[what];
      const [throwing, reference] = [taskOf(steps[step]!()), taskOf(steps[step]!())];
      const before = [item(0, 1), item(1, 2)];
      feed(throwing, [...before, item(2, BAD_VALUE)]);
      feed(reference, [...before, { offset: 2, value: "{" }]);

      const dead = reasonsIn(throwing).filter((reason) => reason !== undefined);
      expect(dead).toHaveLength(1);
      expect(["user-code-failed", "undecodable", "missing-time"]).toContain(dead[0]);
      const others = (task: Task) => task.pendingOutputs.filter(({ topic }) => topic !== "dead-letters");
      expect(others(throwing)).toEqual(others(reference));
      expect(throwing.cut().snapshot).toEqual(reference.cut().snapshot);

      const next = [item(3, 3), item(2_000, 1)];
      for (const task of [throwing, reference]) feed(task, next);
      expect(throwing.counters).toMatchObject({ counted: 4, dead: 1 });
      expect(throwing.pendingOutputs).toEqual(reference.pendingOutputs);
      expect(throwing.cut().snapshot).toEqual(reference.cut().snapshot);
    },
  );
});

test.each([
  ["text", "abc"],
  ["nothing", undefined],
  ["a promise", Promise.resolve([])],
  ["an object", {}],
])("a flatMap that returns %s is code that fails", (_, returned) => {
  for (const definition of [
    counted(
      start()
        .flatMap(() => returned as unknown as Item[])
        .keyBy(() => "k"),
    ),
    counted(keyed().flatMap(() => returned as unknown as Item[])),
  ]) {
    const task = taskOf(definition);
    feed(task, [item(0, 1), item(1, 1)]);
    expect(reasonsIn(task)).toEqual(["user-code-failed", "user-code-failed"]);
  }
});

const right = () => stream(sourceOf(RIGHT_TOPIC), { outOfOrderMs: 0, dedupe: false }).keyBy(({ key }) => key);
const throwing = (): never => {
  throw new Error("no luck");
};

/** Code that makes results: what it fails at is a dead pane, and its events are done with. */
const results: Record<string, (code: <T>(value: T) => T) => PipelineDefinition> = {
  "a custom aggregate's result": (code) =>
    keyed()
      .window(window)
      .aggregate({ own: aggregate({ ...summing, result: code }) })
      .toResults(),
  onTimer: (code) =>
    keyed()
      .process({
        state: keyedState<number>({ ttlMs: 1_000 }),
        onEvent: ({ t }, { timers, state }) => {
          state.set(t);
          timers.set(t + 1);
        },
        onTimer: (_, { state, timers, emit }) => {
          const value = state.get() ?? 0;
          state.clear();
          timers.set(5_000);
          emit({ value });
          code(value);
        },
      })
      .toResults(),
  "correlate's where": (code) =>
    keyed()
      .correlate({
        withinMs: 10,
        all: { any: ({ v }) => v === 1, other: ({ v }) => v > 1 },
        where: () => code(true),
      })
      .toResults(),
  "correlate's combine": (code) =>
    keyed()
      .correlate({ withinMs: 10, all: { any: ({ v }) => v === 1, other: ({ v }) => v > 1 }, combine: code })
      .toResults(),
  "join's combine": (code) =>
    keyed()
      .join(right(), { kind: "left", beforeMs: 0, afterMs: 5, combine: (left) => code(left) })
      .toResults(),
};

describe.each(Object.keys(results))("code for results that throws: %s", (name) => {
  const run = (code: <T>(value: T) => T) => {
    const driver = new TestDriver(results[name]!(code));
    if (name.startsWith("join")) driver.watermark(Number.MAX_SAFE_INTEGER, RIGHT_TOPIC);
    driver.feed(record({ t: 1, v: 1 }), record({ t: 2, v: 2 }), record({ t: 100, v: 0 }));
    driver.checkpoint();
    return driver;
  };

  test("is a dead pane that tells what was known, and the record that made it due counts", () => {
    const driver = run(throwing);
    expect(driver.results.map(({ kind }) => kind)).not.toContain("dead");
    expect(driver.dead.length).toBeGreaterThan(0);
    for (const dead of driver.dead) {
      expect(dead).toMatchObject({ reason: "user-code-failed", content: "pane" });
      expect(dead.detail).toContain("no luck");
      expect(JSON.parse(dead.value!)).toMatchObject({ pipeline: "throwing", key: "k" });
    }
    expect(driver.counters).toMatchObject({ dead: 0 });
    expect(driver.watermarkMs()).toBe(100);
  });

  test("leaves nothing behind that a crash would change", () => {
    const driver = run(throwing);
    driver.crash();
    driver.feed(record({ t: 200, v: 1 }), record({ t: 201, v: 2 }));
    driver.flush();
    const [crashed, dead] = [driver.emissions, driver.dead.map(({ value }) => value)];

    const other = run(throwing);
    other.feed(record({ t: 200, v: 1 }), record({ t: 201, v: 2 }));
    other.flush();
    expect(withoutIds(other.emissions)).toEqual(withoutIds(crashed));
    expect(other.dead).toHaveLength(dead.length);
  });
});

/** Every record has an id of its own, which some results show. */
const withoutIds = (value: unknown): unknown => JSON.parse(JSON.stringify(value).replaceAll(/id-\d+/g, "id"));

test("a table's row that cannot be read is dead, and the row before stays", () => {
  const definition = counted(
    keyed().lookup(
      table({
        topic: TABLE_TOPIC,
        decode: (value) => {
          const text = new TextDecoder().decode(value);
          if (text === "bad") throw new Error("no luck");
          return text;
        },
      }),
      (each, row) => ({ ...each, key: row ?? "none" }),
    ),
  );
  const driver = new TestDriver(definition);
  const row = (value: string) => ({ topic: TABLE_TOPIC, key: "k", value });
  driver.feed(row("good"), row("bad"), record({ t: 1 }));
  driver.checkpoint();
  driver.crash();
  driver.flush();
  expect(driver.dead).toMatchObject([{ reason: "undecodable", value: "bad" }]);
  expect(driver.results).toHaveLength(1);
});
