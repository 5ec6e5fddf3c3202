import { describe, expect, test } from "vitest";
import type { WindowDefinition, WindowOptions } from "../../../../processors/engine/pipeline/dsl.ts";
import { onUpdate, pipeline, sliding, sum } from "../../../../processors/engine/pipeline/dsl.ts";
import { type recordsOf, watermark } from "../task-fixture.ts";
import { logFor, type WindowSetup } from "./window-fixture.ts";

interface Case {
  readonly name: string;
  readonly options?: Omit<WindowSetup, "window">;
  readonly records: Parameters<typeof recordsOf>[0];
  readonly log: readonly string[];
}

/** Windows of 10 ms with both ends inclusive, so that their printed ends are 11 ms after their starts. */
const window = sliding({ sizeMs: 10 });

const cases: readonly Case[] = [
  {
    name: "a lone event has the window that ends with it",
    records: [{ id: "a", t: 20 }, watermark(1, 20), watermark(2, 21)],
    log: ["+k 10..21 rev1 a"],
  },
  {
    name: "one window for every set of events within the size of each other",
    records: [{ id: "a", t: 20 }, { id: "b", t: 25 }, { id: "c", t: 33 }, watermark(3, 100)],
    log: [
      "+k 10..21 rev1 a",
      "+k 15..26 rev1 a,b",
      "+k 21..32 rev1 b",
      "+k 23..34 rev1 b,c",
      "+k 26..37 rev1 c",
    ],
  },
  {
    name: "both ends are inclusive: events exactly the size apart share a window, which is both of theirs",
    records: [{ id: "a", t: 20 }, { id: "b", t: 30 }, watermark(2, 100)],
    log: ["+k 10..21 rev1 a", "+k 20..31 rev1 a,b", "+k 21..32 rev1 b"],
  },
  {
    name: "events further apart do not, but the second is in the window after the first",
    records: [{ id: "a", t: 20 }, { id: "b", t: 31 }, watermark(2, 100)],
    log: ["+k 10..21 rev1 a", "+k 21..32 rev1 b"],
  },
  {
    name: "events of one time are together in every window",
    records: [{ id: "a", t: 20 }, { id: "b", t: 20 }, { id: "c", t: 21 }, watermark(3, 100)],
    log: ["+k 10..21 rev1 a,b", "+k 11..22 rev1 a,b,c", "+k 21..32 rev1 c"],
  },
  {
    name: "within the bound the order changes nothing",
    options: { outOfOrderMs: 50 },
    records: [{ id: "c", t: 33 }, { id: "a", t: 20 }, { id: "b", t: 25 }, watermark(3, 100)],
    log: [
      "+k 10..21 rev1 a",
      "+k 15..26 rev1 a,b",
      "+k 21..32 rev1 b",
      "+k 23..34 rev1 b,c",
      "+k 26..37 rev1 c",
    ],
  },
  {
    name: "times before 1970 are times",
    records: [{ id: "a", t: -3 }, { id: "b", t: 2 }, watermark(2, 100)],
    log: ["+k -13..-2 rev1 a", "+k -8..3 rev1 a,b", "+k -2..9 rev1 b"],
  },
  {
    name: "keys have windows of their own, which fire by end, then key",
    options: { outOfOrderMs: 50 },
    records: [{ id: "a", key: "z", t: 20 }, { id: "b", key: "y", t: 20 }, watermark(2, 100)],
    log: ["+y 10..21 rev1 b", "+z 10..21 rev1 a"],
  },
  {
    name: "an event counts in those of its windows that are open, and its own closed one is not made",
    records: [{ id: "b", t: 20 }, watermark(1, 24), { id: "a", t: 15 }, watermark(3, 100)],
    log: ["+k 10..21 rev1 b", "+k 16..27 rev1 b"],
  },
  {
    name: "an event is late once no window could be open that holds it",
    records: [
      { id: "a", key: "other", t: 0 },
      watermark(1, 30),
      { id: "b", t: 20 },
      { id: "c", t: 19 },
      { id: "d", t: 25 },
      watermark(5, 100),
    ],
    log: ["+other -10..1 rev1 a", "late c 0", "+k 21..32 rev1 d"],
  },
  {
    name: "within the lateness, the windows that an event changes or makes are emitted at once",
    options: { allowedLatenessMs: 20 },
    records: [{ id: "a", t: 20 }, { id: "c", t: 28 }, watermark(2, 44), { id: "b", t: 24 }],
    log: [
      "+k 10..21 rev1 a",
      "+k 18..29 rev1 a,c",
      "+k 21..32 rev1 c",
      "+k 14..25 rev1 a,b",
      "+k 18..29 rev2 a,b,c",
      "+k 21..32 rev2 b,c",
      "+k 25..36 rev1 c",
    ],
  },
  {
    name: "what is past its lateness stays as it is",
    options: { allowedLatenessMs: 5 },
    records: [{ id: "a", t: 20 }, { id: "c", t: 28 }, watermark(2, 34), { id: "b", t: 24 }, watermark(4, 99)],
    log: [
      "+k 10..21 rev1 a",
      "+k 18..29 rev1 a,c",
      "+k 21..32 rev1 c",
      "+k 21..32 rev2 b,c",
      "+k 25..36 rev1 c",
    ],
  },
];

describe("sliding windows", () => {
  test.each(cases)("$name", ({ options, records, log }) => {
    expect(logFor({ ...options, window }, records)).toEqual(log);
  });

  test.each<[string, WindowOptions]>([
    ["emissions before the close", { emit: onUpdate() }],
    ["discarding panes", { panes: "discarding" }],
  ])("%s are refused: the field has none", (_name, options) => {
    expect(() => windowWith(options)).toThrow(/sliding windows are emitted on close and accumulate/);
  });
});

const windowWith = (options: WindowOptions) =>
  pipeline("p")
    .from({ topic: "t", decode: () => 1, time: () => 1 }, { outOfOrderMs: 0, dedupe: false })
    .keyBy(() => "k")
    // As where the types are not checked.
    .window<WindowDefinition>(window, options)
    .aggregate({ s: sum(() => 1) })
    .toResults();
