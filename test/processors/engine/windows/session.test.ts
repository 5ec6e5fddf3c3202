import { describe, expect, test } from "vitest";
import {
  everyEventTimeMs,
  onUpdate,
  pipeline,
  session,
  sum,
} from "../../../../processors/engine/pipeline/dsl.ts";
import { type recordsOf, watermark } from "../task-fixture.ts";
import { logFor, type WindowSetup } from "./window-fixture.ts";

interface Case {
  readonly name: string;
  readonly options?: Omit<WindowSetup, "window">;
  readonly records: Parameters<typeof recordsOf>[0];
  readonly log: readonly string[];
}

/** Each event's id is a letter, each time a small number; sessions end 10 ms after their last event. */
const window = session({ gapMs: 10 });

const onClose: readonly Case[] = [
  {
    name: "a session is [first, last + gap), and fires when the watermark reaches its end",
    records: [{ id: "a", t: 3 }, { id: "b", t: 9 }, watermark(2, 18), watermark(3, 19)],
    log: ["+k 3..19 rev1 a,b"],
  },
  {
    name: "events exactly one gap apart are one session",
    records: [{ id: "a", t: 0 }, { id: "b", t: 10 }, watermark(2, 20)],
    log: ["+k 0..20 rev1 a,b"],
  },
  {
    name: "events more than one gap apart are two",
    records: [{ id: "a", t: 0 }, { id: "b", t: 11 }, watermark(2, 30)],
    log: ["+k 0..10 rev1 a", "+k 11..21 rev1 b"],
  },
  {
    name: "an event between two sessions joins them, exactly one gap from each",
    options: { outOfOrderMs: 50 },
    records: [{ id: "a", t: 0 }, { id: "c", t: 20 }, { id: "b", t: 10 }, watermark(3, 40)],
    log: ["+k 0..30 rev1 a,b,c"],
  },
  {
    name: "an event before a session extends it to the left",
    options: { outOfOrderMs: 50 },
    records: [{ id: "b", t: 10 }, { id: "a", t: 0 }, watermark(2, 40)],
    log: ["+k 0..20 rev1 a,b"],
  },
  {
    name: "keys have sessions of their own; they fire by end, then start, then key",
    options: { outOfOrderMs: 50 },
    records: [
      { id: "a", key: "z", t: 5 },
      { id: "b", key: "y", t: 5 },
      { id: "c", key: "zz", t: 1 },
      { id: "d", key: "zz", t: 5 },
      { id: "e", key: "zzz", t: 4 },
      watermark(5, 100),
    ],
    log: ["+zzz 4..14 rev1 e", "+zz 1..15 rev1 c,d", "+y 5..15 rev1 b", "+z 5..15 rev1 a"],
  },
  {
    name: "times before 1970 are times",
    records: [{ id: "a", t: -25 }, { id: "b", t: -15 }, watermark(2, -5)],
    log: ["+k -25..-5 rev1 a,b"],
  },
  {
    name: "an event is late by the end that its session would have with it",
    records: [{ id: "a", t: 0 }, watermark(1, 30), { id: "b", t: 15 }],
    log: ["+k 0..10 rev1 a", "late b 5"],
  },
  {
    name: "however old, an event is not late where it falls into a session that is open",
    records: [{ id: "a", t: 0 }, { id: "c", t: 10 }, { id: "d", t: 20 }, { id: "b", t: 1 }, watermark(4, 99)],
    log: ["+k 0..30 rev1 a,b,c,d"],
  },
  {
    name: "an event old enough for its own session to be over is on time where it extends one to the left",
    records: [{ id: "b", t: 10 }, watermark(1, 19), { id: "a", t: 2 }, watermark(3, 20)],
    log: ["+k 2..20 rev1 a,b"],
  },
];

const lateness: readonly Case[] = [
  {
    name: "within the lateness, an event inside a closed session emits it again at once",
    options: { allowedLatenessMs: 20 },
    records: [{ id: "a", t: 0 }, { id: "c", t: 5 }, watermark(2, 15), { id: "b", t: 3 }],
    log: ["+k 0..15 rev1 a,c", "+k 0..15 rev2 a,b,c"],
  },
  {
    name: "one that changes its bounds takes the old session back, and the new one starts at revision 1",
    options: { allowedLatenessMs: 20 },
    records: [{ id: "b", t: 5 }, watermark(1, 25), { id: "a", t: 0 }],
    log: ["+k 5..15 rev1 b", "-k 5..15 rev1", "+k 0..15 rev1 a,b"],
  },
  {
    name: "where the new session has not ended yet, its result waits until it has",
    options: { allowedLatenessMs: 20 },
    records: [{ id: "a", t: 0 }, watermark(1, 12), { id: "b", t: 8 }, watermark(3, 17), watermark(4, 18)],
    log: ["+k 0..10 rev1 a", "-k 0..10 rev1", "+k 0..18 rev1 a,b"],
  },
  {
    name: "an event that joins two closed sessions takes both back, the later revision of each",
    options: { allowedLatenessMs: 50 },
    records: [{ id: "a", t: 0 }, { id: "b", t: 20 }, watermark(2, 40), { id: "c", t: 0 }, { id: "d", t: 10 }],
    log: [
      "+k 0..10 rev1 a",
      "+k 20..30 rev1 b",
      "+k 0..10 rev2 a,c",
      "-k 0..10 rev2",
      "-k 20..30 rev1",
      "+k 0..30 rev1 a,c,d,b",
    ],
  },
  {
    name: "one that joins a closed session and an open one takes back only what was emitted",
    options: { allowedLatenessMs: 50 },
    records: [{ id: "a", t: 0 }, { id: "b", t: 20 }, { id: "c", t: 10 }, watermark(3, 30)],
    log: ["+k 0..10 rev1 a", "-k 0..10 rev1", "+k 0..30 rev1 a,c,b"],
  },
  {
    name: "a session that begins and ends within the lateness is emitted at once",
    options: { allowedLatenessMs: 20 },
    records: [
      { id: "z", key: "other", t: 25 },
      { id: "a", t: 10 },
    ],
    log: ["+k 10..20 rev1 a"],
  },
  {
    name: "once its lateness is over a session is forgotten: an event next to it begins another",
    options: { allowedLatenessMs: 5 },
    records: [{ id: "a", t: 0 }, watermark(1, 14), { id: "b", t: 1 }, watermark(3, 16), { id: "c", t: 6 }],
    log: ["+k 0..10 rev1 a", "-k 0..10 rev1", "+k 0..11 rev1 a,b", "+k 6..16 rev1 c"],
  },
  {
    name: "an event at end + lateness is late",
    options: { allowedLatenessMs: 5 },
    records: [{ id: "a", t: 0 }, watermark(1, 15), { id: "b", t: 0 }],
    log: ["+k 0..10 rev1 a", "late b 0"],
  },
];

const emission: readonly Case[] = [
  {
    name: "on update: each event emits; one that extends takes the shorter session back",
    options: { emit: onUpdate() },
    records: [{ id: "a", t: 0 }, { id: "b", t: 5 }, { id: "c", t: 3 }, watermark(3, 50)],
    log: ["+k 0..10 rev1 a", "-k 0..10 rev1", "+k 0..15 rev1 a,b", "+k 0..15 rev2 a,c,b"],
  },
  {
    name: "every so often: what changed, when the watermark passes a multiple; then what changed since, at the end",
    options: { emit: everyEventTimeMs(100) },
    records: [
      { id: "a", t: 95 },
      watermark(1, 99),
      { id: "b", t: 95 },
      watermark(3, 102),
      { id: "c", t: 95 },
      watermark(5, 104),
      watermark(6, 105),
    ],
    log: ["+k 95..105 rev1 a,b", "+k 95..105 rev2 a,b,c"],
  },
  {
    name: "every so often: nothing is emitted again that did not change",
    options: { emit: everyEventTimeMs(10) },
    records: [{ id: "a", t: 5 }, watermark(1, 10), watermark(2, 15)],
    log: ["+k 5..15 rev1 a"],
  },
  {
    name: "every so often: a session that was emitted and goes on is taken back at once",
    options: { emit: everyEventTimeMs(10) },
    records: [{ id: "a", t: 8 }, watermark(1, 11), { id: "b", t: 12 }, watermark(3, 15), watermark(4, 21)],
    log: ["+k 8..18 rev1 a", "-k 8..18 rev1", "+k 8..22 rev1 a,b"],
  },
  {
    name: "every so often: open sessions by end, then start, then key, after those that close",
    options: { emit: everyEventTimeMs(100), outOfOrderMs: 1_000 },
    records: [
      { id: "a", key: "z", t: 95 },
      { id: "b", key: "y", t: 95 },
      { id: "c", key: "x", t: 99 },
      { id: "d", key: "zzz", t: 80 },
      { id: "e", key: "zz", t: 94 },
      { id: "f", key: "zz", t: 95 },
      watermark(6, 100),
    ],
    log: [
      "+zzz 80..90 rev1 d",
      "+zz 94..105 rev1 e,f",
      "+y 95..105 rev1 b",
      "+z 95..105 rev1 a",
      "+x 99..109 rev1 c",
    ],
  },
  {
    name: "discarding: a pane has what came since the last, and is never taken back",
    options: { emit: onUpdate(), panes: "discarding" },
    records: [
      { id: "a", t: 0 },
      { id: "b", t: 5 },
      { id: "c", t: 3 },
    ],
    log: ["+k 0..10 rev1 pane1 a", "+k 0..15 rev1 pane1 b", "+k 0..15 rev2 pane2 c"],
  },
  {
    name: "discarding: sessions that are joined go on with what neither had emitted",
    options: { allowedLatenessMs: 50, panes: "discarding" },
    records: [{ id: "a", t: 0 }, { id: "b", t: 20 }, { id: "c", t: 10 }, watermark(3, 30)],
    log: ["+k 0..10 rev1 pane1 a", "+k 0..30 rev1 pane1 c,b"],
  },
];

describe("session windows", () => {
  test.each([...onClose, ...lateness, ...emission])("$name", ({ options, records, log }) => {
    expect(logFor({ ...options, window }, records)).toEqual(log);
  });

  test("a result that cannot be made is a dead pane, and the sessions after it go on", () => {
    expect(
      logFor({ window }, [
        { id: "a", t: 0, v: 1e308 },
        { id: "b", t: 1, v: 1e308 },
        { id: "c", t: 20 },
        watermark(3, 50),
      ]),
    ).toEqual([expect.stringContaining("dead-letters"), "+k 20..30 rev1 c"]);
  });

  test.each([0, -1, 1.5, Number.NaN])("a gap of %d is refused", (gapMs) => {
    expect(() => windowOf(gapMs)).toThrow(/window.gapMs is/);
  });
});

const windowOf = (gapMs: number) =>
  pipeline("p")
    .from({ topic: "t", decode: () => 1, time: () => 1 }, { outOfOrderMs: 0, dedupe: false })
    .keyBy(() => "k")
    .window(session({ gapMs }))
    .aggregate({ s: sum(() => 1) })
    .toResults();
