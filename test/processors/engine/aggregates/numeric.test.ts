import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { count, max, mean, min, sum } from "../../../../processors/engine/aggregates/numeric.ts";
import { emptyRow, keepsTheLaws, merged, refusalOf, resultIn, resultOf, rowOf } from "./rows.ts";

const self = (value: number) => value;
const whole = fc.integer({ min: -1_000_000, max: 1_000_000 });

describe.each([
  ["count", count<number>()],
  ["count with a predicate", count<number>((value) => value > 0)],
  ["sum", sum(self)],
  ["mean", mean(self)],
  ["min", min(self)],
  ["max", max(self)],
])("%s", (_, aggregate) => {
  keepsTheLaws<number>({ aggregate, value: whole, anyOrder: true });

  test("keeps nothing but numbers", () => {
    const slots = rowOf(aggregate, [1, 2.5]).slice(1, -1);

    expect(slots.every((slot) => typeof slot === "number")).toBe(true);
  });
});

test.each([
  ["count", count<number>(), [5, 6, 7], 3],
  ["count with a predicate", count<number>((value) => value > 5), [5, 6, 7], 2],
  ["count of nothing", count<number>(), [], 0],
  ["sum", sum(self), [5, 6, -7], 4],
  ["sum of nothing", sum(self), [], 0],
  ["a sum beside a large number", sum(self), [1e16, 0.5, 0.5, -1e16], 1],
  ["ten tenths", sum(self), Array(10).fill(0.1), 1],
  ["the largest exact sum", sum(self), [Number.MAX_SAFE_INTEGER - 1, 1], Number.MAX_SAFE_INTEGER],
  [
    "a sum that was larger in between",
    sum(self),
    [Number.MAX_SAFE_INTEGER, 3, -5],
    Number.MAX_SAFE_INTEGER - 2,
  ],
  ["a sum of large fractions", sum(self), [0.5, 1e300], 1e300],
  ["mean", mean(self), [1, 2, 6], 3],
  ["mean of nothing", mean(self), [], null],
  ["min", min(self), [3, -2, 5], -2],
  ["min of nothing", min(self), [], null],
  ["max", max(self), [-3, -2, -5], -2],
  ["max of nothing", max(self), [], null],
] as const)("%s", (_, aggregate, values, expected) => {
  expect(resultOf(aggregate, values)).toBe(expected);
});

describe("a sum of whole numbers beyond 2^53 is an error", () => {
  const { MAX_SAFE_INTEGER } = Number;

  test.each([
    ["upwards", [MAX_SAFE_INTEGER, 1]],
    ["downwards", [-MAX_SAFE_INTEGER, -1]],
    ["by one value", [2 ** 53]],
    ["by a value that is taken back", [2 ** 60, 1, -(2 ** 60)]],
    ["by 1e308", [1e308]],
  ])("%s", (_, values) => {
    const row = rowOf(sum(self), values);

    expect(() => resultIn(sum(self), row)).toThrow("use sumBigInt");
    expect(() => resultIn(sum(self), row)).toThrow(expect.objectContaining({ code: "UNSAFE_INTEGER" }));
  });

  test("also when two rows are merged", () => {
    const row = merged(sum(self), rowOf(sum(self), [MAX_SAFE_INTEGER]), rowOf(sum(self), [1]));

    expect(() => resultIn(sum(self), row)).toThrow("use sumBigInt");
  });

  test("also where only the part lost to rounding was too large, and all of it was taken back", () => {
    const huge = 2 ** 100;
    const row = (high: number, low: number) => ["", high, low, 0, ""];
    const added = row(huge, MAX_SAFE_INTEGER);
    sum(self).add(added, 1, 3, 0);
    const joined = merged(sum(self), row(huge, MAX_SAFE_INTEGER), row(huge, 3));

    const takenBack = merged(sum(self), added, row(-huge, -MAX_SAFE_INTEGER));
    expect(() => resultIn(sum(self), takenBack)).toThrow("use sumBigInt");
    expect(() => resultIn(sum(self), merged(sum(self), joined, row(-2 * huge, -MAX_SAFE_INTEGER)))).toThrow(
      "use sumBigInt",
    );
  });

  test("and otherwise it is exact", () => {
    const safe = fc.array(fc.maxSafeInteger(), { maxLength: 30 });
    fc.assert(
      fc.property(safe, safe, (left, right) => {
        const row = merged(sum(self), rowOf(sum(self), left), rowOf(sum(self), right));
        const exact = [...left, ...right].reduce((total, value) => total + BigInt(value), 0n);
        if (BigInt.asIntN(54, exact) === exact && exact !== -(2n ** 53n)) {
          expect(BigInt(resultIn(sum(self), row))).toBe(exact);
        } else {
          expect(() => resultIn(sum(self), row)).toThrow("sumBigInt");
        }
      }),
    );
  });
});

test("sums of fractions are as good as one rounding of the exact sum", () => {
  // Multiples of 2^-20 up to 2^20: their exact sum can be taken in bigints.
  const scale = 2 ** 20;
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -(2 ** 40), max: 2 ** 40 })), (units) => {
      const exact = Number(units.reduce((total, unit) => total + BigInt(unit), 0n)) / scale;
      expect(resultOf(sum(self), [0.5, -0.5, ...units.map((unit) => unit / scale)])).toBe(exact + 0);
    }),
  );
});

test.each([
  ["sum", sum(self)],
  ["mean", mean(self)],
])("a %s that overflows is an error, also after it was written, merged and taken back", (_, aggregate) => {
  const row = rowOf(aggregate, [1e308, 1e308, 0.5, -1e308]);

  expect(() => resultIn(aggregate, row)).toThrow(expect.objectContaining({ code: "FLOAT64_OVERFLOW" }));
  expect(() => resultIn(aggregate, merged(aggregate, emptyRow(aggregate), row))).toThrow("left the range");
});

test.each([
  Number.NaN,
  Number.POSITIVE_INFINITY,
  "7" as unknown as number,
  null as unknown as number,
  undefined as unknown as number,
  7n as unknown as number,
])("%s is refused", (value) => {
  for (const aggregate of [sum(self), mean(self), min(self), max(self)]) {
    expect(refusalOf(aggregate, value)).toBe("is not a finite number");
  }
});
