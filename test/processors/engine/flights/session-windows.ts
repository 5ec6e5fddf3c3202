/**
 * Session windows over a log, by SQL. Nothing here comes from the engine: these are the rules of docs/design.md,
 * section 4, rules 2, 13 and 14, written again, with an allowed lateness of 0.
 *
 * Flights of a key at most one gap apart are an island. Where each flight of an island is ahead of the watermark that
 * it meets, every session that it may join is open still, and the island is one session, in whatever order it came.
 * Where one is not, the order of arrival decides: a session may have closed before the flight that would have joined
 * it to the next. Those islands alone are gone through flight by flight, all at once, by a recursive query.
 */
import { type Expected, type FlightsLog, readNumbers, readWindows } from "./flights-log.ts";

export interface SessionWindows {
  /** Flights exactly this far apart are still of one session; its end is the last one's time plus this. */
  readonly gapMs: number;
  /** How far behind the highest time the watermark stays. */
  readonly outOfOrderMs: number;
  /** With dedupe, a flight further than this behind the watermark is late, whatever it may join. @default not so */
  readonly horizonMs?: number;
}

/** Makes the tables `expected_sessions` and `late_for_sessions`, anew with each call. */
export async function sessionWindows(log: FlightsLog, windows: SessionWindows): Promise<Expected> {
  await makeIslands(log, windows);
  await log.db.run(simulation(windows));
  await log.db.run(`CREATE OR REPLACE TABLE expected_sessions AS
    SELECT key, min(time_ms) AS window_start, max(time_ms) + ${windows.gapMs} AS window_end,
      count(*) AS flights, sum(delay_min) AS sum_delay, max(delay_min) AS max_delay, min(delay_min) AS min_delay
    FROM islands WHERE NOT ordered GROUP BY key, island
    UNION ALL
    SELECT key, s.first_ms, s.last_ms + ${windows.gapMs}, s.flights, s.sum_delay, s.max_delay, s.min_delay
    FROM (SELECT key, unnest(sessions) AS s FROM outcomes)`);
  await log.db.run(
    `CREATE OR REPLACE TABLE late_for_sessions AS SELECT unnest(late) AS arrival FROM outcomes`,
  );
  return {
    table: "expected_sessions",
    windows: () => readWindows(log, "expected_sessions"),
    late: () => readNumbers(log, "SELECT arrival FROM late_for_sessions ORDER BY arrival"),
  };
}

/** `islands`: the log with each flight's island and its place in it by arrival; `ordered` where arrival matters. */
async function makeIslands(log: FlightsLog, { gapMs, outOfOrderMs }: SessionWindows): Promise<void> {
  await log.db.run(`CREATE OR REPLACE TABLE islands AS
    WITH spaced AS (
      SELECT *, highest_ms - ${outOfOrderMs} AS w,
        coalesce(time_ms - lag(time_ms) OVER in_time > ${gapMs}, false)::INTEGER AS starts
      FROM log WINDOW in_time AS (PARTITION BY key ORDER BY time_ms, arrival)
    ), numbered AS (
      SELECT * EXCLUDE starts, sum(starts) OVER (PARTITION BY key ORDER BY time_ms, arrival) AS island FROM spaced
    )
    SELECT *, row_number() OVER (PARTITION BY key, island ORDER BY arrival) AS step,
      bool_or(coalesce(time_ms <= w, false)) OVER (PARTITION BY key, island) AS ordered
    FROM numbered`);
}

/** Sessions that a flight may join: open still (watermark before their end), and no further away than the gap. */
const joins = (gapMs: number): string =>
  `s.last_ms + ${gapMs} > coalesce(f.w, s.last_ms) AND s.first_ms - ${gapMs} <= f.time_ms AND f.time_ms <= s.last_ms + ${gapMs}`;

const beyond = (horizonMs: number | undefined): string =>
  horizonMs === undefined ? "false" : `coalesce(f.time_ms < f.w - ${horizonMs}, false)`;

/**
 * `outcomes`: the sessions and the late flights of each ordered island. A row of the recursion is an island after so
 * many of its flights; each step takes one more. A flight that joins nothing and ends before the watermark is late, and so is one beyond the horizon.
 */
const simulation = ({ gapMs, horizonMs }: SessionWindows): string => `
  CREATE OR REPLACE TABLE outcomes AS
  WITH RECURSIVE taken AS (
    SELECT key, island, 0::BIGINT AS step, 0::BIGINT AS arrival, []::${SESSION}[] AS sessions, false AS is_late
    FROM islands WHERE ordered GROUP BY key, island
    UNION ALL
    SELECT key, island, step, arrival,
      CASE WHEN is_late THEN sessions ELSE list_append(list_filter(sessions, lambda s: NOT list_contains(joined, s)), {
        first_ms: least(time_ms, list_min(list_transform(joined, lambda s: s.first_ms))),
        last_ms: greatest(time_ms, list_max(list_transform(joined, lambda s: s.last_ms))),
        flights: (1 + coalesce(list_sum(list_transform(joined, lambda s: s.flights)), 0))::BIGINT,
        sum_delay: (delay_min + coalesce(list_sum(list_transform(joined, lambda s: s.sum_delay)), 0))::BIGINT,
        max_delay: greatest(delay_min, list_max(list_transform(joined, lambda s: s.max_delay))),
        min_delay: least(delay_min, list_min(list_transform(joined, lambda s: s.min_delay)))
      }) END, is_late
    FROM (
      SELECT f.key, f.island, f.step, f.arrival, f.time_ms, f.delay_min, t.sessions,
        list_filter(t.sessions, lambda s: ${joins(gapMs)}) AS joined,
        coalesce(f.time_ms + ${gapMs} <= f.w AND len(joined) = 0, false) OR ${beyond(horizonMs)} AS is_late
      FROM taken t JOIN islands f ON f.ordered AND f.key = t.key AND f.island = t.island AND f.step = t.step + 1
    )
  )
  SELECT key, arg_max(sessions, step) AS sessions, coalesce(list(arrival) FILTER (is_late), []) AS late
  FROM taken GROUP BY key, island`;

const SESSION =
  "STRUCT(first_ms BIGINT, last_ms BIGINT, flights BIGINT, sum_delay BIGINT, max_delay INTEGER, min_delay INTEGER)";
