/**
 * What the pipeline `airport-delays` must have made of a log, worked out by SQL over the log itself. Nothing here
 * comes from the engine: these are the rules of docs/design.md, section 4 (rules 2, 3 and 13), written again.
 */
import type { DuckDBConnection } from "@duckdb/node-api";

const HOUR_MS = 3_600_000;

/**
 * The table that {@link judgeLog} reads: one row a record of the topic. An event has all columns but
 * `watermark_ms`, an in-band watermark record has only that one, a record that is neither has only its position.
 */
export const LOG_TABLE = `CREATE TABLE log (
  part INTEGER, off BIGINT, watermark_ms BIGINT,
  record_key VARCHAR, source VARCHAR, id VARCHAR, type VARCHAR, subject VARCHAR, partitionkey VARCHAR,
  time_ms BIGINT, origin VARCHAR, destination VARCHAR, delay_min INTEGER, distance_mi INTEGER
)`;

/** Every record's outcome, in the order of judgement: older than the horizon, duplicate, late, counted. */
const JUDGED_TABLE = `CREATE TABLE judged AS
  WITH watermarked AS (
    -- W before a record: what the records before it in its partition say, an hour of disorder allowed.
    SELECT *, max(coalesce(watermark_ms, time_ms - ${HOUR_MS})) OVER (
      PARTITION BY part ORDER BY off ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS w
    FROM log
  ), placed AS (
    -- Allowed lateness is 0, so the horizon of dedupe is the window's hour.
    SELECT *, window_start + ${HOUR_MS} AS window_end, coalesce(time_ms < w - ${HOUR_MS}, false) AS beyond_horizon
    FROM (SELECT *, ${HOUR_MS} * floor(time_ms / ${HOUR_MS})::BIGINT AS window_start FROM watermarked)
    WHERE id IS NOT NULL
  ), sightings AS (
    SELECT part, source, id, min(off) AS first_off FROM placed WHERE NOT beyond_horizon GROUP BY ALL
  )
  SELECT part, off, id, origin, window_start, window_end, delay_min, CASE
      WHEN beyond_horizon THEN 'late'
      WHEN off > first_off THEN 'duplicate'
      WHEN w >= window_end THEN 'late'
      ELSE 'counted'
    END AS outcome
  FROM placed LEFT JOIN sightings USING (part, source, id)`;

/** The windows that must come out, one row a key and hour. The mean is a double: exact sum over exact count. */
const EXPECTED_TABLE = `CREATE TABLE expected AS
  SELECT origin AS key, window_start, window_end,
    count(*)::INTEGER AS flights,
    sum(delay_min)::DOUBLE / count(*)::DOUBLE AS mean_delay_min,
    max(delay_min) AS max_delay_min,
    min(delay_min) AS min_delay_min,
    (count(*) FILTER (delay_min > 15))::INTEGER AS delayed
  FROM judged WHERE outcome = 'counted'
  GROUP BY origin, window_start, window_end`;

export interface Outcomes {
  readonly counted: number;
  readonly late: number;
  readonly duplicate: number;
  readonly windows: number;
}

/** Makes the tables `judged` (the log's events with their `outcome`) and `expected` (the windows). */
export async function judgeLog(db: DuckDBConnection): Promise<Outcomes> {
  await db.run(JUDGED_TABLE);
  await db.run(EXPECTED_TABLE);
  const reader = await db.runAndReadAll(`SELECT
      (count(*) FILTER (outcome = 'counted'))::INTEGER AS counted,
      (count(*) FILTER (outcome = 'late'))::INTEGER AS late,
      (count(*) FILTER (outcome = 'duplicate'))::INTEGER AS duplicate,
      (SELECT count(*)::INTEGER FROM expected) AS windows
    FROM judged`);
  return reader.getRowObjects()[0] as unknown as Outcomes;
}
