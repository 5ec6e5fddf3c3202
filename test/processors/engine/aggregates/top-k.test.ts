import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Scalar } from "../../../../processors/engine/aggregates/scalar.ts";
import { topK } from "../../../../processors/engine/aggregates/top-k.ts";
import { bytesOf, keepsTheLaws, merged, refusalOf, restored, resultIn, resultOf, rowOf } from "./rows.ts";

interface Sale {
  readonly product: Scalar;
  readonly amount: number;
}

const self = (value: Scalar) => value;
const few = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constantFrom("a", "b", "c"));
const sale = fc.record({ product: few, amount: fc.nat(100) });

describe("while every value has a counter", () => {
  keepsTheLaws<Scalar>({ aggregate: topK(self, { k: 3 }), value: few, anyOrder: true });
});

describe("with weights", () => {
  keepsTheLaws<Sale>({
    aggregate: topK((event: Sale) => event.product, { k: 5, by: (event) => event.amount }),
    value: sale,
    anyOrder: true,
  });
});

/** The true weights, and their sum. */
function weightsOf(values: readonly Scalar[]): { weights: Map<Scalar, number>; total: number } {
  const weights = new Map<Scalar, number>();
  for (const value of values) weights.set(value, (weights.get(value) ?? 0) + 1);
  return { weights, total: values.length };
}

const skewed = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 3 }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 40 }) },
);

test("the guarantees hold through any additions, merges and recoveries", () => {
  const parts = fc.array(fc.array(skewed, { maxLength: 60 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(parts, fc.integer({ min: 1, max: 8 }), skewed, (all, capacity, more) => {
      const aggregate = topK(self, { k: capacity, capacity });
      const row = all
        .map((values) => restored(aggregate, rowOf(aggregate, values)))
        .reduce((into, from) => {
          aggregate.add(into, 1, more, 0);
          return merged(aggregate, into, from);
        });
      const { weights, total } = weightsOf([...all.flat(), ...Array(all.length - 1).fill(more)]);
      const counters = resultIn(aggregate, row);
      for (const { value, count, maxError } of counters) {
        const weight = weights.get(value) ?? 0;
        expect(count).toBeGreaterThanOrEqual(weight);
        expect(count - maxError).toBeLessThanOrEqual(weight);
        expect(maxError).toBeLessThanOrEqual(total / capacity);
      }
      const kept = new Set(counters.map(({ value }) => value));
      for (const [value, weight] of weights) if (weight > total / capacity) expect(kept).toContain(value);
    }),
    { numRuns: 300 },
  );
});

test.each([
  [
    "by count",
    ["a", "b", "b", "c", "c", "c"],
    2,
    [
      ["c", 3],
      ["b", 2],
    ],
  ],
  [
    "ties: numbers before text, each by size",
    ["b", "a", 10, 9],
    4,
    [
      [9, 1],
      [10, 1],
      ["a", 1],
      ["b", 1],
    ],
  ],
  ["fewer values than k", ["a"], 3, [["a", 1]]],
  ["nothing", [], 3, []],
] as const)("%s", (_, values, k, expected) => {
  expect(resultOf(topK(self, { k }), values)).toEqual(
    expected.map(([value, count]) => ({ value, count, maxError: 0 })),
  );
});

test("a value that comes late takes over the smallest counter, and says so", () => {
  const values = ["a", "a", "a", "b", "b", "c"];

  expect(resultOf(topK(self, { k: 2, capacity: 2 }), values)).toEqual([
    { value: "a", count: 3, maxError: 0 },
    { value: "c", count: 3, maxError: 2 },
  ]);
});

test("of equal counters the least sure goes, then the one that sorts last", () => {
  expect(resultOf(topK(self, { k: 3, capacity: 3 }), ["c", "a", "b", "d"])).toEqual([
    { value: "d", count: 2, maxError: 1 },
    { value: "a", count: 1, maxError: 0 },
    { value: "b", count: 1, maxError: 0 },
  ]);
});

test("weights count for the value, and none for nothing", () => {
  const aggregate = topK((event: Sale) => event.product, { k: 2, by: (event) => event.amount });
  const sales = [
    { product: "tea", amount: 2.5 },
    { product: "rice", amount: 2 },
    { product: "tea", amount: 0.25 },
    { product: "salt", amount: 0 },
  ];

  expect(resultOf(aggregate, sales)).toEqual([
    { value: "tea", count: 2.75, maxError: 0 },
    { value: "rice", count: 2, maxError: 0 },
  ]);
});

test("weights that sum to more than a float64 holds are an error", () => {
  const aggregate = topK(self, { k: 1, by: () => 1e308 });

  expect(() => resultIn(aggregate, rowOf(aggregate, ["a", "a"]))).toThrow(
    expect.objectContaining({ code: "FLOAT64_OVERFLOW" }),
  );
});

test("the state is bounded by the capacity", () => {
  const aggregate = topK(self, { k: 4 });
  const row = rowOf(
    aggregate,
    Array.from({ length: 5_000 }, (_, i) => (i * 7_919) % 1_009),
  );

  expect(bytesOf(aggregate, row).length / 2).toBe(1 + 40 * (1 + 8 + 8 + 8));
});

test.each<[string, unknown, number, string]>([
  ["no text or number", null, 1, "is not text or a number"],
  ["a long text", "x".repeat(2_000), 1, "is text of 2000 bytes"],
  ["a negative weight", "a", -1, "has a weight that is negative"],
  ["a weight that is no number", "a", Number.NaN, "has a weight that is negative or not a finite number"],
])("%s is refused", (_, product, amount, message) => {
  const aggregate = topK((event: Sale) => event.product, { k: 2, by: (event) => event.amount });

  expect(refusalOf(aggregate, { product: product as Scalar, amount })).toContain(message);
});

test("options out of range are refused", () => {
  expect(() => topK(self, { k: 0 })).toThrow("k is 0");
  expect(() => topK(self, { k: 10, capacity: 9 })).toThrow(
    "capacity is 9; it must be a whole number from 10",
  );
});
