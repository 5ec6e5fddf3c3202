import { describe, expect, test } from "vitest";
import { flightDeparted } from "../../../../contracts/events/catalogue.ts";
import {
  count,
  events,
  HOUR_MS,
  PipelineError,
  pipeline,
  Type,
  tumbling,
} from "../../../../processors/engine/pipeline/dsl.ts";

const delays = () =>
  pipeline("delays")
    .from(events(flightDeparted), { outOfOrderMs: 0 })
    .keyBy((flight) => flight.data.origin)
    .window(tumbling({ sizeMs: HOUR_MS }))
    .aggregate({ flights: count() });
const stated = () => delays().schema(Type.Object({ flights: Type.Integer() }));

describe("toResults", () => {
  test("serves results to nobody but allowed callers, and tells nobody, unless it says so", () => {
    expect(delays().toResults()).toMatchObject({ access: "private", notify: false });
    expect(stated().toResults({ access: "public", notify: true })).toMatchObject({
      access: "public",
      notify: true,
    });
  });

  test("notifies only of results of which it is stated what they are", () => {
    expect(() => delays().toResults({ notify: true })).toThrow(
      new PipelineError(
        "pipeline delays: it notifies of the results delays, and does not state what they are; " +
          "add .schema(Type.Object({ … })) before toResults, or results to process()",
      ),
    );
  });

  test.each([
    ["access", { access: "Public" }, /access is "Public"; say "private" or "public"/],
    ["access", { access: null }, /access is null/],
    ["notify", { notify: "yes" }, /notify is "yes"; say true or false/],
  ])("refuses another %s: %o", (_, options, message) => {
    expect(() => stated().toResults(options as never)).toThrow(message);
  });
});
