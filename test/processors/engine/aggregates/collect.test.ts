import fc from "fast-check";
import { expect, test } from "vitest";
import { collect } from "../../../../processors/engine/aggregates/collect.ts";
import { addAll, keepsTheLaws, merged, refusalOf, restored, resultIn } from "./rows.ts";

const self = (value: number) => value;

keepsTheLaws<number>({ aggregate: collect(self, { maxItems: 10 }), value: fc.integer(), anyOrder: true });

test("values come by event time, and those of one time as they arrived", () => {
  const aggregate = collect((value: string) => value, { maxItems: 10 });
  const row = addAll(aggregate, [
    { timeMs: 3, value: "c" },
    { timeMs: 1, value: "a" },
    { timeMs: 3, value: "d" },
    { timeMs: 2, value: "b" },
  ]);

  expect(resultIn(aggregate, row)).toEqual({ items: ["a", "b", "c", "d"], truncated: 0 });
});

test("past maxItems the first by time are kept and the others counted", () => {
  const events = fc.array(fc.record({ timeMs: fc.integer({ min: 0, max: 9 }), value: fc.nat() }));
  fc.assert(
    fc.property(events, fc.nat(), fc.integer({ min: 1, max: 8 }), (all, seed, maxItems) => {
      const aggregate = collect(self, { maxItems });
      const cut = seed % (all.length + 1);
      const row = merged(
        aggregate,
        restored(aggregate, addAll(aggregate, all.slice(0, cut))),
        addAll(aggregate, all.slice(cut)),
      );
      const sorted = all.toSorted((a, b) => a.timeMs - b.timeMs).map(({ value }) => value);
      expect(resultIn(aggregate, row)).toEqual({
        items: sorted.slice(0, maxItems),
        truncated: Math.max(0, all.length - maxItems),
      });
    }),
  );
});

test("options and values out of range are refused", () => {
  expect(() => collect(self, { maxItems: 0 })).toThrow("maxItems is 0");
  expect(() => collect(self, { maxItems: 1e6 })).toThrow(
    "maxItems is 1000000; it must be a whole number from 1 to 100000",
  );
  expect(refusalOf(collect(self, { maxItems: 1, maxValueBytes: 3 }), 1234)).toContain("is 4 bytes as JSON");
  expect(collect(self, { maxItems: 7 }).kind).toBe("collect(maxItems=7)");
});
