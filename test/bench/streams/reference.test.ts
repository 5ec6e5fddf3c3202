import { describe, expect, it } from "vitest";
import { eventAt, type Stream } from "../../../bench/streams/events.ts";
import { pipelineOf } from "../../../bench/streams/pipelines.ts";
import { expectedResults, type Results, rowOf, type Totals } from "../../../bench/streams/reference.ts";
import type { WindowSpec } from "../../../bench/streams/windows.ts";
import { TestDriver } from "../../../processors/engine/testing/test-driver.ts";

const stream: Stream = { topic: "events", keys: 50, order: "random" };
const EVENTS = 3_000;

const windows: readonly WindowSpec[] = [
  { kind: "tumbling", sizeMs: 100 },
  { kind: "hopping", sizeMs: 120, advanceMs: 40 },
  { kind: "session", gapMs: 10 },
  { kind: "global" },
];

const total = (results: Results, of: (totals: Totals) => number): number =>
  [...results.values()].reduce((sum, totals) => sum + of(totals), 0);

describe("what the engines have to come to", () => {
  it.each(windows)("has every event in each of its windows: $kind", (window) => {
    const results = expectedResults(stream, window, EVENTS);
    const windowsPerEvent = window.kind === "hopping" ? 3 : 1;
    expect(total(results, ({ count }) => count)).toBe(EVENTS * windowsPerEvent);
    const amounts = Array.from({ length: EVENTS }, (_, index) => eventAt(stream, index).amount);
    expect(total(results, ({ sum }) => sum)).toBe(
      windowsPerEvent * amounts.reduce((sum, amount) => sum + amount, 0),
    );
    expect(Math.max(...[...results.values()].map(({ max }) => max))).toBe(Math.max(...amounts));
  });

  it.each(windows)("is what the engine comes to: $kind", (window) => {
    const definition = pipelineOf({ name: "bench", title: "bench", stream, window });
    const driver = new TestDriver(definition);
    for (let index = 0; index < EVENTS; index++) driver.feed({ value: eventAt(stream, index) });
    driver.flush();
    const found = driver.results.map(({ key, window: { start, end }, value }) => [
      rowOf(key, start, end),
      value,
    ]);
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expectedResults(stream, window, EVENTS)));
    expect(driver.late).toEqual([]);
  });

  it("has sessions that end a gap after their last event, and none that could be joined", () => {
    const gapMs = 10;
    const byKey = new Map<string, [start: number, end: number][]>();
    for (const row of expectedResults(stream, { kind: "session", gapMs }, EVENTS).keys()) {
      const [key, start, end] = row.split(" ") as [string, string, string];
      byKey.set(key, [...(byKey.get(key) ?? []), [Number(start), Number(end)]]);
    }
    for (const sessions of byKey.values()) {
      sessions.sort(([a], [b]) => a - b);
      for (const [index, [start]] of sessions.entries()) {
        if (index > 0) expect(start).toBeGreaterThan(sessions[index - 1]![1]);
      }
    }
  });
});
