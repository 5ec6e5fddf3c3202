/**
 * What the sink tells those that send events (contracts/signals.ts): how loaded it is, for each partition of results. It
 * sees batches, and not how many records wait behind them. What it knows is when Kafka took a record (LogAppendTime). So
 * it reckons in the log's own time: between now and its newest record lies the log that waits, and from batch to batch it
 * sees how fast it gets on there, whichever of its environments did the work. As records that were written together have
 * one time, a pace can look like none for a while: the load is never more than what the records' age says, by which it is
 * 1 where results come as late as they may. After a pause that makes it less than late: it catches up faster than
 * time goes by.
 *
 * A batch that is not full came because its window was over: nothing waits behind it, and that is told at once, as a sink
 * that nothing comes to any more cannot take back what it said. Where the table is away it stores nothing, and says
 * nothing: a door that closed would not help, an alarm does.
 */
import type { MSKEvent, MSKRecord } from "aws-lambda";
import type { ResultNames } from "../../contracts/environment.ts";
import {
  LATENCY_TARGET_MS,
  type LoadSignal,
  SIGNAL_INTERVAL_MS,
  SINK_STAGE,
} from "../../contracts/signals.ts";
import { resultsTopic } from "../../contracts/topics.ts";
import { LoadFactor, MAX_LOAD } from "../../flow/load-factor.ts";
import type { SignalsTable } from "../../runtime/signals.ts";

const PACE_MS = 30_000;
const WRITE_TIMEOUT_MS = 300;
/** A batch also ends at Lambda's 6 MB, less a record that was too much; in the base64 that it is counted in. */
const FULL_BYTES = 4 * 1024 * 1024;

interface PartitionLoad {
  readonly factor: LoadFactor;
  /** When Kafka took the newest record that was stored. */
  newestMs: number;
  toldMs: number;
  toldLoad: number;
}

export class SinkLoadSignals {
  /** By the topic of results. */
  readonly #topics = new Map<string, string[]>();
  readonly #batchRecords: number;
  readonly #table: Pick<SignalsTable, "write">;
  readonly #onFailure: (error: Error) => void;
  readonly #partitions = new Map<string, PartitionLoad>();

  /** @param batchRecords of the mappings: how many records make a batch full */
  constructor(
    names: ResultNames,
    batchRecords: number,
    table: Pick<SignalsTable, "write">,
    onFailure: (error: Error) => void,
  ) {
    for (const [topic, series] of Object.entries(names)) {
      for (const name of series) this.#topicsOf(resultsTopic(name)).push(topic);
    }
    this.#batchRecords = batchRecords;
    this.#table = table;
    this.#onFailure = onFailure;
  }

  /** Observes a batch that was stored, and tells what is due. Never rejects. */
  async stored({ records }: MSKEvent, nowMs: number): Promise<void> {
    const mayWait = this.#isFull(Object.values(records).flat());
    const signals = Object.values(records).flatMap((batch) => this.#observe(batch, mayWait, nowMs));
    const abortSignal = AbortSignal.timeout(WRITE_TIMEOUT_MS);
    const writes = signals.map((signal) => this.#table.write(signal, abortSignal));
    for (const outcome of await Promise.allSettled(writes)) {
      if (outcome.status === "rejected") this.#onFailure(outcome.reason as Error);
    }
  }

  #isFull(records: readonly MSKRecord[]): boolean {
    if (records.length >= this.#batchRecords) return true;
    return records.reduce((bytes, { value }) => bytes + (value?.length ?? 0), 0) >= FULL_BYTES;
  }

  #observe(batch: readonly MSKRecord[], mayWait: boolean, nowMs: number): LoadSignal[] {
    const [first] = batch;
    if (first === undefined) return [];
    const source = `${first.topic}/${first.partition}`;
    const newestMs = batch.reduce((newest, { timestamp }) => Math.max(newest, timestamp), 0);
    const ageMs = mayWait ? Math.max(0, nowMs - newestMs) : 0;
    const partition = this.#partitionOf(source, newestMs, nowMs);
    // A batch that is delivered again is no progress.
    partition.factor.observe(Math.max(0, newestMs - partition.newestMs), ageMs, nowMs);
    partition.newestMs = Math.max(newestMs, partition.newestMs);
    const load = Math.min(MAX_LOAD, ageMs / LATENCY_TARGET_MS, partition.factor.value(nowMs));
    const isOver = load === 0 && partition.toldLoad > 0;
    if (nowMs - partition.toldMs < SIGNAL_INTERVAL_MS && !isOver) return [];
    partition.toldMs = nowMs;
    partition.toldLoad = load;
    return [{ stage: SINK_STAGE, source, topics: this.#topicsOf(first.topic), load, atMs: nowMs }];
  }

  #partitionOf(source: string, newestMs: number, nowMs: number): PartitionLoad {
    const known = this.#partitions.get(source);
    if (known !== undefined) return known;
    const factor = new LoadFactor({ targetMs: LATENCY_TARGET_MS, paceMs: PACE_MS }, nowMs);
    const partition = { factor, newestMs, toldMs: Number.NEGATIVE_INFINITY, toldLoad: 0 };
    this.#partitions.set(source, partition);
    return partition;
  }

  #topicsOf(resultsTopic: string): string[] {
    const topics = this.#topics.get(resultsTopic) ?? [];
    this.#topics.set(resultsTopic, topics);
    return topics;
  }
}
