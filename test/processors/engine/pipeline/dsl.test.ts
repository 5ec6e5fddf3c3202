import { describe, expect, expectTypeOf, test } from "vitest";
import { flightDeparted, loginSucceeded, paymentMade } from "../../../../contracts/events/catalogue.ts";
import { defineEvent } from "../../../../contracts/events/define.ts";
import {
  count,
  type EventOf,
  events,
  eventsOfPriority,
  everyCount,
  global,
  hopping,
  type KeyedStream,
  max,
  onClose,
  onUpdate,
  PipelineError,
  pipeline,
  sliding,
  stream,
  tumbling,
  type WindowDefinition,
} from "../../../../processors/engine/pipeline/dsl.ts";

const decode = () => ({ at: 0 });
const custom = { topic: "in", decode, time: (event: { at: number }) => event.at };
const flights = () => pipeline("flights").from(events(flightDeparted), { outOfOrderMs: 0 });

describe("the pipeline DSL", () => {
  test("a definition derives its inputs and its dedupe horizon", () => {
    const definition = flights()
      .keyBy((flight) => flight.data.origin)
      .window(tumbling({ sizeMs: 100 }), { allowedLatenessMs: 20 })
      .aggregate({ flights: count() })
      .toResults();

    expect(definition).toMatchObject({
      name: "flights",
      service: "flights",
      inputs: [{ topic: "flights", outOfOrderMs: 0, dedupeHorizonMs: 120 }],
      operators: [{ series: "flights", horizonMs: 120 }],
    });
  });

  test("events are typed by the catalogue", () => {
    flights().keyBy((flight) => {
      expectTypeOf(flight.type).toEqualTypeOf<"flight.departed">();
      expectTypeOf(flight.data.delayMin).toEqualTypeOf<number>();
      expectTypeOf(flight.data).not.toHaveProperty("delay");
      return flight.data.origin;
    });
    const activity = events(loginSucceeded, paymentMade);
    expectTypeOf<Parameters<typeof activity.time>[0]["type"]>().toEqualTypeOf<
      "login.succeeded" | "payment.made"
    >();
  });

  test.each([
    ["a name with capitals", () => pipeline("Flights"), "pipeline name"],
    ["a name with a hash", () => pipeline("a#b"), "pipeline name"],
    [
      "a negative bound",
      () => pipeline("p").from(custom, { outOfOrderMs: -1, dedupe: false }),
      "outOfOrderMs is -1",
    ],
    [
      "a fraction of a millisecond",
      () => pipeline("p").from(custom, { outOfOrderMs: 0.5, dedupe: false }),
      "0.5",
    ],
    ["dedupe without identity", () => pipeline("p").from(custom, { outOfOrderMs: 0 }), "no identity"],
    [
      "an empty window",
      () =>
        flights()
          .keyBy(() => "k")
          .window(tumbling({ sizeMs: 0 })),
      "window.sizeMs is 0",
    ],
    [
      "a window shorter than its advance",
      () =>
        flights()
          .keyBy(() => "k")
          .window(hopping({ sizeMs: 10, advanceMs: 20 })),
      "window.sizeMs / window.advanceMs is 0.5",
    ],
    [
      "a window that advances by nothing",
      () =>
        flights()
          .keyBy(() => "k")
          .window(hopping({ sizeMs: 10, advanceMs: 0 })),
      "window.advanceMs is 0",
    ],
    [
      "no aggregates",
      () =>
        flights()
          .keyBy(() => "k")
          .window(tumbling({ sizeMs: 1 }))
          .aggregate({}),
      "needs a field",
    ],
    [
      "a global window without a trigger",
      () =>
        flights()
          .keyBy(() => "k")
          // @ts-expect-error nor does it compile
          .window(global({})),
      "needs a trigger",
    ],
    [
      "a global window whose trigger is its end, which never comes",
      () =>
        flights()
          .keyBy(() => "k")
          // @ts-expect-error nor does it compile
          .window(global({ trigger: onClose() })),
      "needs a trigger",
    ],
    [
      "a start that there is not",
      // @ts-expect-error nor does it compile
      () => pipeline("p", { startAt: "now" }),
      'startAt is "now"',
    ],
    ["a source without a type", () => events(), "at least one type"],
    ["a source of two topics", () => events(flightDeparted, loginSucceeded), "is on topic flights"],
    [
      "a source of a priority that its type has no topic of",
      () => eventsOfPriority("high", flightDeparted),
      'eventsOfPriority("high"): flight.departed has no topic of that priority; it has normal',
    ],
    [
      "a union of two priorities",
      () =>
        flights()
          .union(stream(events(loginSucceeded), { outOfOrderMs: 0 }).map((login) => login as never))
          .keyBy(() => "k")
          .window(tumbling({ sizeMs: 1 }))
          .aggregate({ n: count() })
          .toResults(),
      "pipeline flights: its inputs have different priorities: flights (normal) and user-activity (high)",
    ],
    [
      "a stage of two priorities before a new key",
      () =>
        flights()
          .union(stream(events(loginSucceeded), { outOfOrderMs: 0 }).map((login) => login as never))
          .rekeyBy("again", () => "k"),
      "its inputs have different priorities",
    ],
  ])("%s is refused when the pipeline is made", (_, make, message) => {
    expect(make).toThrow(PipelineError);
    expect(make).toThrow(message);
  });

  test("a type's events of another priority are read from its topic of that one", () => {
    const departed = defineEvent({
      ...flightDeparted,
      type: "flight.left",
      topics: { high: "user-activity" },
    });
    const urgent = eventsOfPriority("high", departed, loginSucceeded);
    expect(urgent.topic).toBe("user-activity");
    expect(events(departed).topic).toBe("flights");
    expectTypeOf<Parameters<typeof urgent.time>[0]["type"]>().toEqualTypeOf<
      "flight.left" | "login.succeeded"
    >();
  });

  test("what comes by a new key has no priority any more", () => {
    const logins = stream(events(loginSucceeded), { outOfOrderMs: 0 }).keyBy(({ data }) => data.userId);
    const definition = flights()
      .rekeyBy("again", () => "k")
      .join(logins, { kind: "inner", beforeMs: 0, afterMs: 1, combine: () => ({}) })
      .toResults();
    expect(definition.inputs.map(({ topic }) => topic)).toEqual(["flights.again.forwarded", "user-activity"]);
  });

  test("options that a window cannot have do not compile", () => {
    const keyed = flights().keyBy(() => "k");
    const everyTwo = global({ trigger: everyCount(2) });

    // @ts-expect-error its trigger says when it is emitted
    expect(() => keyed.window(everyTwo, { emit: onUpdate() })).toThrow("drop emit");
    // @ts-expect-error it never closes
    expect(() => keyed.window(everyTwo, { allowedLatenessMs: 1 })).toThrow("drop allowedLatenessMs");
    // @ts-expect-error they are emitted on close
    expect(() => keyed.window(sliding({ sizeMs: 1 }), { emit: onUpdate() })).toThrow("drop emit");
    keyed.window(sliding({ sizeMs: 1 }), { allowedLatenessMs: 1 });
    keyed.window(tumbling({ sizeMs: 1 }) as WindowDefinition, { emit: onUpdate(), allowedLatenessMs: 1 });
  });

  test("a function of a stream's own can name its events", () => {
    const stream: KeyedStream<EventOf<typeof flightDeparted>> = flights().keyBy(() => "k");

    expectTypeOf(stream.filter).parameter(0).parameter(0).toHaveProperty("data");
  });

  test("a selector must return a number", () => {
    expectTypeOf(max<{ at: number }>)
      .parameter(0)
      .returns.toEqualTypeOf<number>();
  });
});
