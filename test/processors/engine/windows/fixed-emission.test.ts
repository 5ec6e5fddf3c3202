import { describe, expect, test } from "vitest";
import { everyEventTimeMs, onUpdate, tumbling } from "../../../../processors/engine/pipeline/dsl.ts";
import { type recordsOf, watermark } from "../task-fixture.ts";
import { logFor, type WindowSetup } from "./window-fixture.ts";

interface Case {
  readonly name: string;
  readonly options: Omit<WindowSetup, "window">;
  readonly records: Parameters<typeof recordsOf>[0];
  readonly log: readonly string[];
}

const cases: readonly Case[] = [
  {
    name: "on update: each event emits, the close does not once more",
    options: { emit: onUpdate() },
    records: [{ id: "a", t: 1 }, { id: "b", t: 2 }, watermark(2, 100)],
    log: ["+k 0..100 rev1 a", "+k 0..100 rev2 a,b"],
  },
  {
    name: "every so often: what changed when the watermark passes a multiple, and what changed since at the end",
    options: { emit: everyEventTimeMs(40) },
    records: [
      { id: "a", t: 1 },
      watermark(1, 39),
      watermark(2, 40),
      { id: "b", t: 50 },
      watermark(4, 95),
      { id: "c", t: 96 },
      watermark(6, 100),
      watermark(7, 120),
    ],
    log: ["+k 0..100 rev1 a", "+k 0..100 rev2 a,b", "+k 0..100 rev3 a,b,c"],
  },
  {
    name: "every so often: a multiple that passed before an event, while no window was open, is not its own",
    options: { emit: everyEventTimeMs(40) },
    records: [
      { id: "a", t: 1 },
      watermark(1, 150),
      watermark(2, 550),
      { id: "b", t: 555 },
      watermark(4, 560),
    ],
    log: ["+k 0..100 rev1 a", "+k 500..600 rev1 b"],
  },
  {
    name: "discarding: a pane has what came since the last",
    options: { emit: everyEventTimeMs(40), panes: "discarding" },
    records: [{ id: "a", t: 1 }, watermark(1, 40), { id: "b", t: 41 }, watermark(3, 100)],
    log: ["+k 0..100 rev1 pane1 a", "+k 0..100 rev2 pane2 b"],
  },
];

describe("windows of fixed size that are emitted before they close", () => {
  test.each(cases)("$name", ({ options, records, log }) => {
    expect(logFor({ ...options, window: tumbling({ sizeMs: 100 }) }, records)).toEqual(log);
  });
});
