/** How Lambda delivers one batch of a stream's shard: retries, bisection, partial answers. No I/O of its own. */
import type { InvokeResult } from "../functions/function.ts";

/** The longest pause between two attempts at the same batch; the first is a second, and it doubles. */
const MAX_BACKOFF_MS = 30_000;
const FIRST_BACKOFF_MS = 1_000;

export interface StreamRecord {
  readonly sequenceNumber: string;
  readonly arrivalMs: number;
}

export interface StreamBatchOptions<R extends StreamRecord> {
  readonly invoke: (records: readonly R[]) => Promise<InvokeResult>;
  readonly reportsItemFailures: boolean;
  readonly bisects: boolean;
  /** Attempts after the first; undefined retries until the record expires from the stream. */
  readonly maxRetries: number | undefined;
  /** Undefined: no record is too old. */
  readonly maxRecordAgeMs: number | undefined;
  readonly discard: (records: readonly R[], reason: DiscardReason, attempts: number) => Promise<void>;
  /** Waits; rejects when the platform stops. */
  readonly sleep: (ms: number) => Promise<void>;
  readonly nowMs: () => number;
}

export type DiscardReason = "RetryAttemptsExhausted" | "RecordAgeExceeded";

/** Resolves once every record is processed or discarded, in the shard's order. */
export async function deliverStreamBatch<R extends StreamRecord>(
  batch: readonly R[],
  options: StreamBatchOptions<R>,
): Promise<void> {
  // A stack: the part with the earlier records is always on top, so that the shard's order holds.
  const pending: { records: readonly R[]; attempts: number }[] = [{ records: batch, attempts: 0 }];
  let backoffMs = FIRST_BACKOFF_MS;
  for (;;) {
    const part = pending.pop();
    if (part === undefined) return;
    let { records } = part;
    records = await withoutExpired(records, part.attempts, options);
    if (records.length === 0) continue;
    const result = await options.invoke(records);
    const failedFrom = firstFailure(result, records, options.reportsItemFailures);
    if (failedFrom === records.length) {
      backoffMs = FIRST_BACKOFF_MS;
      continue;
    }
    // A throttled call never reached the function, so that it uses up no attempt.
    const attempts = part.attempts + (result.kind === "throttled" ? 0 : 1);
    const left = records.slice(failedFrom);
    if (options.bisects && left.length > 1 && result.kind !== "throttled") {
      // Splitting does not use the retry quota (Lambda, Kinesis error handling).
      const middle = Math.ceil(left.length / 2);
      pending.push({ records: left.slice(middle), attempts: part.attempts });
      pending.push({ records: left.slice(0, middle), attempts: part.attempts });
    } else if (options.maxRetries !== undefined && attempts > options.maxRetries) {
      await options.discard(left, "RetryAttemptsExhausted", attempts);
      continue;
    } else {
      pending.push({ records: left, attempts });
    }
    await options.sleep(backoffMs);
    backoffMs = Math.min(backoffMs * 2, MAX_BACKOFF_MS);
  }
}

async function withoutExpired<R extends StreamRecord>(
  records: readonly R[],
  attempts: number,
  { maxRecordAgeMs, nowMs, discard }: StreamBatchOptions<R>,
): Promise<readonly R[]> {
  if (maxRecordAgeMs === undefined) return records;
  const oldestMs = nowMs() - maxRecordAgeMs;
  const expired = records.filter(({ arrivalMs }) => arrivalMs < oldestMs);
  if (expired.length === 0) return records;
  await discard(expired, "RecordAgeExceeded", attempts);
  return records.filter(({ arrivalMs }) => arrivalMs >= oldestMs);
}

/** Index of the first record to deliver again; the number of records where all are done. */
function firstFailure(
  result: InvokeResult,
  records: readonly StreamRecord[],
  reportsItemFailures: boolean,
): number {
  if (result.kind !== "answer") return 0;
  if (!reportsItemFailures) return records.length;
  const failed = itemFailures(result.payload);
  if (failed === undefined) return 0;
  // The checkpoint is the lowest failed record; everything from it on comes again.
  const indexes = failed.map((id) => records.findIndex(({ sequenceNumber }) => sequenceNumber === id));
  return indexes.includes(-1) ? 0 : Math.min(records.length, ...indexes);
}

/**
 * The identifiers in a partial batch response. Empty: the batch succeeded, as do null, {} and an absent list.
 * Undefined: the response is malformed, and the whole batch counts as failed.
 */
export function itemFailures(payload: string): string[] | undefined {
  const response = JSON.parse(payload) as unknown;
  if (response === null) return [];
  if (typeof response !== "object") return [];
  const list = (response as { batchItemFailures?: unknown }).batchItemFailures;
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list)) return undefined;
  const ids = list.map((item) => (item as { itemIdentifier?: unknown } | null)?.itemIdentifier);
  return ids.every((id) => typeof id === "string" && id !== "") ? (ids as string[]) : undefined;
}
