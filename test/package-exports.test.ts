import * as events from "spillway/events";
import * as dsl from "spillway/pipeline";
import * as testing from "spillway/testing";
import { expect, test } from "vitest";

test("a pipeline can be written with what the package exports", () => {
  const definition = dsl
    .pipeline("exported")
    .from(dsl.events(events.flightDeparted), { outOfOrderMs: 0 })
    .keyBy((flight) => flight.data.origin)
    .window(dsl.tumbling({ sizeMs: dsl.HOUR_MS }))
    .aggregate({ flights: dsl.count() })
    .toResults();

  expect(definition).toMatchObject({ name: "exported", inputs: [{ topic: "flights" }] });
  expect(new testing.TestDriver(definition).results).toEqual([]);
});
