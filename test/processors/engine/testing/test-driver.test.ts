import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { flightDeparted } from "../../../../contracts/events/catalogue.ts";
import {
  count,
  events,
  HOUR_MS,
  pipeline,
  session,
  tumbling,
} from "../../../../processors/engine/pipeline/dsl.ts";
import {
  cloudEvent,
  TestDriver,
  type TestRecord,
} from "../../../../processors/engine/testing/test-driver.ts";
import { type Reading, readings } from "../task-fixture.ts";

let ids = 0;
const reading = (value: Partial<Reading>, record: Partial<TestRecord> = {}): TestRecord => {
  ids += 1;
  return { value: { id: `r${ids}`, key: "k", t: 0, v: 1, ...value }, ...record };
};
const countsOf = (driver: TestDriver) =>
  driver.results.map(({ key, window, value, revision }) => [
    key,
    window.start,
    (value as { n: number }).n,
    revision,
  ]);

describe("what is fed", () => {
  test("is a value as an object, as text or as bytes, or none", () => {
    const driver = new TestDriver(readings());
    const text = '{"id":"a","key":"k","t":2,"v":1}';

    driver.feed(
      reading({ t: 1 }),
      { value: text },
      { value: Buffer.from(text.replace("a", "b")) },
      { value: null },
    );
    driver.flush();

    expect(countsOf(driver)).toEqual([["k", 0, 3, 1]]);
    expect(driver.dead).toMatchObject([{ reason: "undecodable", content: "record", value: null }]);
    expect(driver.counters).toMatchObject({ counted: 3, dead: 1, results: 1 });
  });

  test("goes to the partition of its key, and says so where it is given another", () => {
    const driver = new TestDriver(readings(), { partitions: 4 });

    for (const key of ["a", "b", "c", "d", "e"]) driver.feed(reading({ key }));
    driver.feed(...[0, 1, 2, 3].map((partition) => reading({ key: "f" }, { partition })));
    driver.flush();

    expect(driver.results.map(({ key }) => key).sort()).toEqual(["a", "b", "c", "d", "e", "f"]);
    expect(driver.dead.map(({ reason }) => reason)).toEqual(Array(3).fill("key-elsewhere"));
  });

  test("arrives when it happened, unless it says when", () => {
    const driver = new TestDriver(readings());
    const dayMs = 24 * HOUR_MS;

    driver.feed(reading({ t: 400 * dayMs }), reading({ t: 500 * dayMs }, { arrivalMs: 400 * dayMs }));

    expect(driver.dead).toMatchObject([{ reason: "too-far-ahead" }]);
  });

  test("must be of a topic and a partition that there are", () => {
    const driver = new TestDriver(readings());

    expect(() => driver.feed(reading({}, { topic: "other" }))).toThrow(
      /does not read the topic other; it reads readings-in/,
    );
    expect(() => driver.feed(reading({}, { partition: 1 }))).toThrow(/no partition 1/);
    expect(() => driver.watermark(5, "other")).toThrow(/it reads readings-in/);
  });
});

test("late records come with how late they were", () => {
  const driver = new TestDriver(readings({ dedupe: false }));

  driver.feed(reading({ t: 25 }), { value: '{"id":"late","key":"k","t":3,"v":1}' });

  expect(driver.late).toEqual([
    {
      value: '{"id":"late","key":"k","t":3,"v":1}',
      lateByMs: 15,
      topic: "readings-in",
      partition: 0,
      offset: 1,
    },
  ]);
});

test("retractions and results are apart, and together in their order", () => {
  const driver = new TestDriver(readings({ window: session({ gapMs: 5 }), allowedLatenessMs: 50 }));

  driver.feed(reading({ t: 0 }), reading({ t: 20 }), reading({ t: 3 }));

  expect(driver.emissions.map(({ kind, window }) => [kind, window.end])).toEqual([
    ["result", 5],
    ["retract", 5],
    ["result", 8],
  ]);
  expect([driver.results.length, driver.retractions.length]).toEqual([2, 1]);
});

test("watermarks and ticks move time", () => {
  const driver = new TestDriver(readings(), { partitions: 2 });
  expect(driver.watermarkMs()).toBe(Number.NEGATIVE_INFINITY);

  driver.feed(reading({ key: "a", t: 5 }), reading({ key: "b", t: 7 }));
  driver.tick(60_004);
  expect(driver.results).toEqual([]);
  driver.tick(60_007);
  expect(driver.results.map(({ key }) => key).sort()).toEqual(["a", "b"]);

  driver.watermark(100_000);
  expect([driver.watermarkMs(0), driver.watermarkMs(1)]).toEqual([100_000, 100_000]);
});

test("a pipeline that is called like its topic recovers", () => {
  const named = pipeline("flights")
    .from(events(flightDeparted), { outOfOrderMs: 0 })
    .keyBy((flight) => flight.data.origin)
    .window(tumbling({ sizeMs: HOUR_MS }))
    .aggregate({ flights: count() })
    .toResults();
  const driver = new TestDriver(named);
  const data = { origin: "JFK", destination: "LAX", delayMin: 0, distanceMi: 2_475 };

  driver.feed({ value: cloudEvent(flightDeparted, { id: "1", timeMs: 0, data }) });
  driver.checkpoint();
  driver.crash();
  driver.feed({ value: cloudEvent(flightDeparted, { id: "1", timeMs: 0, data }) });
  driver.flush();

  expect(driver.results).toMatchObject([{ key: "JFK", value: { flights: 1 } }]);
  expect(driver.counters).toMatchObject({ counted: 1, duplicate: 1 });
});

/** Several stages, so that what passes between them must survive as well. */
const rekeyed = pipeline("by-value")
  .from<Reading>(
    {
      topic: "readings-in",
      decode: (value) => JSON.parse(new TextDecoder().decode(value)) as Reading,
      time: ({ t }) => t,
      identity: ({ id }) => id,
    },
    { outOfOrderMs: 5 },
  )
  .rekeyBy("value", ({ v }) => `v${v}`, { partitions: 2 })
  .window(session({ gapMs: 8 }), { allowedLatenessMs: 10 })
  .aggregate({ n: count() })
  .toResults();

describe("a crash cannot be seen in what is written", () => {
  const action = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        id: fc.integer({ min: 0, max: 30 }).map(String),
        key: fc.constantFrom("a", "b", "c"),
        t: fc.integer({ min: 0, max: 100 }),
        v: fc.integer({ min: 0, max: 3 }),
      }),
    },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 120 }).map((watermarkMs) => ({ watermarkMs })) },
    { weight: 1, arbitrary: fc.integer({ min: 60_000, max: 60_100 }).map((nowMs) => ({ nowMs })) },
    { weight: 2, arbitrary: fc.constantFrom("checkpoint" as const, "crash" as const) },
  );
  const perform = (driver: TestDriver, each: object | string, calm: boolean) => {
    if (typeof each === "string") {
      if (calm) return;
      if (each === "crash") driver.crash();
      else driver.checkpoint();
    } else if ("watermarkMs" in each) driver.watermark(each.watermarkMs as number);
    else if ("nowMs" in each) driver.tick(each.nowMs as number);
    else driver.feed({ value: each });
  };

  test.each([
    ["windows", readings({ window: session({ gapMs: 8 }), allowedLatenessMs: 10 })],
    ["stages", rekeyed],
  ])("%s", (_name, definition) => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40 }), fc.constantFrom(1, 3), (actions, partitions) => {
        const [calm, crashed] = [true, false].map((isCalm) => {
          const driver = new TestDriver(definition, { partitions });
          for (const each of actions) perform(driver, each, isCalm);
          driver.flush();
          return driver;
        }) as [TestDriver, TestDriver];

        expect(crashed.emissions).toEqual(calm.emissions);
        expect(crashed.late).toEqual(calm.late);
        expect(crashed.dead).toEqual(calm.dead);
        expect(crashed.counters).toEqual(calm.counters);
      }),
      { numRuns: 300 },
    );
  });
});
