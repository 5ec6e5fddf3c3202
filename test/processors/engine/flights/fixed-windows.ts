/**
 * Tumbling and hopping windows over a log, by SQL. Nothing here comes from the engine: these are the rules of
 * docs/design.md, section 4, rule 2, written again, with an allowed lateness of 0.
 */
import { type Expected, type FlightsLog, readNumbers, readWindows } from "./flights-log.ts";

export interface FixedWindows {
  readonly sizeMs: number;
  /** Distance of the windows' starts; `sizeMs` makes them tumbling. */
  readonly advanceMs: number;
  /** How far behind the highest time the watermark stays. */
  readonly outOfOrderMs: number;
}

/**
 * A flight counts in each of its windows that the watermark has not reached the end of, and is late where that is none.
 * Makes the table `expected_fixed`, anew with each call.
 */
export async function fixedWindows(log: FlightsLog, windows: FixedWindows): Promise<Expected> {
  await log.db.run(`CREATE OR REPLACE TABLE expected_fixed AS
    SELECT key, window_start, window_start + ${windows.sizeMs} AS window_end,
      count(*) AS flights, sum(delay_min) AS sum_delay, max(delay_min) AS max_delay, min(delay_min) AS min_delay
    FROM (${placed(windows)}) WHERE ${open(windows)}
    GROUP BY key, window_start`);
  return {
    table: "expected_fixed",
    windows: () => readWindows(log, "expected_fixed"),
    late: () =>
      readNumbers(
        log,
        `SELECT arrival FROM (${placed(windows)}) GROUP BY arrival HAVING NOT bool_or(${open(windows)}) ORDER BY arrival`,
      ),
  };
}

/** A row for each flight and window that holds it; windows start at multiples of the advance, also before 1970. */
const placed = ({ sizeMs, advanceMs }: FixedWindows): string =>
  `SELECT *, ${advanceMs} * (floor(time_ms / ${advanceMs})::BIGINT - nth) AS window_start
   FROM log CROSS JOIN (SELECT unnest(range(${Math.ceil(sizeMs / advanceMs)})) AS nth)
   WHERE window_start + ${sizeMs} > time_ms`;

/** The watermark's first advance is by the first flight: that meets none. */
const open = ({ sizeMs, outOfOrderMs }: FixedWindows): string =>
  `coalesce(highest_ms - ${outOfOrderMs} < window_start + ${sizeMs}, true)`;
