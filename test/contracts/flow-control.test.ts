import { describe, expect, it } from "vitest";
import {
  type ControlledMapping,
  formatMappings,
  type Override,
  oldestWaitingMs,
  overrideAt,
  parseMappings,
} from "../../contracts/flow-control.ts";
import type { LoadSignal } from "../../contracts/signals.ts";

describe("the mappings of the environment", () => {
  it("come back as they were written", () => {
    const mappings: ControlledMapping[] = [
      { name: "forward", uuid: "0d3f-1", maxAgeHours: 144, topics: ["flights", "user-activity"] },
      { name: "forward-high", uuid: "0d3f-3", maxAgeHours: 144, topics: [] },
      { name: "door", uuid: "0d3f-2", maxAgeHours: 24, topics: ["flights"] },
    ];
    expect(parseMappings(formatMappings(mappings))).toEqual(mappings);
  });

  it.each([
    "",
    "forward",
    "forward:u::flights",
    "forward:u:0:flights",
    "forward:u:x:flights",
    ":u:1:flights",
    "forward::1:flights",
    "forward:u:1",
    "forward:u:1:+",
    "forward:u:1:flights+",
    "forward:u:1:flights:2",
    "forward:u:1:flights,",
  ])("%j is none", (text) => expect(parseMappings(text)).toBeUndefined());
});

describe("since when records wait", () => {
  const NOW_MS = 10_000_000;
  const signal = (source: string, atMs: number, waitingSinceMs?: number): LoadSignal => ({
    stage: "forward",
    source,
    topics: [],
    load: 0,
    atMs,
    ...(waitingSinceMs !== undefined && { waitingSinceMs }),
  });

  it("is told by the shard whose records are the oldest", () => {
    const signals = [signal("0", NOW_MS, 5_000), signal("1", NOW_MS, 4_000)];
    expect(oldestWaitingMs(signals, "forward", NOW_MS)).toBe(4_000);
  });

  it("is not told by what was said more than five minutes ago, by other stages, or without it", () => {
    const signals = [
      signal("0", NOW_MS - 300_001, 1),
      { ...signal("1", NOW_MS, 2), stage: "x" },
      signal("2", NOW_MS),
    ];
    expect(oldestWaitingMs(signals, "forward", NOW_MS)).toBeUndefined();
  });

  it("is not in the future, whatever a clock says", () => {
    expect(oldestWaitingMs([signal("0", NOW_MS, NOW_MS + 9)], "forward", NOW_MS)).toBe(NOW_MS);
  });
});

it("an override counts until its time is over", () => {
  const override: Override = { mode: "hold", by: "ann", reason: "r", sinceMs: 1, untilMs: 5 };
  expect(overrideAt(override, 4)).toBe(override);
  expect(overrideAt(override, 5)).toBeUndefined();
  expect(overrideAt(undefined, 5)).toBeUndefined();
});
