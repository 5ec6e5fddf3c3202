/** The flights as the log of a topic, without a topic: what {@link judgeLog} reads. */
import type { DuckDBConnection } from "@duckdb/node-api";
import { flightDeparted } from "../../contracts/events/catalogue.ts";
import { partitionOf } from "../../contracts/partitioning.ts";
import { LOG_TABLE } from "./expected.ts";
import { SOURCE } from "./flights.ts";

/** Makes the table `log` of the table `flights`: each once, in the order of arrival, in the partition of its origin. */
export async function logFlights(db: DuckDBConnection, partitions: number): Promise<void> {
  await assignPartitions(db, "origin", partitions);
  await db.run(LOG_TABLE);
  await db.run(`INSERT INTO log
    SELECT part, arrival - 1, NULL, origin, '${SOURCE}', id::VARCHAR, '${flightDeparted.type}', origin, origin,
      time_ms, origin, destination, delay_min, distance_mi
    FROM flights JOIN partitions ON key = origin`);
}

/**
 * Makes the table `partitions` (key, part) of the keys that an expression gives of `flights`. Kafka's partitioner is not
 * SQL's to know: the keys are few, so each one's partition is worked out here.
 */
export async function assignPartitions(
  db: DuckDBConnection,
  keySql: string,
  partitions: number,
): Promise<void> {
  const keys = await db.runAndReadAll(`SELECT DISTINCT ${keySql} FROM flights`);
  await db.run("CREATE TABLE partitions (key VARCHAR, part INTEGER)");
  const appender = await db.createAppender("partitions");
  for (const [key] of keys.getRows() as [string][]) {
    appender.appendVarchar(key);
    appender.appendInteger(partitionOf(Buffer.from(key), partitions));
    appender.endRow();
  }
  appender.closeSync();
}
