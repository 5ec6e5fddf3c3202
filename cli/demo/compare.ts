/** Holds what came out against the file and against {@link judgeLog}'s tables; every comparison is exact. */
import type { DuckDBConnection } from "@duckdb/node-api";
import { flightDeparted } from "../../contracts/events/catalogue.ts";
import { SOURCE } from "../flights/flights.ts";

/**
 * Windows as a reader of the pipeline's output got them: one table for the query API's, one for the results topic's.
 * The value's columns are doubles and may be null, so that whatever comes can be held against what must come.
 */
export const windowsTable = (name: ActualWindows): string => `CREATE TABLE ${name} (
  key VARCHAR, window_start BIGINT, window_end BIGINT,
  flights DOUBLE, mean_delay_min DOUBLE, max_delay_min DOUBLE, min_delay_min DOUBLE, delayed DOUBLE
)`;

/** `served`: read through the query API; `published`: read from the results topic. */
export type ActualWindows = "served" | "published";

/** The late topic's records: where each says that it came from. */
export const LATE_TABLE = "CREATE TABLE late (part INTEGER, off BIGINT, id VARCHAR)";

/** How many rows differ, and some of them in words. */
export interface Difference {
  readonly count: number;
  readonly examples: readonly string[];
}

const MAX_EXAMPLES = 5;

/**
 * The flights that are not on the topic, and the records of the topic that are no flight of ours, field by field.
 * Repeats are no difference: see {@link countRepeats}.
 */
export function compareLogWithFile(db: DuckDBConnection): Promise<Difference> {
  const fields = "time_ms, origin, destination, delay_min, distance_mi";
  return differences(
    db,
    `WITH sent AS (SELECT id::VARCHAR AS id, ${fields} FROM flights),
     logged AS (
       SELECT id, ${fields}, part, off,
         source = $source AND type = $type AND record_key = origin AND partitionkey = origin AND subject = origin
           AS enveloped
       FROM log WHERE watermark_ms IS NULL
     )
     SELECT 'flight ' || id || ' is not on the topic' AS example
     FROM sent ANTI JOIN (SELECT * FROM logged WHERE enveloped) USING (id, ${fields})
     UNION ALL
     SELECT 'the record at partition ' || part || ', offset ' || off || ' is no event of the file'
     FROM logged ANTI JOIN sent USING (id, ${fields})
     UNION ALL
     SELECT 'the record at partition ' || part || ', offset ' || off || ' has another envelope or key'
     FROM logged SEMI JOIN sent USING (id, ${fields}) WHERE enveloped IS DISTINCT FROM true`,
    { source: SOURCE, type: flightDeparted.type },
  );
}

/** Records of the topic beyond the first of their id: what requests that were sent again left there. */
export async function countRepeats(db: DuckDBConnection): Promise<number> {
  const reader = await db.runAndReadAll("SELECT (count(id) - count(DISTINCT id))::INTEGER FROM log");
  return reader.getRows()[0]![0] as number;
}

/** Expected windows that are missing, repeated or differ in any field, and windows that should not be. */
export function compareWindows(db: DuckDBConnection, actual: ActualWindows): Promise<Difference> {
  const fields = ["flights", "mean_delay_min", "max_delay_min", "min_delay_min", "delayed"];
  const different = fields.map((field) => `e.${field}::DOUBLE IS DISTINCT FROM a.${field}`).join(" OR ");
  const row = (alias: string) =>
    `[${fields.map((field) => `${alias}.${field}::DOUBLE`).join(", ")}]::VARCHAR`;
  return differences(
    db,
    `WITH a AS (SELECT *, count(*) OVER (PARTITION BY key, window_start, window_end) AS copies FROM ${actual})
     SELECT key || ' ' || epoch_ms(window_start)::VARCHAR || ': ' || CASE
         WHEN a.copies IS NULL THEN 'missing'
         WHEN e.flights IS NULL THEN 'unexpected'
         WHEN a.copies > 1 THEN 'there ' || a.copies || ' times'
         ELSE 'expected ' || ${row("e")} || ', got ' || ${row("a")}
       END AS example
     FROM expected e FULL JOIN a USING (key, window_start, window_end)
     WHERE a.copies IS DISTINCT FROM 1 OR ${different}`,
  );
}

/** Late events that are not on the late topic exactly once, and records there that are not late. */
export function compareLate(db: DuckDBConnection): Promise<Difference> {
  return differences(
    db,
    `WITH e AS (SELECT part, off, id FROM judged WHERE outcome = 'late'),
     a AS (SELECT part, off, id, count(*) AS copies FROM late GROUP BY ALL)
     SELECT 'event ' || id || ' of partition ' || part || ', offset ' || off || ': ' || CASE
         WHEN a.copies IS NULL THEN 'late, but not on the late topic'
         WHEN a.copies > 1 THEN 'on the late topic ' || a.copies || ' times'
         ELSE 'on the late topic, but not late'
       END AS example
     FROM (SELECT *, true AS late FROM e) e FULL JOIN a USING (part, off, id)
     WHERE e.late IS NULL OR a.copies IS DISTINCT FROM 1`,
  );
}

async function differences(
  db: DuckDBConnection,
  sql: string,
  values: Record<string, string> = {},
): Promise<Difference> {
  const reader = await db.runAndReadAll(
    `WITH differences AS (${sql})
     SELECT example, (count(*) OVER ())::INTEGER AS count FROM differences LIMIT ${MAX_EXAMPLES}`,
    values,
  );
  const rows = reader.getRows() as [string | null, number][];
  return {
    count: rows[0]?.[1] ?? 0,
    examples: rows.map(([example]) => example ?? "a record without position"),
  };
}
