import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { partitionOf } from "../../../contracts/partitioning.ts";
import type { Task } from "../../../processors/engine/task/task.ts";
import { batchOf } from "../../support/records.ts";
import {
  feed,
  freshTask,
  outputsTo,
  type Reading,
  type ReadingOptions,
  readings,
  recordsOf,
  restoredTask,
  resultsOf,
  watermark,
} from "./task-fixture.ts";

interface Case {
  readonly name: string;
  readonly options?: ReadingOptions;
  readonly records: Parameters<typeof recordsOf>[0];
  readonly results: readonly string[];
  readonly late?: number;
  readonly duplicate?: number;
  readonly dead?: number;
}

const cases: readonly Case[] = [
  {
    name: "nothing is emitted before the watermark reaches the end",
    records: [{ t: 1 }, { t: 9 }],
    results: [],
  },
  {
    name: "a window fires when the watermark reaches its end",
    records: [{ t: 1, v: 2 }, { t: 9, v: 3 }, { t: 10 }],
    results: ["k 0..10 n=2 total=5 rev=1"],
  },
  {
    name: "the end is exclusive: an event at the end is in the next window",
    records: [{ t: 10, v: 7 }, { t: 20 }],
    results: ["k 10..20 n=1 total=7 rev=1"],
  },
  {
    name: "times before 1970 fall into the right window",
    records: [{ t: -1, v: 4 }, { t: -10, v: 5 }, { t: 0 }],
    results: ["k -10..0 n=2 total=9 rev=1"],
  },
  {
    name: "the bound holds the watermark back, so disorder within it is on time",
    options: { outOfOrderMs: 5 },
    records: [{ t: 12 }, { t: 9, v: 8 }, { t: 15 }],
    results: ["k 0..10 n=1 total=8 rev=1"],
  },
  {
    name: "an event is applied under the old watermark, then the watermark advances",
    options: { dedupe: false },
    records: [{ t: 25 }, { t: 19 }, { t: 40 }],
    results: ["k 20..30 n=1 total=1 rev=1"],
    late: 1,
  },
  {
    name: "windows fire by end, then start, keys in the order in which they came",
    records: [{ t: 11, key: "b" }, { t: 12, key: "a" }, { t: 31 }],
    results: ["b 10..20 n=1 total=1 rev=1", "a 10..20 n=1 total=1 rev=1"],
  },
  {
    name: "one event may close several windows, earliest first",
    options: { outOfOrderMs: 20 },
    records: [{ t: 21 }, { t: 5 }, { t: 100 }],
    results: ["k 0..10 n=1 total=1 rev=1", "k 20..30 n=1 total=1 rev=1"],
  },
  {
    name: "an event inside the lateness updates its window and is emitted again at once",
    options: { allowedLatenessMs: 10 },
    records: [{ t: 5, v: 1 }, { t: 12 }, { t: 6, v: 2 }, { t: 30 }],
    results: ["k 0..10 n=1 total=1 rev=1", "k 0..10 n=2 total=3 rev=2", "k 10..20 n=1 total=1 rev=1"],
  },
  {
    name: "a first event inside the lateness of a window that has none is emitted at once",
    options: { allowedLatenessMs: 10 },
    records: [{ t: 15 }, { t: 6, v: 2 }],
    results: ["k 0..10 n=1 total=2 rev=1"],
  },
  {
    name: "an event at end + lateness is late",
    options: { allowedLatenessMs: 5, dedupe: false },
    records: [{ t: 5 }, { t: 15 }, { t: 6 }],
    results: ["k 0..10 n=1 total=1 rev=1"],
    late: 1,
  },
  {
    name: "the same source and id count once",
    records: [{ t: 1, id: "x" }, { t: 2, id: "x" }, { t: 10 }],
    results: ["k 0..10 n=1 total=1 rev=1"],
    duplicate: 1,
  },
  {
    name: "without dedupe the same id counts again",
    options: { dedupe: false },
    records: [{ t: 1, id: "x" }, { t: 2, id: "x" }, { t: 10 }],
    results: ["k 0..10 n=2 total=2 rev=1"],
  },
  {
    name: "a late event is remembered: its repetition is a duplicate, until the horizon has passed it",
    records: [{ t: 25 }, { t: 19, id: "x" }, { t: 19, id: "x" }, { t: 30 }, { t: 19, id: "x" }],
    results: ["k 20..30 n=1 total=1 rev=1"],
    late: 2,
    duplicate: 1,
  },
  {
    name: "an in-band watermark record closes windows",
    records: [{ t: 5 }, watermark(1, 10)],
    results: ["k 0..10 n=1 total=1 rev=1"],
  },
  {
    name: "an older watermark record changes nothing",
    records: [{ t: 5 }, watermark(1, 3), { t: 6 }, watermark(3, 10)],
    results: ["k 0..10 n=2 total=2 rev=1"],
  },
  {
    name: "bad records are dead-lettered and stop nothing",
    records: [
      "not json",
      { t: 5 },
      { offset: 2, value: null },
      watermark(3, "soon"),
      "{}",
      { t: Number.NaN },
      { key: "", t: 5 },
      { t: 6, v: Number.NaN },
      '{"id":"e8","key":"k","t":5,"v":"many"}',
      { t: 10 },
    ],
    results: ["k 0..10 n=1 total=1 rev=1"],
    dead: 8,
  },
];

describe("a task", () => {
  test.each(cases)("$name", ({ options, records, results, late = 0, duplicate = 0, dead = 0 }) => {
    const task = freshTask(readings(options));

    feed(task, recordsOf(records));

    const cut = task.cut();
    expect(resultsOf(cut)).toEqual(results);
    expect(task.counters).toMatchObject({ late, duplicate, dead, results: results.length });
    expect(outputsTo(cut, "readings.late")).toHaveLength(late);
    expect(outputsTo(cut, "dead-letters")).toHaveLength(dead);
  });

  test("a result carries every aggregate and its version", () => {
    const task = freshTask(readings());

    feed(task, recordsOf([{ t: 1, v: 10 }, { t: 2, v: 20 }, { t: 3, v: 30 }, { t: 10 }]));

    expect(outputsTo(task.cut(), "readings.results")).toEqual([
      {
        topic: "readings.results",
        key: "k",
        headers: {},
        value: {
          kind: "result",
          pipeline: "readings",
          key: "k",
          window: { start: 0, end: 10 },
          value: { n: 3, big: 2, total: 60, mean: 20, least: 10, most: 30 },
          revision: 1,
          version: { generation: 1, checkpoint: 1, index: 0 },
        },
      },
    ]);
  });

  test("a late event keeps its bytes and says how late it was", () => {
    const task = freshTask(readings({ dedupe: false }));
    const records = recordsOf([{ t: 25 }, { t: 3 }]);

    feed(task, records);

    expect(outputsTo(task.cut(), "readings.late")).toEqual([
      {
        topic: "readings.late",
        key: "k",
        value: records[1]!.value,
        headers: {
          "spillway-stage": "readings",
          "spillway-topic": "readings-in",
          "spillway-partition": "0",
          "spillway-offset": "1",
          "spillway-late-by-ms": "15",
        },
      },
    ]);
  });

  test("a dead letter keeps its bytes and says where it came from and why", () => {
    const task = freshTask(readings());

    feed(task, [{ offset: 7, key: "k", value: "not json" }]);

    expect(outputsTo(task.cut(), "dead-letters")).toMatchObject([
      {
        key: "k",
        value: "not json",
        headers: {
          "spillway-reason": "undecodable",
          "spillway-stage": "readings",
          "spillway-content": "record",
          "spillway-topic": "readings-in",
          "spillway-partition": "0",
          "spillway-offset": "7",
        },
      },
    ]);
  });

  test("an event dated beyond its arrival's bound is dead, and closes nobody's window", () => {
    const task = freshTask(readings());
    const arrivalMs = 1_000;

    feed(task, [
      ...recordsOf([{ t: 5 }]),
      { offset: 1, arrivalMs, value: JSON.stringify({ id: "x", key: "k", t: arrivalMs + 86_400_001, v: 1 }) },
    ]);

    expect(task.watermarkMs).toBe(5);
    expect(outputsTo(task.cut(), "dead-letters")).toMatchObject([
      { headers: { "spillway-reason": "too-far-ahead" } },
    ]);
  });

  test("a key that belongs to another partition is dead", () => {
    const task = freshTask(readings(), 4);
    const keys = ["a", "b", "c", "d", "e", "f", "g", "h"];
    const strays = keys.filter((key) => partitionOf(new TextEncoder().encode(key), 4) !== 0);

    feed(task, recordsOf(keys.map((key) => ({ key, t: 1 }))));

    expect(strays.length).toBeGreaterThan(0);
    expect(task.counters).toMatchObject({ counted: keys.length - strays.length, dead: strays.length });
  });

  test.each([
    ["__proto__", 1],
    ["constructor", 1],
    ["é".repeat(512), 1],
    ["é".repeat(513), 0],
  ])("a key like %.12j is counted %i times", (key, counted) => {
    const task = freshTask(readings());

    feed(
      task,
      recordsOf([
        { key, t: 1 },
        { key: "k", t: 10 },
      ]),
    );

    expect(resultsOf(task.cut())).toHaveLength(counted);
  });

  test("a key or an identity that the snapshot cannot give back as it was is dead, not merged or fatal", () => {
    const task = freshTask(readings());

    feed(
      task,
      recordsOf([
        { key: "\ud800", t: 1 },
        { key: "\ud801", t: 1 },
        { id: "\ud800", t: 1 },
        '{"id":5,"key":"k","t":1,"v":1}',
        '{"key":"k","t":1,"v":1}',
        { t: 1 },
      ]),
    );

    const cut = task.cut();
    expect(task.counters).toMatchObject({ counted: 1, dead: 5 });
    expect(outputsTo(cut, "dead-letters").map(({ headers }) => headers)).toMatchObject([
      { "spillway-reason": "invalid-key" },
      { "spillway-reason": "invalid-key" },
      { "spillway-reason": "invalid-event" },
      { "spillway-reason": "invalid-event" },
      { "spillway-reason": "invalid-event" },
    ]);
  });

  test("records below the expected offset are skipped, jumps forward are normal", () => {
    const task = freshTask(readings({ dedupe: false }));

    feed(task, recordsOf([{ t: 1 }, { t: 2 }]));
    feed(
      task,
      recordsOf([{ t: 1 }, { t: 2 }, { t: 3 }]).map((record) => ({ ...record, offset: record.offset * 9 })),
    );

    expect(task.counters.counted).toBe(4);
    expect(task.offsets).toEqual([19]);
  });

  test("a sum that is no longer finite costs that pane, which is dead-lettered with its row", () => {
    const task = freshTask(readings());

    feed(
      task,
      recordsOf([{ key: "k", t: 1, v: 1e308 }, { key: "k", t: 2, v: 1e308 }, { key: "j", t: 3 }, { t: 10 }]),
    );

    const cut = task.cut();
    expect(resultsOf(cut)).toEqual(["j 0..10 n=1 total=1 rev=1"]);
    const [pane] = outputsTo(cut, "dead-letters");
    expect(pane!.headers).toMatchObject({
      "spillway-reason": "user-code-failed",
      "spillway-content": "pane",
    });
    expect(JSON.parse(pane!.value as string)).toMatchObject({ key: "k", window: { start: 0, end: 10 } });
  });
});

describe("whatever the batches and crashes", () => {
  const reading = fc.record({
    id: fc.constantFrom("a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"),
    key: fc.constantFrom("k1", "k2", "k3"),
    t: fc.integer({ min: -30, max: 120 }),
    v: fc.integer({ min: -100, max: 100 }),
  });
  const options = fc.record({
    outOfOrderMs: fc.constantFrom(0, 7, 25),
    allowedLatenessMs: fc.constantFrom(0, 12),
  });

  /** Outputs without their versions, which say when checkpoints were made. */
  const outputsOf = (task: Task): string[] =>
    task.cut().outputs.map(({ topic, key, value, headers }) => {
      const text = value === null ? null : new TextDecoder().decode(value).replace(/,"version":.*/, "}");
      return JSON.stringify([topic, key && new TextDecoder().decode(key), text, headers]);
    });

  test("outputs are the same", () => {
    fc.assert(
      fc.property(
        fc.array(reading, { maxLength: 60 }),
        options,
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
        fc.integer({ min: 1, max: 4 }),
        (events: Reading[], settings, sizes, maxSteps) => {
          const definition = readings(settings);
          const records = [...recordsOf(events), watermark(events.length, 1_000)];
          const whole = freshTask(definition);
          feed(whole, records);

          let crashing = freshTask(definition);
          const outputs: string[] = [];
          for (let at = 0, turn = 0; at < records.length; turn++) {
            const size = sizes[turn % sizes.length]!;
            feed(crashing, records.slice(at, at + size), maxSteps);
            at += size;
            const cut = crashing.cut();
            outputs.push(...outputsOf({ cut: () => cut } as Task));
            crashing = restoredTask(definition, cut);
          }

          expect(outputs).toEqual(outputsOf(whole));
          expect(crashing.counters).toEqual(whole.counters);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("a firing that is cut in the middle goes on after recovery", () => {
    const definition = readings();
    const keys = Array.from({ length: 10 }, (_, index) => `key-${index}`);
    const task = freshTask(definition);
    feed(task, recordsOf(keys.map((key) => ({ key, t: 1 }))));
    task.apply(batchOf({ topic: "readings-in", partition: 0 }, [watermark(10, 10)]), 0, 4);

    const first = task.cut();
    const restored = restoredTask(definition, first);
    expect(restored.firing).toBe(true);
    while (restored.firing) restored.fire(3);

    expect([...resultsOf(first), ...resultsOf(restored.cut())].map((line) => line.split(" ")[0])).toEqual(
      keys,
    );
  });
});
