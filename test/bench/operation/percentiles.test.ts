import { describe, expect, it } from "vitest";
import { percentile, waitAt } from "../../../bench/operation/percentiles.ts";

describe("percentile", () => {
  it("is the smallest value that the share does not exceed", () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect([0.5, 0.99, 1].map((share) => percentile(values, share))).toEqual([50, 99, 100]);
  });

  it("is null of nothing", () => {
    expect(percentile([], 0.99)).toBeNull();
  });
});

/** Asks every tenth of a millisecond how long the pause lasts yet that it lies in. */
function waitBySampling(pausesMs: readonly number[], spanMs: number, share: number): number {
  const waits = Array.from({ length: spanMs * 10 }, () => 0);
  let at = 0;
  for (const pauseMs of pausesMs) {
    for (let left = pauseMs * 10; left > 0; left--) waits[at++] = left / 10;
  }
  return percentile(waits, share)!;
}

describe("waitAt", () => {
  it.each([
    ["one pause", [100], 1_000, 0.99],
    ["a pause among shorter ones", [80, 5, 5, 5, 40], 1_000, 0.99],
    ["many equal ones", Array.from({ length: 50 }, () => 10), 1_000, 0.99],
    ["less in pauses than the share leaves out", [3, 3], 1_000, 0.99],
    ["the median of a time that is half pauses", [200, 100, 200], 1_000, 0.5],
  ])("agrees with sampling: %s", (_, pauses, spanMs, share) => {
    expect(waitAt(pauses, spanMs, share)).toBeCloseTo(waitBySampling(pauses, spanMs, share), 0);
  });

  it("is 0 without pauses", () => {
    expect(waitAt([], 1_000, 0.99)).toBe(0);
  });

  it("counts a long pause for more than its number: 1 of 1,000 turns", () => {
    const pauses = [500, ...Array.from({ length: 999 }, () => 1)];
    expect(percentile(pauses, 0.99)).toBe(1);
    expect(waitAt(pauses, 10_000, 0.99)).toBeGreaterThan(300);
  });
});
