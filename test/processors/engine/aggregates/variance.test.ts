import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stddev, variance } from "../../../../processors/engine/aggregates/variance.ts";
import { keepsTheLaws, merged, resultIn, resultOf, rowOf } from "./rows.ts";

const self = (value: number) => value;
const closeTo = (actual: unknown, expected: unknown) => {
  if (typeof expected === "number")
    expect(Math.abs((actual as number) - expected)).toBeLessThan(1e-9 * (1 + expected));
  else expect(actual).toBe(expected);
};

/** In whole numbers, so without an error until the division. */
function exactVariance(values: readonly number[], population: boolean): number | null {
  const n = BigInt(values.length);
  const divisor = population ? n : n - 1n;
  if (divisor < 1n) return null;
  const whole = values.map(BigInt);
  const total = whole.reduce((sum, value) => sum + value, 0n);
  const squares = whole.reduce((sum, value) => sum + (n * value - total) ** 2n, 0n);
  return Number(squares) / Number(n * n * divisor);
}

describe.each([
  ["variance", variance(self)],
  ["variance of a population", variance(self, { population: true })],
  ["stddev", stddev(self)],
])("%s", (_, aggregate) => {
  keepsTheLaws<number>({
    aggregate,
    value: fc.integer({ min: -100, max: 100 }),
    compareMerged: closeTo,
    anyOrder: false,
  });
});

test.each([
  ["of a sample", variance(self), [2, 4, 4, 4, 5, 5, 7, 9], 32 / 7],
  ["of a population", variance(self, { population: true }), [2, 4, 4, 4, 5, 5, 7, 9], 4],
  ["of a sample of one", variance(self), [3], null],
  ["of a population of one", variance(self, { population: true }), [3], 0],
  ["of nothing", variance(self), [], null],
  ["of nothing, as a population", variance(self, { population: true }), [], null],
  ["standard deviation of a population", stddev(self, { population: true }), [2, 4, 4, 4, 5, 5, 7, 9], 2],
  ["standard deviation of a sample of one", stddev(self), [3], null],
] as const)("variance %s", (_, aggregate, values, expected) => {
  closeTo(resultOf(aggregate, values), expected);
});

test("an offset a billion times the spread costs no more than the digits it takes", () => {
  const near = Array.from({ length: 1_000 }, (_, i) => 1e9 + (i % 10));
  const expected = exactVariance(near, false)!;
  const halves = merged(
    variance(self),
    rowOf(variance(self), near.slice(0, 300)),
    rowOf(variance(self), near.slice(300)),
  );

  expect(resultOf(variance(self), near)).toBeCloseTo(expected, 6);
  expect(resultIn(variance(self), halves)).toBeCloseTo(expected, 6);
});

test("any values, split anywhere, against bigints", () => {
  const values = fc.array(fc.integer({ min: 1_000_000_000, max: 1_000_001_000 }), { maxLength: 50 });
  fc.assert(
    fc.property(values, values, fc.boolean(), (left, right, population) => {
      const aggregate = variance(self, { population });
      const row = merged(aggregate, rowOf(aggregate, left), rowOf(aggregate, right));
      const expected = exactVariance([...left, ...right], population);
      const actual = resultIn(aggregate, row);
      if (expected === null) expect(actual).toBeNull();
      else expect(Math.abs(actual! - expected)).toBeLessThan(1e-6 * (1 + expected));
    }),
  );
});

test("a variance that overflows is an error", () => {
  const row = rowOf(variance(self), [1e200, -1e200]);

  expect(() => resultIn(variance(self), row)).toThrow(expect.objectContaining({ code: "FLOAT64_OVERFLOW" }));
});

test("stddev goes on from the state of variance", () => {
  const row = rowOf(variance(self), [2, 4, 4, 4, 5, 5, 7, 9]);

  expect(stddev(self).kind).toBe(variance(self).kind);
  expect(resultIn(stddev(self, { population: true }), row)).toBeCloseTo(2);
});
