import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { distinctApprox, markOf } from "../../../../processors/engine/aggregates/hyper-log-log.ts";
import type { Scalar } from "../../../../processors/engine/aggregates/scalar.ts";
import { ByteReader } from "../../../../processors/engine/state/bytes.ts";
import { bytesOf, keepsTheLaws, merged, refusalOf, resultOf, rowOf } from "./rows.ts";

const self = (value: Scalar) => value;
const scalar = fc.oneof(fc.integer(), fc.string({ unit: "grapheme", maxLength: 5 }));

// With 32 registers, rows are sparse and dense within a few events.
keepsTheLaws<Scalar>({ aggregate: distinctApprox(self, { precision: 5 }), value: scalar, anyOrder: true });

describe("the stated standard error, 1.04 / √(2^precision)", () => {
  const precision = 10;
  const stated = 1.04 / Math.sqrt(2 ** precision);
  const sets = 100;

  test.each([
    ["numbers", 300, (set: number, i: number) => set * 1e6 + i],
    ["numbers", 3_000, (set: number, i: number) => set * 1e6 + i],
    ["fractions", 10_000, (set: number, i: number) => set + i / 16_384],
    ["text", 2_000, (set: number, i: number) => `user-${set}-${i}`],
    ["text", 5_000, (set: number, i: number) => `${i}é${set}`],
  ])("holds over 100 sets of %s, %i values each", (_, size, valueAt) => {
    const aggregate = distinctApprox(self, { precision });
    const errors = Array.from({ length: sets }, (_, set) => {
      const values = Array.from({ length: size }, (_, i) => valueAt(set, i));
      return resultOf(aggregate, values) / size - 1;
    });
    const standardError = Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / sets);
    const bias = errors.reduce((sum, error) => sum + error, 0) / sets;

    // The error of an error measured over 100 sets is 7 %; three times that may come by chance.
    expect(standardError).toBeLessThan(stated * 1.21);
    expect(Math.abs(bias)).toBeLessThan((3 * stated) / Math.sqrt(sets));
  });
});

test("a few values are counted exactly", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer(), { maxLength: 20 }), (values) => {
      expect(
        Math.abs(resultOf(distinctApprox(self, { precision: 14 }), values) - values.length),
      ).toBeLessThan(2);
    }),
  );
  expect(resultOf(distinctApprox(self), [])).toBe(0);
  expect(resultOf(distinctApprox(self), ["a", "b", "a", 1, "1", 0, -0])).toBe(5);
});

test("a row grows to its registers and no further, whatever the order", () => {
  const aggregate = distinctApprox(self, { precision: 8 });
  const values = Array.from({ length: 5_000 }, (_, i) => `v${i}`);
  const sizes = [1, 16, 32, 5_000].map(
    (size) => bytesOf(aggregate, rowOf(aggregate, values.slice(0, size))).length / 2,
  );

  expect(sizes[0]).toBeLessThan(6);
  expect(sizes[1]).toBeLessThan(60);
  expect(sizes[3]).toBe(1 + 2 + 256);
  expect(bytesOf(aggregate, rowOf(aggregate, values.toReversed()))).toBe(
    bytesOf(aggregate, rowOf(aggregate, values)),
  );
});

test("merging is a union", () => {
  const aggregate = distinctApprox(self, { precision: 6 });
  fc.assert(
    fc.property(fc.array(scalar), fc.array(scalar), (left, right) => {
      const row = merged(aggregate, rowOf(aggregate, left), rowOf(aggregate, right));
      expect(bytesOf(aggregate, row)).toBe(bytesOf(aggregate, rowOf(aggregate, [...right, ...left])));
    }),
  );
});

test("hashes are the same for ever: state depends on them", () => {
  expect(
    ["", "a", "é", "x".repeat(1_000), 0, -0, 1, 0.1].map((value) => markOf(value, 12)),
  ).toMatchInlineSnapshot(`
    [
      53,
      171586,
      182276,
      2373,
      92994,
      92994,
      29506,
      29889,
    ]
  `);
});

test("ranks stay within what is left of the hash, at every precision", () => {
  fc.assert(
    fc.property(fc.oneof(fc.double(), fc.string()), fc.integer({ min: 4, max: 18 }), (value, precision) => {
      const mark = markOf(value, precision);
      expect(Math.floor(mark / 64)).toBeLessThan(2 ** precision);
      expect(mark % 64).toBeGreaterThan(0);
      expect(mark % 64).toBeLessThanOrEqual(65 - precision);
    }),
  );
});

test("a row that was read does not share the snapshot's bytes", () => {
  const aggregate = distinctApprox(self, { precision: 4 });
  const bytes = Buffer.from(bytesOf(aggregate, rowOf(aggregate, [1, 2, 3, 4, 5, 6])), "hex");
  const row: unknown[] = [];
  aggregate.read(new ByteReader(bytes), row, 0);
  const before = aggregate.result(row, 0);
  bytes.fill(0);

  expect(aggregate.result(row, 0)).toBe(before);
});

test("options, values and bytes out of range are refused", () => {
  expect(() => distinctApprox(self, { precision: 3 })).toThrow(
    "precision is 3; it must be a whole number from 4 to 18",
  );
  expect(refusalOf(distinctApprox(self), Number.NaN)).toBe("is not a finite number");
  expect(refusalOf(distinctApprox(self), null as unknown as Scalar)).toBe("is not text or a number");
  expect(refusalOf(distinctApprox(self), "x".repeat(100_000))).toBeUndefined();
  expect(() => distinctApprox(self).read(new ByteReader(new Uint8Array([1, 1, 0])), [], 0)).toThrow(
    "1 registers in form 1",
  );
});
