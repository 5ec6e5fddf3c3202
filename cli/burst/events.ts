/** The events of a burst: flights of now, whose ids say which batch they were sent in. */
import { SPEC_VERSION } from "../../contracts/cloudevent.ts";
import { flightDeparted } from "../../contracts/events/catalogue.ts";

const AIRPORTS = [
  "ATL",
  "BOS",
  "CLT",
  "DEN",
  "DFW",
  "EWR",
  "IAH",
  "JFK",
  "LAS",
  "LAX",
  "MCO",
  "MIA",
  "ORD",
  "PHX",
];

export const idOf = (batch: number, index: number): string => `b${batch}-${index}`;

export function batchOf(batch: number, events: number): object[] {
  const time = new Date().toISOString();
  return Array.from({ length: events }, (_, index) => {
    const origin = AIRPORTS[(batch + index) % AIRPORTS.length]!;
    return {
      specversion: SPEC_VERSION,
      id: idOf(batch, index),
      source: "urn:spillway:burst",
      type: flightDeparted.type,
      time,
      partitionkey: origin,
      data: { origin, destination: "SEA", delayMin: index % 60, distanceMi: 1_500 },
    };
  });
}

const ID = /"id":"(b\d+-\d+)"/;

/** The id in a record of the topic; undefined of a record that is no event of a burst. */
export const idIn = (value: Buffer | null): string | undefined => value?.toString("latin1").match(ID)?.[1];
