import * as Type from "typebox";
import { defineEvent } from "./define.ts";

/** A flight left its gate. The event's `time` is its scheduled departure. */
export const flightDeparted = defineEvent({
  type: "flight.departed",
  topic: "flights",
  data: Type.Object({
    origin: Type.String({ pattern: "^[A-Z0-9]{3}$", description: "IATA code of the airport it left" }),
    destination: Type.String({ pattern: "^[A-Z0-9]{3}$", description: "IATA code of where it went" }),
    delayMin: Type.Integer({ description: "departure delay in minutes; negative when it left early" }),
    distanceMi: Type.Integer({ minimum: 0, description: "great-circle distance in miles" }),
  }),
  partitionKey: "origin",
  owner: "flight-operations",
  classification: "public",
  futureBoundMs: 24 * 3_600_000,
});
