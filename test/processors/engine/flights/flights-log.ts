/**
 * The 3,000,000 real flights as the log of a topic: keyed, partitioned and in order of arrival (scheduled departure +
 * delay), with what a watermark says before each. The SQL of fixed-windows.ts and session-windows.ts works on it.
 */
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { FLIGHTS_IN_FILE, loadFlights } from "../../../../cli/flights/flights.ts";
import { assignPartitions } from "../../../../cli/flights/log.ts";
import { streamRows } from "../../../../cli/flights/rows.ts";

export interface FlightsLogOptions {
  /** What flights are grouped by: their origin (ATL), or where they go too (ATL-ORD). */
  readonly key: "origin" | "route";
  readonly partitions: number;
  /** The first so many in order of arrival. @default all */
  readonly flights?: number;
}

/** Beyond it nothing of this log is late: the file holds half a year. */
export const NEVER_LATE_MS = 400 * 86_400_000;

export interface LoggedFlight {
  /** Place in the order of arrival over all partitions, from 1. */
  readonly arrival: number;
  readonly partition: number;
  readonly key: string;
  /** Scheduled departure, milliseconds; the file has no zone, it is read as UTC. */
  readonly timeMs: number;
  readonly delayMin: number;
}

/** A database with the table `log`: arrival, part, key, time_ms, delay_min and highest_ms, see {@link openFlightsLog}. */
export interface FlightsLog {
  readonly instance: DuckDBInstance;
  /** For statements. What is streamed has connections of its own: a statement ends what its connection streams. */
  readonly db: DuckDBConnection;
}

/** A closed window of one key: [start, end), milliseconds. */
export interface FlightWindow {
  readonly key: string;
  readonly start: number;
  readonly end: number;
  readonly flights: number;
  /** Minutes; the exact sum over the exact count, as a double. */
  readonly meanDelay: number;
  readonly maxDelay: number;
  readonly minDelay: number;
  readonly sumDelay: number;
}

/** What SQL says that a pipeline makes of a log. */
export interface Expected {
  /** Where the windows are: key, window_start, window_end, flights, sum_delay, max_delay, min_delay. */
  readonly table: string;
  /** In no particular order: {@link FlightWindow}s, some thousand at a time. */
  windows(): AsyncGenerator<readonly FlightWindow[]>;
  /** `arrival` of each flight that is late, in order. */
  late(): Promise<readonly number[]>;
}

const KEYS = { origin: "origin", route: "origin || '-' || destination" } as const;

/**
 * Puts the file's flights into a log. highest_ms is the highest time_ms that arrived in the partition before the
 * flight, null for its first: the watermark W that the flight meets is highest_ms - bound.
 */
export async function openFlightsLog(options: FlightsLogOptions): Promise<FlightsLog> {
  const log = await emptyDatabase();
  const { db } = log;
  await loadFlights(db, options.flights ?? FLIGHTS_IN_FILE);
  await assignPartitions(db, KEYS[options.key], options.partitions);
  await db.run(`CREATE TABLE log AS
    SELECT arrival, part, key, time_ms, delay_min, max(time_ms) OVER (
      PARTITION BY part ORDER BY arrival ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS highest_ms
    FROM (SELECT *, ${KEYS[options.key]} AS key FROM flights) JOIN partitions USING (key)`);
  await db.run("DROP TABLE flights");
  return log;
}

/** A log without its table. */
export async function emptyDatabase(): Promise<FlightsLog> {
  const instance = await DuckDBInstance.create(":memory:", { threads: "2" });
  return { instance, db: await instance.connect() };
}

export function closeFlightsLog({ instance, db }: FlightsLog): void {
  db.closeSync();
  instance.closeSync();
}

/** The log in order of arrival, some thousand flights at a time. */
export async function* readLog(log: FlightsLog): AsyncGenerator<readonly LoggedFlight[]> {
  const rows = chunks(
    log,
    "SELECT arrival::DOUBLE, part, key, time_ms::DOUBLE, delay_min FROM log ORDER BY arrival",
  );
  for await (const chunk of rows) {
    yield (chunk as [number, number, string, number, number][]).map(
      ([arrival, partition, key, timeMs, delayMin]) => ({ arrival, partition, key, timeMs, delayMin }),
    );
  }
}

/** The rows of an {@link Expected}'s table. */
export async function* readWindows(log: FlightsLog, table: string): AsyncGenerator<readonly FlightWindow[]> {
  const rows = chunks(
    log,
    `SELECT key, window_start::DOUBLE, window_end::DOUBLE, flights::INTEGER, sum_delay::DOUBLE, max_delay, min_delay
     FROM ${table}`,
  );
  for await (const chunk of rows) {
    yield (chunk as [string, number, number, number, number, number, number][]).map(
      ([key, start, end, flights, sumDelay, maxDelay, minDelay]) => ({
        key,
        start,
        end,
        flights,
        meanDelay: sumDelay / flights,
        maxDelay,
        minDelay,
        sumDelay,
      }),
    );
  }
}

/** The first column of a query's rows, whole numbers. */
export async function readNumbers(log: FlightsLog, sql: string): Promise<readonly number[]> {
  const numbers: number[] = [];
  for await (const chunk of chunks(log, sql)) {
    for (const [number] of chunk) numbers.push(Number(number));
  }
  return numbers;
}

async function* chunks(
  { instance }: FlightsLog,
  sql: string,
): AsyncGenerator<readonly (readonly unknown[])[]> {
  const connection = await instance.connect();
  try {
    yield* streamRows(connection, sql);
  } finally {
    connection.closeSync();
  }
}
