import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { first } from "../../../../processors/engine/aggregates/first.ts";
import type { JsonLike } from "../../../../processors/engine/aggregates/json-value.ts";
import { last } from "../../../../processors/engine/aggregates/last.ts";
import { addAll, keepsTheLaws, merged, refusalOf, restored, resultIn } from "./rows.ts";

const self = (value: JsonLike) => value;
const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as JsonLike);

describe.each([
  ["first", first(self)],
  ["last", last(self)],
])("%s", (_, aggregate) => {
  keepsTheLaws<JsonLike>({ aggregate, value: json, anyOrder: true });
});

test.each([
  [
    "first",
    first(self),
    [
      [2, "b"],
      [1, "a"],
      [3, "c"],
    ],
    "a",
  ],
  [
    "first of two at once is the one that arrived first",
    first(self),
    [
      [1, "a"],
      [1, "b"],
    ],
    "a",
  ],
  [
    "last",
    last(self),
    [
      [2, "b"],
      [3, "c"],
      [1, "a"],
    ],
    "c",
  ],
  [
    "last of two at once is the one that arrived last",
    last(self),
    [
      [1, "a"],
      [1, "b"],
    ],
    "b",
  ],
  [
    "null is a value",
    last(self),
    [
      [1, "a"],
      [2, null],
    ],
    null,
  ],
  ["nothing", first(self), [], null],
] as const)("%s", (_, aggregate, events, expected) => {
  const row = addAll(
    aggregate,
    events.map(([timeMs, value]) => ({ timeMs, value })),
  );

  expect(resultIn(aggregate, row)).toBe(expected);
});

test("the earliest and the latest of any events, merged or not", () => {
  const events = fc.array(fc.record({ timeMs: fc.integer({ min: -5, max: 5 }), value: json }), {
    minLength: 1,
  });
  fc.assert(
    fc.property(events, fc.nat(), (all, seed) => {
      const cut = seed % (all.length + 1);
      const sorted = all.toSorted((a, b) => a.timeMs - b.timeMs);
      for (const [aggregate, expected] of [
        [first(self), sorted[0]],
        [last(self), sorted.at(-1)],
      ] as const) {
        const row = merged(
          aggregate,
          addAll(aggregate, all.slice(0, cut)),
          addAll(aggregate, all.slice(cut)),
        );
        expect(resultIn(aggregate, restored(aggregate, row))).toEqual(expected!.value);
      }
    }),
  );
});

describe("a value that JSON would change is refused", () => {
  const cyclic: { self?: unknown } = {};
  cyclic.self = cyclic;

  test.each<[string, unknown, string]>([
    ["undefined", undefined, "is or holds undefined, which JSON has not"],
    ["a bigint", 1n, "a bigint"],
    ["a function", () => 1, "a function"],
    ["a symbol", Symbol("s"), "a symbol"],
    ["NaN", Number.NaN, "a number that is not finite"],
    ["infinity within", { a: [Number.POSITIVE_INFINITY] }, "a number that is not finite"],
    ["a date", new Date(0), "an object of a class"],
    ["a map within", [new Map()], "an object of a class"],
    ["a hole", [undefined], "is or holds undefined"],
    ["a toJSON of one's own", { toJSON: () => "x" }, "a function"],
    ["a circle", cyclic, "is nested more than 64 deep"],
  ])("%s", (_, value, reason) => {
    expect(refusalOf(first(self), value as JsonLike)).toContain(reason);
  });

  test("but an undefined property counts as absent", () => {
    const row = addAll(first(self), [{ timeMs: 1, value: { a: 1, b: undefined } }]);

    expect(resultIn(first(self), row)).toStrictEqual({ a: 1 });
  });

  test("a key called __proto__ comes back as it was", () => {
    const value = JSON.parse('{"__proto__":{"a":1},"b":2}') as JsonLike;
    const row = restored(last(self), addAll(last(self), [{ timeMs: 1, value }]));

    expect(JSON.stringify(resultIn(last(self), row))).toBe('{"__proto__":{"a":1},"b":2}');
  });
});

test("a value is bounded by the bytes of its JSON", () => {
  expect(refusalOf(first(self), "x".repeat(1_022))).toBeUndefined();
  expect(refusalOf(first(self), "x".repeat(1_023))).toBe("is 1025 bytes as JSON; maxValueBytes allows 1024");
  expect(refusalOf(first(self, { maxValueBytes: 4 }), "é")).toBeUndefined();
  expect(refusalOf(first(self, { maxValueBytes: 4 }), "éé")).toContain("is 6 bytes");
  expect(() => last(self, { maxValueBytes: 0 })).toThrow(
    "maxValueBytes is 0; it must be a whole number from 1",
  );
});
