import { describe, expect, expectTypeOf, test } from "vitest";
import { flightDeparted, pageViewed, telemetryReported } from "../../../../contracts/events/catalogue.ts";
import {
  count,
  events,
  HOUR_MS,
  PipelineError,
  pipeline,
  stream,
  tumbling,
} from "../../../../processors/engine/pipeline/dsl.ts";
import { event, run } from "../scripted-run.ts";
import { arrivals, joining, lineOf } from "./join-fixture.ts";

const END = 10_000;

interface Case {
  readonly name: string;
  readonly arrivals: readonly (string | number)[];
  readonly lines: readonly string[];
  readonly late?: number;
}

/** A payment from 5 ms before its order to 10 ms after it. */
const cases: readonly Case[] = [
  { name: "two within the bounds are a pair", arrivals: ["o5", "p7", END], lines: ["0+1 5..8"] },
  { name: "whichever comes first", arrivals: ["p7", "o5", END], lines: ["1+0 5..8"] },
  {
    name: "both bounds are inclusive",
    arrivals: ["o10", "p5", "p20", END],
    lines: ["0+1 5..11", "0+2 10..21"],
  },
  { name: "beyond them nobody meets", arrivals: ["o10", "p4", "p21", END], lines: ["0 10..11"] },
  {
    name: "each with each",
    arrivals: ["o5", "o6", "p7", "p8", END],
    lines: ["0+2 5..8", "1+2 6..8", "0+3 5..9", "1+3 6..9"],
  },
  {
    name: "a pair is emitted when the watermark has passed its later event",
    arrivals: ["o5", "p7", 7, "o8", "p8"],
    lines: ["0+1 5..8"],
  },
  {
    name: "a left event alone is emitted when no right one can come",
    arrivals: ["o5", 15, "p16", "o16"],
    lines: ["0 5..6"],
  },
  { name: "and not before", arrivals: ["o5", 15], lines: [] },
  {
    name: "an event behind the watermark is late",
    arrivals: ["o5", 8, "p7", "p8", END],
    lines: ["0+3 5..9"],
    late: 1,
  },
  {
    name: "fractions of a millisecond are cut off",
    arrivals: ["o5.5", "p4.9", "p15.9", END],
    lines: ["0+1 4..6", "0+2 5..16"],
  },
];

describe("join, a payment from 5 ms before its order to 10 ms after it", () => {
  test.each(cases)("$name", ({ arrivals: words, lines, late = 0 }) => {
    const { results, late: lateRecords } = run(joining(), arrivals(...words));

    expect(results.map(lineOf)).toEqual(lines);
    expect(lateRecords).toHaveLength(late);
  });

  test("an inner join says nothing of those that nobody came for", () => {
    const { results } = run(joining({ kind: "inner" }), arrivals("o5", "o50", "p52", "p99", END));

    expect(results.map(lineOf)).toEqual(["1+2 50..53"]);
  });

  test("pairs of the same times are rows of their own", () => {
    const { results } = run(joining(), arrivals("o5", "o5", "o30", "o30", "p5", "p7", "p7", END));

    expect(results.map(({ window, revision, pane }) => [window.start, window.end, revision, pane])).toEqual([
      [5, 6, 1, 1],
      [5, 6, 2, 2],
      [5, 8, 1, 1],
      [5, 8, 2, 2],
      [5, 8, 3, 3],
      [5, 8, 4, 4],
      [30, 31, 1, 1],
      [30, 31, 2, 2],
    ]);
  });

  test("a pair that cannot be combined goes to the dead letters, and stops nothing", () => {
    const source = (topic: string) => ({ topic, decode: () => ({}), time: () => 5 });
    let n = 0;
    const definition = pipeline("p")
      .from(source("orders"), { outOfOrderMs: 0, dedupe: false })
      .keyBy(() => "k")
      .join(
        stream(source("payments"), { outOfOrderMs: 0, dedupe: false }).keyBy(() => "k"),
        {
          kind: "inner",
          beforeMs: 0,
          afterMs: 0,
          combine: () => {
            n += 1;
            if (n === 1) throw new Error("first");
            return { n };
          },
        },
      )
      .toResults();

    const { results, dead } = run(definition, arrivals("o5", "o5", "p5", END));

    expect(results.map(({ value }) => value)).toEqual([{ n: 2 }]);
    expect(JSON.parse(dead[0]!.value)).toMatchObject({ key: "k", window: { start: 5, end: 6 } });
  });

  test("steps of both streams apply to their own events only", () => {
    const source = (topic: string) => ({
      topic,
      decode: (value: Uint8Array) =>
        JSON.parse(new TextDecoder().decode(value)) as { key: string; t: number; n: number },
      time: ({ t }: { key: string; t: number; n: number }) => t,
    });
    const right = stream(source("payments"), { outOfOrderMs: 0, dedupe: false })
      .filter(({ n }) => n > 10)
      .map(({ key, n }) => ({ key, amount: n }))
      .keyBy(({ key }) => key);
    const definition = pipeline("p")
      .from(source("orders"), { outOfOrderMs: 0, dedupe: false })
      .keyBy(({ key }) => key)
      .filter(({ n }) => n < 10)
      .flatMap(({ n }) => [{ order: n }, { order: -n }])
      .join(right, {
        kind: "left",
        beforeMs: 5,
        afterMs: 5,
        combine: ({ order }, payment) => ({ order, amount: payment?.amount ?? null }),
      })
      .toResults();
    const [order, payment] = [
      (n: number) => event("orders", { key: "k", t: 1, n }),
      (n: number) => event("payments", { key: "k", t: 1, n }),
    ];

    const { results } = run(definition, [order(1), payment(2), order(20), payment(30), ...arrivals(END)]);

    expect(results.map(({ value }) => value)).toEqual([
      { order: -1, amount: 30 },
      { order: 1, amount: 30 },
    ]);
  });
});

describe("a definition", () => {
  const readings = () => pipeline("p").from(events(telemetryReported), { outOfOrderMs: 0 });
  const views = () => stream(events(pageViewed), { outOfOrderMs: HOUR_MS }).keyBy((view) => view.data.userId);

  test("is typed by both streams, and has both inputs", () => {
    const definition = readings()
      .keyBy((reading) => reading.data.deviceId)
      .join(views(), {
        kind: "left",
        beforeMs: 1_000,
        afterMs: 60_000,
        combine: (reading, view) => {
          expectTypeOf(reading.data.deviceId).toEqualTypeOf<string>();
          // @ts-expect-error nobody may have come
          view.data;
          return { device: reading.data.deviceId, path: view?.data.path ?? null };
        },
      })
      .toResults();

    expect(definition.inputs.map(({ topic, dedupeHorizonMs }) => [topic, dedupeHorizonMs])).toEqual([
      ["device-telemetry", 60_001],
      ["clickstream", 60_001],
    ]);
  });

  test("of an inner join has both events", () => {
    readings()
      .keyBy((reading) => reading.data.deviceId)
      .join(views(), {
        kind: "inner",
        beforeMs: 0,
        afterMs: 1,
        combine: (reading, view) => {
          expectTypeOf(view.data.path).toEqualTypeOf<string>();
          // @ts-expect-error a page view has no device id
          return { same: reading.data.deviceId === view.data.deviceId };
        },
      });
  });

  test.each([
    ["a negative bound", -1, 0, "join.beforeMs is -1"],
    ["half a millisecond", 0, 0.5, "join.afterMs is 0.5"],
  ])("with %s is refused", (_, beforeMs, afterMs, message) => {
    const make = () =>
      readings()
        .keyBy((reading) => reading.data.deviceId)
        .join(views(), { kind: "inner", beforeMs, afterMs, combine: () => ({}) });

    expect(make).toThrow(PipelineError);
    expect(make).toThrow(message);
  });

  test("with one topic twice is refused", () => {
    const again = stream(events(telemetryReported), { outOfOrderMs: 0 }).keyBy(
      (reading) => reading.data.deviceId,
    );
    const make = () =>
      readings()
        .keyBy((reading) => reading.data.deviceId)
        .join(again, { kind: "inner", beforeMs: 0, afterMs: 1, combine: () => ({}) })
        .toResults();

    expect(make).toThrow("two of its inputs read the topic device-telemetry");
  });

  test("with a join in a branch is refused", () => {
    const make = () =>
      readings()
        .keyBy((reading) => reading.data.deviceId)
        .branch({
          joined: (each) =>
            each.join(views(), { kind: "inner", beforeMs: 0, afterMs: 1, combine: () => ({}) }),
        });

    expect(make).toThrow("cannot be in a branch");
  });

  test("unites streams of the same events only", () => {
    const flights = stream(events(flightDeparted), { outOfOrderMs: 0 });
    // @ts-expect-error flights are no readings
    readings().union(flights);
    const united = readings()
      .union(
        stream(events(pageViewed), { outOfOrderMs: 0 }).map(
          (view) => ({ ...view, type: "telemetry.reported" }) as never,
        ),
      )
      .keyBy((each) => each.data.deviceId)
      .window(tumbling({ sizeMs: 10 }), { allowedLatenessMs: HOUR_MS })
      .aggregate({ n: count() })
      .toResults();

    expect(united.inputs.map(({ topic }) => topic)).toEqual(["device-telemetry", "clickstream"]);
  });
});
