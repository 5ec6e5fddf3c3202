/**
 * Writes real flights in the order in which they departed, and then what `airport-delays` must make of them. Nothing is
 * drawn: the file says what happened, and SQL over it what is true, so nothing of this comes from the engine.
 */
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { judgeLog } from "../flights/expected.ts";
import { flightEvents, loadFlights } from "../flights/flights.ts";
import { logFlights } from "../flights/log.ts";
import { streamRows } from "../flights/rows.ts";
import { type OutputFiles, write } from "./output.ts";
import type { Truth } from "./traffic.ts";

const PIPELINE = "airport-delays";
/** What the pipeline allows for; what is further behind may be late. */
const OUT_OF_ORDER_MS = 3_600_000;

export interface FlightsOptions {
  /** The first so many of the file in the order of their departure. */
  readonly events: number;
  /** Tasks that the truth is told for: each has a watermark of its own, so what is late depends on its neighbours. */
  readonly partitions: number;
}

export async function writeFlights(
  options: FlightsOptions,
  { out, truth }: OutputFiles,
  signal: AbortSignal,
): Promise<void> {
  const database = await DuckDBInstance.create(":memory:");
  try {
    const db = await database.connect();
    await loadFlights(db, options.events);
    await write(linesOf(flightEvents(db)), out, signal);
    if (truth !== undefined) await write(linesOf(truthOf(db, options)), truth, signal);
  } finally {
    database.closeSync();
  }
}

async function* linesOf(values: AsyncIterable<readonly object[]>): AsyncGenerator<string> {
  for await (const chunk of values) yield chunk.map((value) => `${JSON.stringify(value)}\n`).join("");
}

async function* truthOf(db: DuckDBConnection, options: FlightsOptions): AsyncGenerator<readonly Truth[]> {
  yield [{ kind: "parameters", stream: "flights", ...options, outOfOrderMs: OUT_OF_ORDER_MS }];
  await logFlights(db, options.partitions);
  await judgeLog(db);
  const late = streamRows<readonly [string]>(db, "SELECT id FROM judged WHERE outcome = 'late' ORDER BY off");
  for await (const chunk of late) yield chunk.map(([id]) => ({ kind: "late", id }));
  const windows = streamRows<WindowRow>(
    db,
    `SELECT key, window_start::DOUBLE, window_end::DOUBLE, flights, mean_delay_min, max_delay_min, min_delay_min, delayed
     FROM expected ORDER BY window_start, key`,
  );
  for await (const chunk of windows) yield chunk.map(toResult);
}

type WindowRow = readonly [
  key: string,
  start: number,
  end: number,
  flights: number,
  meanDelayMin: number,
  maxDelayMin: number,
  minDelayMin: number,
  delayed: number,
];

/** The very line that `spillway replay` writes of the window, so that sorted lines are compared as text. */
const toResult = ([
  key,
  start,
  end,
  flights,
  meanDelayMin,
  maxDelayMin,
  minDelayMin,
  delayed,
]: WindowRow): Truth => ({
  kind: "result",
  pipeline: PIPELINE,
  key,
  window: { start, end },
  value: { flights, meanDelayMin, maxDelayMin, minDelayMin, delayed },
  revision: 1,
});
