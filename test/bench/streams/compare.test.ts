import { describe, expect, it } from "vitest";
import { differenceOf } from "../../../bench/streams/compare.ts";
import type { Results, Totals } from "../../../bench/streams/reference.ts";

const results = (rows: Readonly<Record<string, Totals>>): Results => new Map(Object.entries(rows));
const one: Totals = { count: 1, sum: 5, max: 5 };

describe("the comparison of results", () => {
  it("finds nothing where they are equal, in any order", () => {
    expect(differenceOf(results({ a: one, b: one }), results({ b: one, a: { ...one } })).count).toBe(0);
  });

  it.each([
    ["a row that is missing", {}, "a: missing"],
    ["another count", { a: { ...one, count: 2 } }, "a: count 2, sum 5, max 5, expected count 1"],
    ["another sum", { a: { ...one, sum: 6 } }, "a: count 1, sum 6"],
    ["another maximum", { a: { ...one, max: 6 } }, "a: count 1, sum 5, max 6"],
    ["a row too many", { a: one, b: one }, "b: count 1, sum 5, max 5, where nothing was expected"],
  ])("tells %s", (_, actual, sentence) => {
    const difference = differenceOf(results({ a: one }), results(actual));
    expect(difference.count).toBe(1);
    expect(difference.examples[0]).toContain(sentence);
  });

  it("counts all and shows the first", () => {
    const many = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`row ${index}`, one]));
    const difference = differenceOf(results(many), results({}));
    expect(difference.count).toBe(9);
    expect(difference.examples).toHaveLength(5);
  });
});
