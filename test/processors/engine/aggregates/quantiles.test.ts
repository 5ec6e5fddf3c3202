import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { quantiles } from "../../../../processors/engine/aggregates/quantiles.ts";
import { bytesOf, keepsTheLaws, merged, refusalOf, resultIn, resultOf, rowOf } from "./rows.ts";

const self = (value: number) => value;
const probabilities = [0, 0.01, 0.5, 0.9, 0.99, 1];
const number = fc.double({ noNaN: true, noDefaultInfinity: true });

keepsTheLaws<number>({ aggregate: quantiles(self, { probabilities }), value: number, anyOrder: true });
describe("with buckets to collapse", () => {
  keepsTheLaws<number>({
    aggregate: quantiles(self, { probabilities, relativeError: 0.3, maxBuckets: 4 }),
    value: number,
    anyOrder: true,
  });
});

/** A little more than the error, for the rounding of logarithms at the edges of buckets. */
const within = (actual: number, expected: number, relativeError: number) =>
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(
    relativeError * Math.abs(expected) * (1 + 1e-9) + 3e-308,
  );

function lowerQuantile(values: readonly number[], probability: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(probability * (values.length - 1))]!;
}

const magnitude = fc.double({ min: 1e-20, max: 1e20, noNaN: true });
const moderate = fc.oneof(
  magnitude,
  magnitude.map((value) => -value),
  fc.integer({ min: -50, max: 50 }),
  fc.double({ min: 1, max: 1_000, noNaN: true }),
);

test.each([
  [0.001, "1e-20 to 1e20", moderate],
  [0.01, "1e-20 to 1e20", moderate],
  [0.1, "any size", number],
])("every quantile is within a relative error of %d of values of %s", (relativeError, _, value) => {
  const values = fc.array(value, { minLength: 1, maxLength: 200 });
  const maxBuckets = 65_536;
  fc.assert(
    fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(), (all, probability, seed) => {
      const aggregate = quantiles(self, { probabilities: [probability], relativeError, maxBuckets });
      const cut = seed % all.length;
      const row = merged(aggregate, rowOf(aggregate, all.slice(cut)), rowOf(aggregate, all.slice(0, cut)));
      const [actual] = Object.values(resultIn(aggregate, row)) as [number];
      within(actual, lowerQuantile(all, probability), relativeError);
    }),
  );
});

test("log-normal latencies, as many as a busy hour has", () => {
  const aggregate = quantiles(self, { probabilities: [0.5, 0.95, 0.99, 0.999] });
  const values = Array.from({ length: 20_000 }, (_, i) =>
    Math.exp(3 * Math.sin(i * 12.9898) + Math.cos(i * 78.233)),
  );
  const result = resultOf(aggregate, values);

  for (const [name, probability] of [
    ["p50", 0.5],
    ["p95", 0.95],
    ["p99", 0.99],
    ["p99_9", 0.999],
  ] as const) {
    within(result[name]!, lowerQuantile(values, probability), 0.01);
  }
});

describe("collapsed buckets", () => {
  test("cost the low quantiles their error and no others", () => {
    // γ is 1.0202, so 2,048 buckets span a factor of 6e17; these values span 1e30.
    const values = Array.from({ length: 301 }, (_, i) => 10 ** (i / 10 - 15));
    const aggregate = quantiles(self, { probabilities: [0.1, 0.5, 0.99], relativeError: 0.01 });
    const result = resultOf(aggregate, values);

    within(result.p50!, lowerQuantile(values, 0.5), 0.01);
    within(result.p99!, lowerQuantile(values, 0.99), 0.01);
    expect(result.p10).toBeGreaterThan(lowerQuantile(values, 0.1));
  });

  test("bound the state, in memory and as bytes", () => {
    const aggregate = quantiles(self, { probabilities: [0.5], maxBuckets: 16 });
    const values = Array.from({ length: 5_000 }, (_, i) => (i % 2 === 0 ? 1 : -1) * 1.05 ** (i % 700));
    const row = rowOf(aggregate, values);

    expect(bytesOf(aggregate, row).length / 2).toBeLessThan(3 * 8 + 2 * (9 + 16 * 4) + 8);
    expect(bytesOf(aggregate, rowOf(aggregate, values.toReversed()))).toBe(bytesOf(aggregate, row));
  });
});

test.each([
  ["one value", [7.3], { p0: 7.3, p50: 7.3, p99_9: 7.3, p100: 7.3 }],
  ["no value", [], { p0: null, p50: null, p99_9: null, p100: null }],
  ["zeros", [0, -0, 1e-310, 0], { p0: 0, p50: 0, p99_9: 0, p100: 1e-310 }],
  [
    "the ends of a float64",
    [-Number.MAX_VALUE, Number.MAX_VALUE],
    { p0: -Number.MAX_VALUE, p50: -Number.MAX_VALUE, p99_9: -Number.MAX_VALUE, p100: Number.MAX_VALUE },
  ],
])("of %s", (_, values, expected) => {
  expect(resultOf(quantiles(self, { probabilities: [0, 0.5, 0.999, 1] }), values)).toEqual(expected);
});

test("names are percentages", () => {
  const { kind, ...aggregate } = quantiles(self, { probabilities: [0.57, 0.999, 0.9999, 0.125] });

  expect(Object.keys(resultOf({ kind, ...aggregate }, [1]))).toEqual(["p57", "p99_9", "p99_99", "p12_5"]);
  expect(kind).toBe("quantiles(relativeError=0.01,maxBuckets=2048)");
});

test.each([
  ["no probability", { probabilities: [] }, "probabilities is empty"],
  ["a percentage", { probabilities: [99] }, "probabilities has 99; each must be from 0 to 1"],
  ["NaN", { probabilities: [Number.NaN] }, "probabilities has NaN"],
  ["one twice", { probabilities: [0.5, 0.5] }, "two that would both be called p50"],
  ["an error of nothing", { probabilities: [0.5], relativeError: 0 }, "relativeError is 0"],
  ["no buckets", { probabilities: [0.5], maxBuckets: 0 }, "maxBuckets is 0"],
])("%s is refused", (_, options, message) => {
  expect(() => quantiles(self, options)).toThrow(message);
});

test("a value that is not a finite number is refused", () => {
  expect(refusalOf(quantiles(self, { probabilities }), Number.NaN)).toBe("is not a finite number");
});
