import { describe, expect, test } from "vitest";
import type {
  FromOptions,
  WindowDefinition,
  WindowOptions,
} from "../../../../processors/engine/pipeline/dsl.ts";
import {
  everyCount,
  everyEventTimeMs,
  global,
  onUpdate,
  pipeline,
  sum,
} from "../../../../processors/engine/pipeline/dsl.ts";
import { GLOBAL_WINDOW } from "../../../../processors/engine/windows/window.ts";
import { type recordsOf, watermark } from "../task-fixture.ts";
import { logFor, type WindowSetup } from "./window-fixture.ts";

interface Case extends WindowSetup {
  readonly name: string;
  readonly records: Parameters<typeof recordsOf>[0];
  readonly log: readonly string[];
}

const ALL = `0..${GLOBAL_WINDOW.end}`;

const cases: readonly Case[] = [
  {
    name: "every count: at every nth event of a key, however old it is",
    window: global({ trigger: everyCount(2) }),
    records: [
      { id: "a", t: 500 },
      { id: "z", key: "other", t: 501 },
      { id: "b", t: 1 },
      { id: "c" },
      { id: "d" },
    ],
    log: [`+k ${ALL} rev1 b,a`, `+k ${ALL} rev2 c,d,b,a`],
  },
  {
    name: "on update: at every event",
    window: global({ trigger: onUpdate() }),
    records: [
      { id: "a", t: 5 },
      { id: "b", t: 6 },
    ],
    log: [`+k ${ALL} rev1 a`, `+k ${ALL} rev2 a,b`],
  },
  {
    name: "every so often: the keys that changed, in their order, when the watermark passes a multiple",
    window: global({ trigger: everyEventTimeMs(100) }),
    records: [
      { id: "a", key: "y", t: 5 },
      { id: "b", key: "x", t: 6 },
      watermark(2, 99),
      watermark(3, 100),
      { id: "c", key: "x", t: 7 },
      watermark(5, 199),
      watermark(6, 350),
      watermark(7, 400),
    ],
    log: [`+x ${ALL} rev1 b`, `+y ${ALL} rev1 a`, `+x ${ALL} rev2 b,c`],
  },
  {
    name: "every so often: a multiple that passed before an event is not its own",
    window: global({ trigger: everyEventTimeMs(100) }),
    records: [
      { id: "a", t: 5 },
      watermark(1, 150),
      watermark(2, 550),
      { id: "b", t: 560 },
      watermark(4, 600),
    ],
    log: [`+k ${ALL} rev1 a`, `+k ${ALL} rev2 a,b`],
  },
  {
    name: "at the end of time, what changed since it was emitted last",
    window: global({ trigger: everyCount(2) }),
    records: [
      { id: "a", key: "z", t: 1 },
      { id: "b", key: "y", t: 2 },
      { id: "c", key: "y", t: 3 },
      { id: "d", key: "x", t: 4 },
      watermark(4, GLOBAL_WINDOW.end),
      { id: "e", key: "y", t: 5 },
    ],
    log: [`+y ${ALL} rev1 b,c`, `+x ${ALL} rev1 d`, `+z ${ALL} rev1 a`, `+y ${ALL} rev2 b,c,e`],
  },
  {
    name: "discarding: each pane has what came since the last",
    window: global({ trigger: everyCount(2) }),
    panes: "discarding",
    records: [
      { id: "a" },
      { id: "b" },
      { id: "c" },
      { id: "d" },
      { id: "e" },
      watermark(5, GLOBAL_WINDOW.end),
    ],
    log: [`+k ${ALL} rev1 pane1 a,b`, `+k ${ALL} rev2 pane2 c,d`, `+k ${ALL} rev3 pane3 e`],
  },
];

describe("global windows", () => {
  test.each(cases)("$name", ({ name: _name, records, log, ...setup }) => {
    expect(logFor(setup, records)).toEqual(log);
  });

  test("emit and allowedLatenessMs are refused: the trigger says when, and nothing is late", () => {
    expect(() => windowWith({ emit: onUpdate() })).toThrow(/drop emit/);
    expect(() => windowWith({ allowedLatenessMs: 1 })).toThrow(/drop allowedLatenessMs/);
  });

  test.each([0, -1, 1.5])("a trigger at every %d events is refused", (count) => {
    expect(() => windowWith({}, everyCount(count))).toThrow(/window.trigger.count/);
  });

  test("without a word on dedupe it is refused: ids would be remembered for ever", () => {
    expect(() => windowWith({}, onUpdate(), { outOfOrderMs: 0 })).toThrow(/dedupe/);
  });
});

const windowWith = (
  options: WindowOptions,
  trigger: Parameters<typeof global>[0]["trigger"] = onUpdate(),
  from: FromOptions = { outOfOrderMs: 0, dedupe: false },
) =>
  pipeline("p")
    .from({ topic: "t", decode: () => 1, time: () => 1, identity: () => "1" }, from)
    .keyBy(() => "k")
    // As where the types are not checked.
    .window<WindowDefinition>(global({ trigger }), options)
    .aggregate({ s: sum(() => 1) })
    .toResults();
