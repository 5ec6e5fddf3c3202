/** How late flights leave, over the last quarter of an hour, hour and day: one output each, renewed as time goes on. */
import { flightDeparted } from "../../contracts/events/catalogue.ts";
import {
  count,
  DAY_MS,
  type EventOf,
  events,
  HOUR_MS,
  hopping,
  type KeyedStream,
  MINUTE_MS,
  max,
  mean,
  pipeline,
  Type,
  type WindowDefinition,
} from "../engine/pipeline/dsl.ts";

const minutes = Type.Union([Type.Number(), Type.Null()], { description: "negative when early" });

const delays = (window: WindowDefinition) => (stream: KeyedStream<EventOf<typeof flightDeparted>>) =>
  stream
    .window(window)
    .aggregate({
      flights: count(),
      meanDelayMin: mean((flight) => flight.data.delayMin),
      maxDelayMin: max((flight) => flight.data.delayMin),
    })
    .schema(Type.Object({ flights: Type.Integer(), meanDelayMin: minutes, maxDelayMin: minutes }));

export const airportDelaysRolling = pipeline("airport-delays-rolling", { service: "analytics" })
  // As in airport-delays: an event arrives when its flight leaves.
  .from(events(flightDeparted), { outOfOrderMs: HOUR_MS })
  .keyBy((flight) => flight.data.origin)
  .branch({
    "quarter-hour": delays(hopping({ sizeMs: 15 * MINUTE_MS, advanceMs: 5 * MINUTE_MS })),
    hour: delays(hopping({ sizeMs: HOUR_MS, advanceMs: 15 * MINUTE_MS })),
    day: delays(hopping({ sizeMs: DAY_MS, advanceMs: 6 * HOUR_MS })),
  })
  .toResults();
