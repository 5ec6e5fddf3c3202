/** The engine's answer: a pipeline over the flights' log, in tables beside what SQL expects. */
import type { DuckDBAppender } from "@duckdb/node-api";
import { WATERMARK_HEADER } from "../../../../contracts/dead-letter.ts";
import type { PipelineDefinition } from "../../../../processors/engine/pipeline/definition.ts";
import {
  count,
  type hopping,
  max,
  mean,
  min,
  pipeline,
  type session,
  sum,
  type tumbling,
} from "../../../../processors/engine/pipeline/dsl.ts";
import { type Emission, emissionsIn, lateIn } from "../../../../processors/engine/testing/outputs.ts";
import { type ListedRecord, RecordList } from "../../../../processors/engine/testing/record-list.ts";
import { RecoverableTask } from "../../../../processors/engine/testing/recoverable-task.ts";
import {
  type Expected,
  type FlightsLog,
  type FlightWindow,
  type LoggedFlight,
  readLog,
} from "./flights-log.ts";

const TOPIC = "flights-log";
/** Flights between two checkpoints; after each all memory is dropped, and the tasks go on from what was written. */
const CHECKPOINT_EVERY = 250_000;
const MAX_STEPS = 1_000;
const END_OF_TIME_MS = Number.MAX_SAFE_INTEGER;

type Values = Pick<FlightWindow, "flights" | "meanDelay" | "sumDelay" | "maxDelay" | "minDelay">;

const utf8 = new TextDecoder();

/** The flights of a log in windows; deduplicated by their place in it, unless `dedupe` is false. */
export function flightsPipeline(
  window: ReturnType<typeof tumbling | typeof hopping | typeof session>,
  outOfOrderMs: number,
  dedupe?: false,
): PipelineDefinition {
  return pipeline("flights-compared")
    .from(
      {
        topic: TOPIC,
        decode: (value) => JSON.parse(utf8.decode(value)) as LoggedFlight,
        time: ({ timeMs }) => timeMs,
        identity: ({ arrival }) => String(arrival),
      },
      { outOfOrderMs, ...(dedupe === false && { dedupe }) },
    )
    .keyBy(({ key }) => key)
    .window(window)
    .aggregate({
      flights: count(),
      meanDelay: mean(({ delayMin }) => delayMin),
      sumDelay: sum(({ delayMin }) => delayMin),
      maxDelay: max(({ delayMin }) => delayMin),
      minDelay: min(({ delayMin }) => delayMin),
    })
    .toResults();
}

export interface Comparison {
  /** Windows and late flights that SQL expects. */
  readonly windows: number;
  readonly late: number;
  /** Windows that one of the two does not have, or has with another value; the first few of them. */
  readonly differing: number;
  readonly examples: readonly unknown[];
  /** `arrival` of the flights that the engine found late. */
  readonly lateInEngine: readonly number[];
}

/** Runs the pipeline over the database's log and holds its results against `expected`, each number exactly. */
export async function compare(
  log: FlightsLog,
  partitions: number,
  definition: PipelineDefinition,
  expected: Expected,
): Promise<Comparison> {
  const { db } = log;
  await db.run(`CREATE OR REPLACE TABLE emitted (key VARCHAR, window_start BIGINT, window_end BIGINT,
    flights BIGINT, mean_delay DOUBLE, sum_delay BIGINT, max_delay INTEGER, min_delay INTEGER)`);
  const appender = await db.createAppender("emitted");
  const lateInEngine = await run(log, partitions, definition, appender);
  appender.closeSync();
  const late = await expected.late();
  const differences = await db.runAndReadAll(`SELECT * FROM ${expected.table} AS e
    FULL OUTER JOIN emitted AS g USING (key, window_start, window_end)
    WHERE e.flights IS DISTINCT FROM g.flights OR e.sum_delay IS DISTINCT FROM g.sum_delay
      OR e.max_delay IS DISTINCT FROM g.max_delay OR e.min_delay IS DISTINCT FROM g.min_delay
      OR e.sum_delay::DOUBLE / e.flights IS DISTINCT FROM g.mean_delay`);
  const size = await db.runAndReadAll(`SELECT count(*)::INTEGER FROM ${expected.table}`);
  return {
    windows: size.getRows()[0]![0] as number,
    late: late.length,
    differing: differences.currentRowCount,
    examples: differences.getRowObjectsJS().slice(0, 5),
    lateInEngine,
  };
}

/** Appends what the pipeline emits; returns what it finds late, in order of arrival. */
async function run(
  log: FlightsLog,
  partitions: number,
  definition: PipelineDefinition,
  appender: DuckDBAppender,
): Promise<readonly number[]> {
  const run = new EngineRun(definition, partitions, appender);
  for await (const flights of readLog(log)) run.feed(flights);
  return run.end();
}

class EngineRun {
  readonly #definition: PipelineDefinition;
  readonly #appender: DuckDBAppender;
  readonly #tasks: readonly RecoverableTask[];
  readonly #nextOffsets: number[];
  readonly #late: number[] = [];
  #untilCheckpoint = CHECKPOINT_EVERY;

  constructor(definition: PipelineDefinition, partitions: number, appender: DuckDBAppender) {
    this.#definition = definition;
    this.#appender = appender;
    this.#tasks = Array.from(
      { length: partitions },
      (_, partition) => new RecoverableTask({ definition, partition, partitions }),
    );
    this.#nextOffsets = this.#tasks.map(() => 0);
  }

  feed(flights: readonly LoggedFlight[]): void {
    const records: ListedRecord[][] = this.#tasks.map(() => []);
    for (const flight of flights) records[flight.partition]!.push(toRecord(flight));
    for (const [partition, list] of records.entries()) if (list.length > 0) this.#apply(partition, list);
    this.#untilCheckpoint -= flights.length;
    if (this.#untilCheckpoint > 0) return;
    this.#untilCheckpoint = CHECKPOINT_EVERY;
    this.#checkpoint();
    for (const task of this.#tasks) task.crash();
  }

  /** Closes every window. */
  end(): readonly number[] {
    const headers = { [WATERMARK_HEADER]: String(END_OF_TIME_MS) };
    for (const partition of this.#tasks.keys()) {
      this.#apply(partition, [{ key: null, value: null, arrivalMs: 0, headers }]);
    }
    this.#checkpoint();
    return this.#late.sort((a, b) => a - b);
  }

  #apply(partition: number, records: readonly ListedRecord[]): void {
    const { task } = this.#tasks[partition]!;
    const batch = new RecordList({ topic: TOPIC, partition }, this.#nextOffsets[partition]!, records);
    this.#nextOffsets[partition] = batch.nextOffset;
    for (let next = 0; next < batch.count; ) {
      next = task.apply(batch, next, MAX_STEPS);
      while (task.firing) task.fire(MAX_STEPS);
    }
  }

  #checkpoint(): void {
    for (const task of this.#tasks) {
      const outputs = task.checkpoint();
      for (const emission of emissionsIn(this.#definition, outputs)) this.#append(emission);
      for (const { value } of lateIn(this.#definition, outputs)) {
        this.#late.push((JSON.parse(value) as LoggedFlight).arrival);
      }
    }
  }

  #append({ kind, key, window, value, revision }: Emission): void {
    // With an allowed lateness of 0 each window is emitted once, and nothing is taken back.
    if (kind !== "result" || revision !== 1) throw new Error(`${kind} ${revision} of ${key} is one too many`);
    const { flights, meanDelay, sumDelay, maxDelay, minDelay } = value as Values;
    const appender = this.#appender;
    appender.appendVarchar(key);
    appender.appendBigInt(BigInt(window.start));
    appender.appendBigInt(BigInt(window.end));
    appender.appendBigInt(BigInt(flights));
    appender.appendDouble(meanDelay);
    appender.appendBigInt(BigInt(sumDelay));
    appender.appendInteger(maxDelay);
    appender.appendInteger(minDelay);
    appender.endRow();
  }
}

const keys = new Map<string, Uint8Array>();

function toRecord(flight: LoggedFlight): ListedRecord {
  let key = keys.get(flight.key);
  if (key === undefined) {
    key = Buffer.from(flight.key);
    keys.set(flight.key, key);
  }
  // The source's bound on future events is of arrivals, and a flight that leaves early is dated ahead of its own.
  const arrivalMs = flight.timeMs + Math.max(0, flight.delayMin) * 60_000;
  return { key, value: Buffer.from(JSON.stringify(flight)), arrivalMs, headers: {} };
}
