import { describe, expect, expectTypeOf, test } from "vitest";
import { locationReported, loginSucceeded, paymentMade } from "../../../../contracts/events/catalogue.ts";
import { events, PipelineError, pipeline } from "../../../../processors/engine/pipeline/dsl.ts";
import { run } from "../scripted-run.ts";
import { arrivals, correlating, lineOf, parts } from "./correlate-fixture.ts";

const END = 10_000;

interface Case {
  readonly name: string;
  readonly arrivals: readonly (string | number)[];
  readonly lines: readonly string[];
  readonly late?: number;
  readonly outOfOrderMs?: number;
}

const cases: readonly Case[] = [
  {
    name: "all parts of a key within the time are one result",
    arrivals: ["k:a1 b2 c3", END],
    lines: ["k 1..11 a1 b2 c3"],
  },
  { name: "in any order", arrivals: ["k:c1 a2 b3", END], lines: ["k 1..11 a2 b3 c1"] },
  {
    name: "a result comes as soon as the watermark has passed its last part",
    arrivals: ["k:a1 b2 c3", 3, "k:a4", 4],
    lines: ["k 1..11 a1 b2 c3"],
  },
  {
    name: "parts of several keys do not meet",
    arrivals: ["k:a1 b2", "l:c3", END],
    lines: ["k 1..11 a1 b2 - missing c", "l 3..13 c3 - missing a b"],
  },
  {
    name: "what is missing is told when the first part's time is over, once for all that came",
    arrivals: ["k:a1 c4", 10, "l:a5", 11],
    lines: ["k 1..11 a1 c4 - missing b"],
  },
  {
    name: "exactly the time apart is too far",
    arrivals: ["k:a1 b2 c11", END],
    lines: ["k 1..11 a1 b2 - missing c", "k 11..21 c11 - missing a b"],
  },
  {
    name: "one millisecond less is not",
    arrivals: ["k:a1 b2 c10", END],
    lines: ["k 1..11 a1 b2 c10"],
  },
  {
    name: "parts that were told as incomplete can still be completed, and are told once",
    arrivals: ["k:a1 b5 c12 a13", END],
    lines: ["k 1..11 a1 b5 - missing c", "k 5..15 a13 b5 c12"],
  },
  {
    name: "of several events of a part the earliest is taken",
    arrivals: ["k:a1 a2 b3 c4", END],
    lines: ["k 1..11 a1 b3 c4", "k 2..12 a2 - missing b c"],
  },
  {
    name: "what was taken is used up",
    arrivals: ["k:a1 b2 c3 c4 b5 a6", END],
    lines: ["k 1..11 a1 b2 c3", "k 4..14 a6 b5 c4"],
  },
  {
    name: "an event that is no part is ignored",
    arrivals: ["k:x1 a2 b3 x3 c4", END],
    lines: ["k 2..12 a2 b3 c4"],
  },
  {
    name: "an event behind the watermark, whose time is not over, meets those that still wait",
    arrivals: ["k:b5 c6", 9, "k:a1", END],
    lines: ["k 1..11 a1 b5 c6"],
  },
  {
    name: "it meets none that are too far from it",
    outOfOrderMs: 5,
    arrivals: ["k:b5 c13", 12, "k:a3", END],
    lines: ["k 3..13 a3 b5 - missing c", "k 13..23 c13 - missing a b"],
  },
  {
    name: "an event whose time is over is late",
    arrivals: ["k:b5 c6", 11, "k:a1", END],
    lines: ["k 5..15 b5 c6 - missing a"],
    late: 1,
  },
  {
    name: "fractions of a millisecond are cut off",
    arrivals: ["k:a1.9 b2.5 c10.9", END],
    lines: ["k 1..11 a1.9 b2.5 c10.9"],
  },
];

describe("correlate, within 10 ms", () => {
  test.each(cases)("$name", ({ arrivals: texts, lines, late = 0, outOfOrderMs }) => {
    const { results, late: lateRecords } = run(
      correlating({ withinMs: 10 }, outOfOrderMs),
      arrivals(...texts),
    );

    expect(results.map(lineOf)).toEqual(lines);
    expect(lateRecords).toHaveLength(late);
  });

  test("what is incomplete can be dropped", () => {
    const definition = correlating({ withinMs: 10, onMissing: "drop" });

    const { results } = run(definition, arrivals("k:a1 b2 a30 b31 c32", END));

    expect(results.map(lineOf)).toEqual(["k 30..40 a30 b31 c32"]);
  });

  test("a predicate looks for a combination that it holds for, and what it refuses waits on", () => {
    const definition = correlating({ withinMs: 10, where: ({ a, b, c }) => (a.t + b.t + c.t) % 2 === 0 });

    const { results } = run(definition, arrivals("k:a1 b2 c4 b3", END));

    // 1 + 2 + 4 is odd, 1 + 3 + 4 is even.
    expect(results.map(lineOf)).toEqual(["k 1..11 a1 b3 c4", "k 2..12 b2 - missing a c"]);
  });

  test("where all parts came and no combination holds, nothing is told", () => {
    const definition = correlating({ withinMs: 10, where: () => false });

    const { results } = run(definition, arrivals("k:a1 b2 c3", END));

    expect(results.map(lineOf)).toEqual([]);
  });
});

describe("results of a correlation", () => {
  test("carry the parts as they came, and are rows of their own", () => {
    const { results } = run(correlating({ withinMs: 10 }), arrivals("k:a1 a1 b1 b1 c1 c1", END));

    const value = {
      complete: true,
      missing: [],
      parts: {
        a: { key: "k", part: "a", t: 1 },
        b: { key: "k", part: "b", t: 1 },
        c: { key: "k", part: "c", t: 1 },
      },
    };
    expect(results).toEqual([
      { key: "k", window: { start: 1, end: 11 }, value, revision: 1, pane: 1 },
      { key: "k", window: { start: 1, end: 11 }, value, revision: 2, pane: 2 },
    ]);
  });

  test("can be what a function makes of them", () => {
    const definition = correlating({
      withinMs: 10,
      combine: (found) =>
        found.complete ? { sum: found.parts.a.t + found.parts.b.t } : { n: found.missing.length },
    });

    const { results } = run(definition, arrivals("k:a1 b2 c3 a50", END));

    expect(results.map(({ value }) => value)).toEqual([{ sum: 3 }, { n: 2 }]);
  });

  test("that cannot be made go to the dead letters with their parts, and stop nothing", () => {
    const definition = correlating({
      withinMs: 10,
      combine: ({ parts: { a } }) => {
        if (a!.t === 1) throw new Error("one");
        return { t: a!.t };
      },
    });

    const { results, dead } = run(definition, arrivals("k:a1 b2 c3 a50 b50 c50", END));

    expect(results.map(({ value }) => value)).toEqual([{ t: 50 }]);
    const pane = JSON.parse(dead[0]!.value) as { window: unknown; state: string };
    expect(pane.window).toEqual({ start: 1, end: 11 });
    expect(JSON.parse(Buffer.from(pane.state, "base64").toString())).toMatchObject([
      { t: 1 },
      { t: 2 },
      { t: 3 },
    ]);
  });

  test("that are too large go there too, without parts that no message could hold", () => {
    const definition = correlating({ withinMs: 10 });
    const large = (part: string) => ({
      topic: "parts",
      value: JSON.stringify({ key: "k", part, t: 1, text: "x".repeat(500_000) }),
    });

    const { results, dead } = run(definition, [large("a"), large("b"), large("c"), ...arrivals(END)]);

    expect(results).toEqual([]);
    expect(dead[0]!.headers["spillway-detail"]).toContain("the limit is 393216");
    expect(JSON.parse(dead[0]!.value)).toMatchObject({
      key: "k",
      window: { start: 1, end: 11 },
      state: null,
    });
  });

  test("a predicate that throws does not hold, and is told once for each event that came", () => {
    const definition = correlating({
      withinMs: 10,
      where: ({ b }) => {
        if (b.t < 4) throw new Error("early");
        return true;
      },
    });

    const { results, dead } = run(definition, arrivals("k:a1 b2 b3 c4 b5", END));

    expect(results.map(lineOf)).toEqual([
      "k 1..11 a1 b5 c4",
      "k 2..12 b2 - missing a c",
      "k 3..13 b3 - missing a c",
    ]);
    expect(dead.map(({ headers }) => headers["spillway-detail"])).toEqual(["where threw: early"]);
  });

  test("an event that JSON would change is dead-lettered", () => {
    const definition = pipeline("p")
      .from(
        { topic: "parts", decode: () => ({ at: new Date(0) }), time: () => 0 },
        { outOfOrderMs: 0, dedupe: false },
      )
      .keyBy(() => "k")
      .correlate({ withinMs: 10, all: { a: () => true, b: () => false } })
      .toResults();

    expect(run(definition, arrivals("k:a1")).dead[0]!.headers["spillway-detail"]).toContain("map it before");
  });

  test("of a part that comes all the time the latest 16 wait; the oldest is told", () => {
    const many = Array.from({ length: 18 }, (_, index) => `a${index}`).join(" ");

    const { results } = run(correlating({ withinMs: 1_000 }), arrivals(`k:${many}`, 500, "k:b500 c500", 600));

    expect(results.map(lineOf)).toEqual([
      "k 0..1000 a0 - missing b c",
      "k 1..1001 a1 - missing b c",
      "k 2..1002 a2 b500 c500",
    ]);
  });
});

describe("a definition", () => {
  const source = events(loginSucceeded, paymentMade, locationReported);
  const keyed = () =>
    pipeline("p")
      .from(source, { outOfOrderMs: 0 })
      .keyBy((event) => event.data.userId);

  test("types parts by the catalogue, or by what a function says", () => {
    const definition = keyed()
      .correlate({
        withinMs: 600_000,
        all: {
          login: loginSucceeded,
          payment: paymentMade,
          big: (event): event is Extract<typeof event, { type: "payment.made" }> =>
            event.type === "payment.made",
          any: (event) => event.data.userId !== "",
        },
        where: ({ login, payment, big, any }) => {
          expectTypeOf(login.data.newDevice).toEqualTypeOf<boolean>();
          expectTypeOf(payment.data.amountMinor).toEqualTypeOf<number>();
          expectTypeOf(big.data.amountMinor).toEqualTypeOf<number>();
          expectTypeOf(any.data.userId).toEqualTypeOf<string>();
          // @ts-expect-error a payment has no device
          return login.data.deviceId === payment.data.deviceId;
        },
        combine: (found) => {
          // @ts-expect-error only where it is complete is every part there
          found.parts.login.data;
          if (found.complete) return { amount: found.parts.payment.data.amountMinor };
          expectTypeOf(found.missing).toEqualTypeOf<readonly ("login" | "payment" | "big" | "any")[]>();
          return {};
        },
      })
      .toResults();

    expect(definition.inputs[0]!.dedupeHorizonMs).toBe(600_000);
  });

  test("cannot name a type that does not come", () => {
    pipeline("p")
      .from(events(loginSucceeded), { outOfOrderMs: 0 })
      .keyBy((event) => event.data.userId)
      // @ts-expect-error there are no payments in this stream
      .correlate({ withinMs: 10, all: { login: loginSucceeded, payment: paymentMade } });
  });

  test.each([
    ["one part", { withinMs: 10, all: { a: parts.a } }, "has 1 parts"],
    ["no time", { withinMs: 0, all: { a: parts.a, b: parts.b } }, "withinMs is 0"],
    ["a part without a name", { withinMs: 10, all: { "": parts.a, b: parts.b } }, "must be a letter"],
  ])("with %s is refused", (_, options, message) => {
    const make = () =>
      pipeline("p")
        .from(source, { outOfOrderMs: 0 })
        .map((event) => ({ key: event.data.userId, t: 0, part: "a" }))
        .keyBy(({ key }) => key)
        .correlate(options as Parameters<typeof correlating>[0] & { all: typeof parts });

    expect(make).toThrow(PipelineError);
    expect(make).toThrow(message);
  });
});
