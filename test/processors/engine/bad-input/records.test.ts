/** Records as no producer should write them, and as some do, through every kind of step. */
import { describe, expect, test } from "vitest";
import type { DeadLetterReason } from "../../../../contracts/dead-letter.ts";
import { collect, first, pipeline, tumbling } from "../../../../processors/engine/pipeline/dsl.ts";
import { TestDriver, type TestRecord } from "../../../../processors/engine/testing/test-driver.ts";
import { allKinds, driverOf, record, sourceOf, TOPIC } from "./pipelines.ts";

/** As long as a message may be, with the rest of its value. */
const LONGEST_KEY = "k".repeat(1_000_000);
const EDGE_MS = 4.32e15;

const withTime = (t: unknown): TestRecord => record({ t: t as number });
const withKey = (key: unknown): TestRecord => record({ key: key as string });

const bad: readonly [string, TestRecord, DeadLetterReason][] = [
  ["no value", { value: null, key: "k" }, "undecodable"],
  ["neither value nor key", { value: null, key: null }, "undecodable"],
  ["a value of no bytes", { value: "" }, "undecodable"],
  ["a value that is no JSON", { value: "{" }, "undecodable"],
  ["a value that is null", { value: "null" }, "missing-time"],
  ["no time", { value: { id: "x", key: "k", v: 1 } }, "missing-time"],
  ["a time that is text", withTime("2026-01-01T00:00:00Z"), "missing-time"],
  ["a time that is a list", withTime([1]), "missing-time"],
  ["a time that is NaN", withTime("#NaN"), "missing-time"],
  ["a time that is infinite", { value: '{"id":"x","key":"k","v":1,"t":1e999}' }, "missing-time"],
  ["the time 1e308", withTime(1e308), "missing-time"],
  ["the time -1e308", withTime(-1e308), "missing-time"],
  ["a time past the edge", withTime(EDGE_MS + 1), "missing-time"],
  ["a time before the edge", withTime(-EDGE_MS - 1), "missing-time"],
  ["a key of a megabyte", { ...withKey(LONGEST_KEY), key: "k" }, "key-too-large"],
  ["a key of a byte too many", withKey("k".repeat(1_025)), "key-too-large"],
  ["an empty key", withKey(""), "invalid-key"],
  ["a key that is half a character", withKey("\ud83d"), "invalid-key"],
  ["a key that is a number", withKey(7), "invalid-key"],
  ["a key that is null", withKey(null), "invalid-key"],
  ["a key that is an object", withKey({ toString: "k" }), "invalid-key"],
];

describe.each(allKinds)("%s", (kind) => {
  test.each(bad)("a record with %s is one dead letter, and nothing else", (_, badRecord, reason) => {
    const driver = driverOf(kind);
    driver.feed(badRecord);
    expect(driver.dead).toMatchObject([{ reason, content: "record" }]);
    expect(driver.dead[0]!.value).toBe(textOf(badRecord.value));
    driver.feed(record({ t: 5 }));
    driver.checkpoint();
    driver.crash();
    driver.flush();
    expect(driver.results.length).toBeGreaterThan(0);
    expect(driver.dead).toHaveLength(1);
  });

  test("a record without a Kafka key counts: its key is in its value", () => {
    const driver = driverOf(kind);
    driver.feed(record({}, { key: null }));
    driver.flush();
    expect(driver.dead).toEqual([]);
    expect(driver.results.length).toBeGreaterThan(0);
  });

  test.each([EDGE_MS, -EDGE_MS])("the last times that can be, %s, are times like any other", (t) => {
    const driver = driverOf(kind);
    const inside = t - Math.sign(t);
    driver.feed(record({ t: inside }, { arrivalMs: EDGE_MS }), record({ t }, { arrivalMs: EDGE_MS }));
    driver.checkpoint();
    driver.crash();
    driver.flush();
    expect(driver.dead).toEqual([]);
    expect(driver.results.length).toBeGreaterThan(0);
    for (const { window } of driver.results) {
      expect([window.start, window.end].every(Number.isSafeInteger)).toBe(true);
      expect(window.end).toBeGreaterThan(window.start);
    }
  });

  test("the longest key that may be is one like any other", () => {
    const driver = driverOf(kind);
    const key = "k".repeat(1_024);
    driver.feed(record({ key }));
    driver.checkpoint();
    driver.crash();
    driver.flush();
    expect(driver.dead).toEqual([]);
    expect(driver.results[0]!.key).toBe(key);
  });

  const strange = [
    "__proto__",
    "constructor",
    "hasOwnProperty",
    "toString",
    "\u0000",
    " ",
    "1",
    "a b",
    "ключ",
  ];
  test.each(strange)("the key %j is one like any other, in results and after a crash", (key) => {
    const run = (name: string) => {
      const driver = driverOf(kind, { dedupe: false });
      const item = (t: number, v: number) => record({ id: `at ${t}`, key: name, t, v });
      driver.feed(item(1, 1), item(2, 2));
      driver.checkpoint();
      driver.feed(item(3, 3));
      driver.crash();
      driver.feed(item(30, 1));
      driver.flush();
      expect(driver.dead).toEqual([]);
      return driver.emissions;
    };
    const ordinary = JSON.stringify(run("ordinary"));
    expect(JSON.stringify(run(key))).toBe(ordinary.replaceAll('"ordinary"', () => JSON.stringify(key)));
  });
});

const aggregating = allKinds.filter((kind) => !["process", "correlate", "join"].includes(kind));

describe.each(aggregating)("amounts that cannot be summed, %s", (kind) => {
  test.each([
    ["NaN", "#NaN"],
    ["text", "12"],
    ["nothing", null],
  ])("%s: the event is dead, and its window goes on", (_, v) => {
    const driver = driverOf(kind);
    driver.feed(record({ t: 1, v: 5 }), record({ t: 2, v: v as unknown as number }), record({ t: 3, v: 6 }));
    driver.flush();
    expect(driver.dead).toMatchObject([{ reason: "invalid-event" }]);
    expect(driver.results.at(-1)?.value).toMatchObject({ total: expect.any(Number) });
  });

  test("1e308 twice leaves the range of numbers: that pane is dead, every other is not", () => {
    const driver = driverOf(kind);
    driver.feed(
      record({ key: "huge", t: 1, v: 1e308 }),
      record({ key: "huge", t: 1, v: 1e308 }),
      record({ t: 1, v: 3 }),
    );
    driver.checkpoint();
    driver.crash();
    driver.flush();
    const panes = driver.dead.filter(({ content }) => content === "pane");
    expect(panes.length).toBeGreaterThan(0);
    expect(panes.every(({ value }) => JSON.parse(value!).key === "huge")).toBe(true);
    expect(driver.results.find(({ key }) => key === "k")?.value).toMatchObject({ total: 3 });
  });
});

test("fields called like what every object has are fields like any other", () => {
  const definition = pipeline("fields")
    .from(sourceOf(TOPIC), { outOfOrderMs: 0 })
    .keyBy(({ key }) => key)
    .window(tumbling({ sizeMs: 10 }))
    .aggregate({ all: collect((item) => item, { maxItems: 3 }), one: first((item) => item) })
    .toResults();
  const driver = new TestDriver(definition);
  const value = '{"id":"1","key":"k","t":1,"v":1,"__proto__":{"isAdmin":true},"constructor":null}';
  driver.feed({ value });
  driver.checkpoint();
  driver.crash();
  driver.flush();
  const result = driver.results[0]!.value as { all: { items: object[] }; one: object };
  expect(JSON.stringify(result.all.items[0])).toBe(value);
  expect(JSON.stringify(result.one)).toBe(value);
  expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
});

function textOf(value: unknown): string | null {
  return value === null || typeof value === "string" ? value : JSON.stringify(value);
}
