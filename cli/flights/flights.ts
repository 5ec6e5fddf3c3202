/**
 * The events of the demo and of `generate flights`: real US flights of January to June 2001 (Bureau of Transportation Statistics), from the
 * `flights-3m.parquet` of npm's vega-datasets: {date, delay [min], distance [mi], origin, destination}.
 */
import { createRequire } from "node:module";
import { resolve } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import { type CloudEvent, SPEC_VERSION } from "../../contracts/cloudevent.ts";
import { type DataOf, flightDeparted } from "../../contracts/events/catalogue.ts";
import { partitionOf } from "../../contracts/partitioning.ts";
import { topics } from "../../contracts/topics.ts";
import { streamRows } from "./rows.ts";

export const FLIGHTS_IN_FILE = 3_000_000;
/** Of the topic that the events go to. */
export const PARTITIONS = topics[flightDeparted.topic].partitions;
export const SOURCE = "urn:spillway:demo:flights";

type FlightEvent = CloudEvent<DataOf<typeof flightDeparted>>;

/** Events to send in one request, as the JSON array of CloudEvents' batched mode. All go to one partition. */
export interface EventBatch {
  readonly partition: number;
  readonly count: number;
  readonly body: string;
}

const file = () =>
  resolve(createRequire(import.meta.url).resolve("vega-datasets"), "../../data/flights-3m.parquet");

/**
 * Makes the table `flights`: the `events` flights of the file that departed first. Arrival order is the actual
 * departure (scheduled date + delay), then the file's row number, which also is the event's id.
 * Columns: arrival (from 1), id, time_ms (scheduled departure; the file has no zone, it is read as UTC), origin,
 * destination, delay_min, distance_mi.
 */
export async function loadFlights(db: DuckDBConnection, events: number): Promise<void> {
  await db.run(
    `CREATE TABLE flights AS
     SELECT row_number() OVER (ORDER BY departed, id) AS arrival, * EXCLUDE departed
     FROM (
       SELECT file_row_number AS id, epoch_ms(date) AS time_ms, origin, destination,
              delay::INTEGER AS delay_min, distance::INTEGER AS distance_mi,
              date + delay * INTERVAL 1 MINUTE AS departed
       FROM read_parquet($file, file_row_number = true)
       ORDER BY departed, id
       LIMIT $events
     )`,
    { file: file(), events },
  );
}

/** The table's flights as events in the order of arrival, streamed: their JSON may be larger than memory. */
export async function* flightEvents(db: DuckDBConnection): AsyncGenerator<readonly FlightEvent[]> {
  const rows = streamRows<FlightRow>(
    db,
    `SELECT id::VARCHAR, time_ms::DOUBLE, origin, destination, delay_min, distance_mi FROM flights ORDER BY arrival`,
  );
  for await (const chunk of rows) yield chunk.map(flightEvent);
}

/**
 * {@link flightEvents} as they are sent. Each partition's batches are in arrival order; batches of several partitions
 * come in the order in which they fill.
 */
export async function* eventBatches(
  db: DuckDBConnection,
  eventsPerBatch: number,
): AsyncGenerator<EventBatch> {
  const filling: string[][] = Array.from({ length: PARTITIONS }, () => []);
  for await (const chunk of flightEvents(db)) {
    for (const event of chunk) {
      const partition = partitionOfAirport(event.data.origin);
      const events = filling[partition]!;
      events.push(JSON.stringify(event));
      if (events.length === eventsPerBatch) yield toBatch(partition, events.splice(0));
    }
  }
  for (const [partition, events] of filling.entries()) {
    if (events.length > 0) yield toBatch(partition, events);
  }
}

const partitions = new Map<string, number>();

/** The partition that Kafka's clients choose for an airport's events; there are a few hundred airports. */
function partitionOfAirport(airport: string): number {
  let partition = partitions.get(airport);
  if (partition === undefined) {
    partition = partitionOf(Buffer.from(airport), PARTITIONS);
    partitions.set(airport, partition);
  }
  return partition;
}

type FlightRow = readonly [
  id: string,
  timeMs: number,
  origin: string,
  destination: string,
  delayMin: number,
  distanceMi: number,
];

const toBatch = (partition: number, events: readonly string[]): EventBatch => ({
  partition,
  count: events.length,
  body: `[${events.join(",")}]`,
});

function flightEvent([id, timeMs, origin, destination, delayMin, distanceMi]: FlightRow): FlightEvent {
  return {
    specversion: SPEC_VERSION,
    id,
    source: SOURCE,
    type: flightDeparted.type,
    time: new Date(timeMs).toISOString(),
    subject: origin,
    partitionkey: origin,
    datacontenttype: "application/json",
    data: { origin, destination, delayMin, distanceMi },
  };
}
