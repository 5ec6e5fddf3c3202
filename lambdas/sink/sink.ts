/** What the sink does with a batch of result records. */
import type { MSKEvent } from "aws-lambda";
import type { ServedSeries } from "../../contracts/served-series.ts";
import { forEachBounded } from "../../runtime/for-each-bounded.ts";
import { type RefusedRecord, readBatch, type StoredResult } from "./batch.ts";
import type { DeadLetters } from "./dead-letters.ts";
import { noticesOf } from "./notice.ts";
import { type NotifierPorts, type NotifyReport, notify } from "./notifier.ts";
import { progressOf } from "./progress.ts";
import type { ResultsTable } from "./table.ts";

/** Writes in flight at once: under the 50 connections that the AWS client keeps. */
const MAX_WRITES_IN_FLIGHT = 32;
/** What is kept of the function's time for ending in an orderly way. */
const END_MARGIN_MS = 1_000;

export interface SinkPorts {
  /** By name. */
  readonly series: ReadonlyMap<string, ServedSeries>;
  readonly table: ResultsTable;
  readonly deadLetters: DeadLetters;
  /** Tells others of new results. @default nobody is told */
  readonly notices?: NotifierPorts & { readonly environment: string };
}

/** What happened, for metrics. */
export interface SinkReport {
  readonly stored: number;
  /** The table or the same batch held a newer version, or this very one. */
  readonly superseded: number;
  readonly refused: number;
  readonly notices: NotifyReport;
}

/**
 * Stores the newest version of each result. The mapping delivers uncommitted, aborted, repeated and reordered
 * records; all of them end in the highest version, because only a higher one is ever written. What no table can
 * hold becomes a dead letter. Rejects where the table or Kafka is away: then the whole batch is delivered again.
 */
export async function sink(
  event: MSKEvent,
  remainingMs: () => number,
  ports: SinkPorts,
): Promise<SinkReport> {
  const batch = readBatch(event);
  const refused: RefusedRecord[] = [...batch.undecodable];
  let stored = 0;
  let superseded = batch.superseded;
  await forEachBounded(batch.newest, MAX_WRITES_IN_FLIGHT, async (result: StoredResult) => {
    const outcome = await ports.table.write(result);
    if (outcome.kind === "stored") stored += 1;
    else if (outcome.kind === "superseded") superseded += 1;
    else refused.push({ record: result.record, reason: "refused-by-table", detail: outcome.detail });
  });
  const timeoutMs = (): number => Math.max(0, remainingMs() - END_MARGIN_MS);
  if (refused.length > 0) await ports.deadLetters.send(refused, timeoutMs());
  const notices = await tell(batch.results, refused, timeoutMs(), ports);
  // Last: whoever reads how far a partition has come finds all that came before.
  const progress = progressOf(batch.results, ports.series);
  await forEachBounded(progress, MAX_WRITES_IN_FLIGHT, (each) => ports.table.advance(each));
  return { stored, superseded, refused: refused.length, notices };
}

/**
 * Whoever is told of a result finds it in the table. A record that was never committed is told too, safely: what anybody
 * saw of a checkpoint commits, byte for byte (design, section 4, rule 5).
 */
async function tell(
  results: readonly StoredResult[],
  refused: readonly RefusedRecord[],
  timeoutMs: number,
  { series, notices }: SinkPorts,
): Promise<NotifyReport> {
  if (notices === undefined) return { put: 0, repeated: 0 };
  const lost = new Set(refused.map(({ record }) => record));
  const kept = results.filter(({ record }) => !lost.has(record));
  return notify(noticesOf(kept, series, notices.environment), timeoutMs, notices);
}

/** When the oldest of the batch's records came to its topic, in milliseconds since the epoch. */
export const oldestMs = ({ records }: MSKEvent): number =>
  Object.values(records)
    .flat()
    .reduce((oldest, { timestamp }) => Math.min(oldest, timestamp), Number.POSITIVE_INFINITY);
