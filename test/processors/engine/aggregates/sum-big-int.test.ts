import fc from "fast-check";
import { expect, test } from "vitest";
import { sumBigInt } from "../../../../processors/engine/aggregates/sum-big-int.ts";
import { keepsTheLaws, refusalOf, resultOf } from "./rows.ts";

const self = (value: bigint) => value;

keepsTheLaws<bigint>({ aggregate: sumBigInt(self), value: fc.bigInt(), anyOrder: true });

test("is exact at any size, as text", () => {
  fc.assert(
    fc.property(fc.array(fc.bigInt({ min: -(2n ** 500n), max: 2n ** 500n })), (values) => {
      expect(resultOf(sumBigInt(self), values)).toBe(String(values.reduce((a, b) => a + b, 0n)));
    }),
  );
  expect(resultOf(sumBigInt(self), [2n ** 53n, 1n])).toBe("9007199254740993");
  expect(resultOf(sumBigInt(self), [])).toBe("0");
});

test.each([
  ["a number", 1 as unknown as bigint, "is not a bigint"],
  ["text", "1" as unknown as bigint, "is not a bigint"],
  ["2^1024", 2n ** 1024n, "has more than 1024 bits"],
  ["-2^1024", -(2n ** 1024n), "has more than 1024 bits"],
  ["2^1024 - 1", 2n ** 1024n - 1n, undefined],
])("%s", (_, value, refusal) => {
  expect(refusalOf(sumBigInt(self), value)).toBe(refusal);
});
