import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { aggregate, type CustomAggregate } from "../../../../processors/engine/aggregates/custom.ts";
import { bytesOf, keepsTheLaws, merged, resultIn, resultOf, rowOf } from "./rows.ts";

const AT = 1;

/** Counts by value in a Map that it changes in place; breaks on 13 after changing it. */
const tallies: CustomAggregate<number, Map<number, number>, Record<string, number>> = {
  kind: "tallies",
  create: () => new Map(),
  add: (map, value) => {
    map.set(value, (map.get(value) ?? 0) + 1);
    if (value === 13) throw new Error("thirteen");
    return map;
  },
  merge: (into, from) => {
    for (const [value, count] of from) {
      into.set(value, (into.get(value) ?? 0) + count);
      if (into.get(7)! > 1) throw new Error("sevens");
    }
    return into;
  },
  result: (map) => Object.fromEntries(map),
  encode: (map) => Buffer.from(JSON.stringify([...map].sort(([a], [b]) => a - b))),
  decode: (bytes) => new Map(JSON.parse(Buffer.from(bytes).toString())),
};

keepsTheLaws<number>({
  aggregate: aggregate<number, Map<number, number>, unknown>(tallies),
  value: fc.nat(5),
  anyOrder: true,
});

describe("a user-defined aggregate", () => {
  test("sees each event and its time", () => {
    const span = aggregate({
      kind: "span",
      create: () => ({ names: [] as string[], lastMs: 0 }),
      add: (all, event: { name: string }, timeMs) => ({
        names: [...all.names, event.name],
        lastMs: Math.max(all.lastMs, timeMs),
      }),
      merge: (a, b) => ({ names: [...a.names, ...b.names], lastMs: Math.max(a.lastMs, b.lastMs) }),
      result: ({ names, lastMs }) => `${names.join("+")}@${lastMs}`,
      encode: (all) => Buffer.from(JSON.stringify(all)),
      decode: (bytes) => JSON.parse(Buffer.from(bytes).toString()),
    });

    expect(resultOf(span, [{ name: "a" }, { name: "b" }])).toBe("a+b@1");
    expect(span.kind).toBe("custom(span)");
  });

  test("that throws half-way through an addition has changed nothing", () => {
    const made = aggregate(tallies);
    const row = rowOf(made, [1, 2, 2]);
    const before = bytesOf(made, row);

    expect(() => made.attempt!.add(row[AT], 13, 0)).toThrow("thirteen");
    expect(bytesOf(made, row)).toBe(before);
    expect(resultIn(made, row)).toEqual({ 1: 1, 2: 2 });
  });

  test("that throws half-way through a merge has changed neither side", () => {
    const made = aggregate(tallies);
    const [into, from] = [rowOf(made, [1, 7]), rowOf(made, [1, 7])];

    expect(() => made.attempt!.merge(into[AT], from[AT])).toThrow("sevens");
    expect(resultIn(made, into)).toEqual({ 1: 1, 7: 1 });
    expect(resultIn(made, from)).toEqual({ 1: 1, 7: 1 });
  });

  test("that throws once its element is part of the state has no result from then on", () => {
    const made = aggregate(tallies);
    const row = rowOf(made, [1]);

    made.add(row, AT, 13, 0);
    made.add(row, AT, 2, 0);
    const into = merged(made, rowOf(made, [7]), row);

    expect(() => resultIn(made, row)).toThrow("thirteen");
    expect(() => resultIn(made, into)).toThrow("thirteen");
    expect(bytesOf(made, row)).toBe(bytesOf(made, into));
  });

  test("attempts store nothing and follow one another", () => {
    const made = aggregate(tallies);
    const row = rowOf(made, [1]);
    const once = made.attempt!.add(row[AT], 2, 0);
    const twice = made.attempt!.merge(made.attempt!.add(once, 2, 0), once);

    expect(resultIn(made, row)).toEqual({ 1: 1 });
    row[AT] = twice;
    expect(resultIn(made, row)).toEqual({ 1: 2, 2: 3 });
  });

  test("cannot reach the state through the bytes it gave or got", () => {
    const shared = new Uint8Array(1);
    const views: Uint8Array[] = [];
    const made = aggregate<number, Uint8Array, number>({
      kind: "shared-bytes",
      create: () => shared,
      add: (bytes, value) => {
        shared[0] = bytes[0]! + value;
        return shared;
      },
      merge: (a) => a,
      result: (bytes) => bytes[0]!,
      encode: (bytes) => bytes,
      decode: (bytes) => {
        views.push(bytes);
        return bytes;
      },
    });
    const row = rowOf(made, [1, 2]);
    shared[0] = 99;
    for (const view of views) view[0] = 77;

    expect(resultIn(made, row)).toBe(3);
  });

  test("with an encode that forgets something shows it before any crash", () => {
    const forgetful = aggregate({ ...tallies, kind: "forgetful", encode: () => Buffer.from("[]") });

    expect(resultOf(forgetful, [1, 2])).toEqual({});
  });

  test("keeps bytes of every value", () => {
    const made = aggregate<Uint8Array, Uint8Array, number[]>({
      kind: "newest-bytes",
      create: () => new Uint8Array(),
      add: (_, value) => value,
      merge: (_, from) => from,
      result: (bytes) => [...bytes],
      encode: (bytes) => bytes,
      decode: (bytes) => bytes,
    });
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);

    expect(resultOf(made, [all.subarray(0)])).toEqual([...all]);
    expect(resultOf(made, [all.subarray(100, 110)])).toEqual([...all.subarray(100, 110)]);
  });
});

test.each<[string, Partial<typeof tallies>, string]>([
  ["a kind that is no name", { kind: "My Tallies" }, 'kind is "My Tallies"'],
  ["no room", { maxBytes: 0 }, "maxBytes is 0"],
  ["an encode that throws", { encode: () => assertNever() }, "does not survive encode and decode"],
  ["an encode that gives text", { encode: () => "[]" as unknown as Uint8Array }, "returned no Uint8Array"],
  ["a decode that throws", { decode: () => assertNever() }, "does not survive"],
])("%s is refused when the pipeline is made", (_, part, message) => {
  expect(() => aggregate({ ...tallies, ...part })).toThrow(
    expect.objectContaining({ code: "AGGREGATE_OPTION_INVALID" }),
  );
  expect(() => aggregate({ ...tallies, ...part })).toThrow(message);
});

test("an accumulator that grows past maxBytes is refused before it is stored", () => {
  const made = aggregate({ ...tallies, maxBytes: 12 });
  const row = rowOf(made, [1, 2].slice(0, 1));

  expect(() => made.attempt!.add(row[AT], 100, 0)).toThrow(
    "encode of tallies returned 15 bytes; maxBytes allows 12",
  );
  expect(resultIn(made, row)).toEqual({ 1: 1 });
});

test("a result that JSON cannot show is an error", () => {
  const made = aggregate({ ...tallies, result: (map) => BigInt(map.size) });

  expect(() => resultOf(made, [1])).toThrow("the result of tallies is or holds a bigint, which JSON has not");
});

function assertNever(): never {
  throw new Error("broken");
}
