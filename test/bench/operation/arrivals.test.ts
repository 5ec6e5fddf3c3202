import { describe, expect, it } from "vitest";
import { Arrivals, longestGapMs, totalsAfter } from "../../../bench/operation/arrivals.ts";
import type { SteadyLoad } from "../../../bench/operation/load.ts";
import { kafkatsFlow } from "../../../bench/streams/engines.ts";
import { eventAt, type Stream } from "../../../bench/streams/events.ts";
import { expectedResults } from "../../../bench/streams/reference.ts";

const stream: Stream = { topic: "some", keys: 10, order: "each" };
/** Sent everything from the 20th event on, one a millisecond. */
const load = { dueMs: (index: number) => (index < 20 ? null : index) } as unknown as SteadyLoad;

/** What an engine writes after the event at that place. */
function resultAfter(index: number, change: object = {}) {
  const { key } = eventAt(stream, index);
  const row = { key, start: 0, end: 1, ...totalsAfter(stream, index), ...change };
  return { value: Buffer.from(JSON.stringify(row)) };
}

const read = (...results: ReturnType<typeof resultAfter>[]): Arrivals => {
  const arrivals = new Arrivals(kafkatsFlow, stream);
  arrivals.add(results, 0, load);
  return arrivals;
};

describe("arrivals", () => {
  it("know when each result's event was due, also where its key came again since", () => {
    const arrivals = read(resultAfter(23), resultAfter(33), resultAfter(27));
    expect(arrivals.all.map(({ dueMs }) => dueMs)).toEqual([23, 33, 27]);
    expect(arrivals.wrong).toBe(0);
  });

  it("pass over what was there before the load", () => {
    expect(read(resultAfter(3)).all).toEqual([]);
  });

  it.each([
    ["a sum that is wrong", [resultAfter(23, { sum: -1 })]],
    ["a result that comes again", [resultAfter(23), resultAfter(23)]],
    ["a count that falls back", [resultAfter(33), resultAfter(23)]],
  ])("count %s", (_, results) => {
    expect(read(...results).wrong).toBe(1);
  });

  it("hold results against the same totals as the streams' reference", () => {
    const [[, totals]] = [...expectedResults({ ...stream, keys: 1 }, { kind: "global" }, 25)] as [
      [string, object],
    ];
    expect(totalsAfter({ ...stream, keys: 1 }, 24)).toEqual(totals);
  });
});

describe("longestGapMs", () => {
  const at = (...times: readonly number[]) => times.map((atMs) => ({ atMs }));

  it.each([
    ["between two arrivals", at(10, 20, 50, 55), 30],
    ["that began before", at(-40, 10, 20, 30, 40, 50), 50],
    ["that lasts yet", at(10, 20), 40],
    ["without any", at(), 60],
  ])("finds one %s", (_, arrivals, gapMs) => {
    expect(longestGapMs(arrivals, 0, 60)).toBe(gapMs);
  });

  it("leaves out what comes later", () => {
    expect(longestGapMs(at(10, 50, 500, 900), 0, 60)).toBe(40);
  });
});
