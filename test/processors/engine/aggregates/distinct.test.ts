import fc from "fast-check";
import { expect, test } from "vitest";
import { distinct } from "../../../../processors/engine/aggregates/distinct.ts";
import type { Scalar } from "../../../../processors/engine/aggregates/scalar.ts";
import { bytesOf, keepsTheLaws, merged, refusalOf, restored, resultIn, resultOf, rowOf } from "./rows.ts";

const self = (value: Scalar) => value;
const scalar = fc.oneof(
  fc.integer({ min: -9, max: 9 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.string({ unit: "grapheme", maxLength: 3 }),
);

keepsTheLaws<Scalar>({ aggregate: distinct(self, { maxValues: 20 }), value: scalar, anyOrder: true });

test("counts as a Set does", () => {
  fc.assert(
    fc.property(fc.array(scalar), (values) => {
      expect(resultOf(distinct(self), values)).toBe(new Set(values).size);
    }),
  );
  expect(resultOf(distinct(self), [1, "1", 0, -0, "", "é", "e\u0301"])).toBe(6);
});

test("too many values are an error, drop their memory, and stay too many", () => {
  const aggregate = distinct(self, { maxValues: 2 });
  const row = restored(aggregate, rowOf(aggregate, [1, 2, 1, 3]));

  expect(() => resultIn(aggregate, row)).toThrow(
    "more than maxValues (2) distinct values; raise it, or use distinctApprox",
  );
  expect(bytesOf(aggregate, row)).toBe("00");
  const roomier = distinct(self, { maxValues: 100 });
  expect(() => resultIn(roomier, merged(roomier, rowOf(roomier, [1]), row))).toThrow("maxValues");
  expect(() =>
    resultIn(aggregate, merged(aggregate, rowOf(aggregate, [1]), rowOf(aggregate, [2, 3]))),
  ).toThrow(expect.objectContaining({ code: "LIMIT_PASSED" }));
});

test.each<[string, unknown, string | undefined]>([
  ["null", null, "is not text or a number"],
  ["an object", {}, "is not text or a number"],
  ["NaN", Number.NaN, "is not a finite number"],
  ["half a character", "\ud800", "is text that is not well-formed Unicode"],
  ["text of 1,024 bytes", "x".repeat(1_024), undefined],
  ["text of 1,025 bytes", "x".repeat(1_025), "is text of 1025 bytes; the limit is 1024"],
])("%s", (_, value, refusal) => {
  expect(refusalOf(distinct(self), value as Scalar)).toBe(refusal);
});

test("maxValues is checked when the aggregate is made", () => {
  expect(() => distinct(self, { maxValues: 0.5 })).toThrow("maxValues is 0.5");
});
