/** How late flights leave, per origin airport and hour of scheduled departure. */
import { flightDeparted } from "../../contracts/events/catalogue.ts";
import { count, events, HOUR_MS, max, mean, min, pipeline, Type, tumbling } from "../engine/pipeline/dsl.ts";

/** US practice counts a flight as delayed from the sixteenth minute on (Bureau of Transportation Statistics). */
const DELAYED_ABOVE_MIN = 15;

const minutes = Type.Union([Type.Number(), Type.Null()], { description: "negative when early" });

export const airportDelays = pipeline("airport-delays")
  // An event arrives when its flight leaves, so an hour's delay is an hour out of order. Longer ones are late.
  .from(events(flightDeparted), { outOfOrderMs: HOUR_MS })
  .keyBy((flight) => flight.data.origin)
  .window(tumbling({ sizeMs: HOUR_MS }))
  .aggregate({
    flights: count(),
    meanDelayMin: mean((flight) => flight.data.delayMin),
    maxDelayMin: max((flight) => flight.data.delayMin),
    minDelayMin: min((flight) => flight.data.delayMin),
    delayed: count((flight) => flight.data.delayMin > DELAYED_ABOVE_MIN),
  })
  .schema(
    Type.Object({
      flights: Type.Integer(),
      meanDelayMin: minutes,
      maxDelayMin: minutes,
      minDelayMin: minutes,
      delayed: Type.Integer({ description: `flights more than ${DELAYED_ABOVE_MIN} minutes late` }),
    }),
  )
  // The airlines report these flights to the public anyway.
  .toResults({ access: "public" });
