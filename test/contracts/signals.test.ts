import { describe, expect, test } from "vitest";
import {
  defaultShedding,
  type LoadSignal,
  loadOfTopics,
  routeOf,
  SIGNAL_MAX_AGE_MS,
} from "../../contracts/signals.ts";

describe("an event's route", () => {
  test.each([
    ["low", 0.9, "kafka"],
    ["low", 0.91, "spillway"],
    ["low", 1, "spillway"],
    ["low", 1.01, "refuse"],
    ["normal", 1, "kafka"],
    ["normal", 1.01, "spillway"],
    ["normal", 1.5, "spillway"],
    ["normal", 1.51, "refuse"],
    ["high", 9, "kafka"],
  ] as const)("of %s priority under a load of %d is %s", (priority, load, route) => {
    expect(routeOf(priority, load, defaultShedding)).toBe(route);
  });
});

describe("a topic's load", () => {
  const signal = (changes: Partial<LoadSignal>): LoadSignal => ({
    stage: "airport-delays",
    source: "0",
    topics: ["flights"],
    load: 0.5,
    atMs: 100_000,
    ...changes,
  });

  test("is the highest that any stage on its way says", () => {
    const signals = [
      signal({}),
      signal({ source: "1", load: 1.2 }),
      signal({ stage: "forward", topics: ["flights", "clickstream"], load: 0.7 }),
    ];
    expect([...loadOfTopics(signals, 100_000)]).toEqual([
      ["flights", 1.2],
      ["clickstream", 0.7],
    ]);
  });

  test.each([
    ["too old", 100_000 + SIGNAL_MAX_AGE_MS + 1],
    ["of a clock far ahead", 100_000 - SIGNAL_MAX_AGE_MS - 1],
  ])("is not what a signal says that is %s", (_, nowMs) => {
    expect(loadOfTopics([signal({})], nowMs).size).toBe(0);
  });
});
