import fc from "fast-check";
import { expect, test } from "vitest";
import { AimdLimit } from "../../flow/aimd.ts";

const options = { min: 1, max: 1_000, increase: 10, targetLoad: 0.7 };

function limitAfter(...loads: number[]): number {
  const limit = new AimdLimit(options);
  for (const load of loads) limit.observe(load);
  return limit.value;
}

test.each([
  ["nothing was reported", [], 1_000],
  ["the load is at the target", [0.7], 1_000],
  ["the load would be at the target with so much less", [1], 700],
  ["the load is far too much", [1.35], 518],
  ["one report halves it at most", [9], 500],
  ["two reports", [1.4, 1.4], 250],
  ["it recovers by so much a report", [1.4, 0, 0.5], 520],
])("the limit where %s", (_, loads, value) => {
  expect(limitAfter(...loads)).toBe(value);
});

test("what was too much lowers it, and never raises it", () => {
  const limit = new AimdLimit(options);
  limit.lowerTo(40);
  limit.lowerTo(60);
  expect(limit.value).toBe(40);
  limit.lowerTo(0);
  expect(limit.value).toBe(1);
});

test("it stays a whole number within its bounds, falls above the target and rises up to it", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 5, noNaN: true })), (loads) => {
      const limit = new AimdLimit(options);
      for (const load of loads) {
        const before = limit.value;
        limit.observe(load);
        expect(Number.isInteger(limit.value) && limit.value >= 1 && limit.value <= 1_000).toBe(true);
        if (load > options.targetLoad) expect(limit.value).toBeLessThanOrEqual(before);
        else expect(limit.value).toBeGreaterThanOrEqual(Math.min(1_000, before + 9));
      }
    }),
  );
});

test("senders of any size come to equal shares of what is left to them", () => {
  const senders = [1, 0.1, 0.01].map((share) => {
    const limit = new AimdLimit(options);
    limit.lowerTo(options.max * share);
    return limit;
  });
  for (let round = 0; round < 1_000; round++) {
    const load = senders.reduce((sum, { value }) => sum + value, 0) / 600;
    for (const sender of senders) sender.observe(load);
  }
  const [first, second, third] = senders.map(({ value }) => value);
  expect(Math.abs(first! - second!)).toBeLessThanOrEqual(2);
  expect(Math.abs(second! - third!)).toBeLessThanOrEqual(2);
});
