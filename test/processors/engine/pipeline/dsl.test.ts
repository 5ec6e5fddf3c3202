import { describe, expect, expectTypeOf, test } from "vitest";
import { flightDeparted, loginSucceeded, paymentMade } from "../../../../contracts/events/catalogue.ts";
import {
  count,
  events,
  hopping,
  max,
  PipelineError,
  pipeline,
  tumbling,
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
  ])("%s is refused when the pipeline is made", (_, make, message) => {
    expect(make).toThrow(PipelineError);
    expect(make).toThrow(message);
  });

  test("types of two topics cannot be one source", () => {
    expect(() => events(flightDeparted, loginSucceeded)).toThrow("flight.departed is on topic flights");
  });

  test("a selector must return a number", () => {
    expectTypeOf(max<{ at: number }>)
      .parameter(0)
      .returns.toEqualTypeOf<number>();
  });
});
