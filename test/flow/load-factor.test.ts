import fc from "fast-check";
import { expect, test } from "vitest";
import { LoadFactor, MAX_LOAD } from "../../flow/load-factor.ts";

const options = { targetMs: 10_000, paceMs: 30_000 };

/** A stage that has cleared so many a second for a minute, when so many wait. */
function at(perSecond: number, waiting: number): LoadFactor {
  const load = new LoadFactor(options, 0);
  for (let nowMs = 1_000; nowMs <= 60_000; nowMs += 1_000) load.observe(perSecond, waiting, nowMs);
  return load;
}

test.each([
  [100, 0, 0],
  [100, 500, 0.5],
  [100, 1_000, 1],
  [1_000, 1_000, 0.1],
  [0, 1, MAX_LOAD],
])("at %d a second, with %d waiting, it is %d", (perSecond, waiting, load) => {
  expect(at(perSecond, waiting).value(60_000)).toBeCloseTo(load);
});

test("what has not been observed yet is not loaded", () => {
  expect(new LoadFactor(options, 5).value(5)).toBe(0);
});

test("it grows while nothing is heard of a stage with work, and stays 0 without work", () => {
  const busy = at(100, 500);
  const later = [60_000, 70_000, 90_000, 200_000].map((nowMs) => busy.value(nowMs));
  expect(later).toEqual(later.toSorted((a, b) => a - b));
  expect(later.at(-1)).toBe(MAX_LOAD);
  expect(at(100, 0).value(200_000)).toBe(0);
});

test("the pace follows the stage", () => {
  const load = at(1_000, 1_000);
  for (let nowMs = 61_000; nowMs <= 240_000; nowMs += 1_000) load.observe(100, 1_000, nowMs);
  expect(load.value(240_000)).toBeCloseTo(1, 1);
});

test("it is always a number from 0 to its end", () => {
  const step = fc.record({ afterMs: fc.nat(100_000), cleared: fc.nat(), waiting: fc.nat() });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const load = new LoadFactor(options, 0);
      let nowMs = 0;
      for (const { afterMs, cleared, waiting } of steps) {
        nowMs += afterMs;
        load.observe(cleared, waiting, nowMs);
        const value = load.value(nowMs);
        expect(value >= 0 && value <= MAX_LOAD).toBe(true);
      }
    }),
  );
});
