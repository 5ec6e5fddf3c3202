/** Puts accepted events on the spillway stream where Kafka does not take them. */
import { setTimeout as sleep } from "node:timers/promises";
import { type KinesisClient, PutRecordsCommand, type PutRecordsRequestEntry } from "@aws-sdk/client-kinesis";
import { packSpilled, type SpilledBatch } from "../../contracts/spillway-record.ts";
import { SpillwayUnavailableError } from "../../runtime/errors.ts";

/** PutRecords takes 500 records and, with their keys, 5 MiB (Kinesis API reference). */
const MAX_REQUEST_RECORDS = 500;
const MAX_REQUEST_BYTES = 5 * 1024 * 1024;
/** A shard that is throttled takes more within a second. */
const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 1_000;

/** As many partition keys as make shards' shares even. */
const PARTITION_KEYS = 2 ** 32;

export interface SpillwayPorts {
  readonly client: Pick<KinesisClient, "send">;
  readonly streamName: string;
  /** From 0 up to 1, as Math.random. */
  readonly random: () => number;
}

export class Spillway {
  readonly #ports: SpillwayPorts;

  constructor(ports: SpillwayPorts) {
    this.#ports = ports;
  }

  /**
   * Resolves once the stream holds every event. Records that it refuses are tried again until `timeoutMs` have passed;
   * then it rejects with {@link SpillwayUnavailableError}, and whoever gave the events must give all of them again.
   */
  async put(batch: SpilledBatch, timeoutMs: number): Promise<void> {
    const deadline = AbortSignal.timeout(timeoutMs);
    let pending = this.#recordsOf(batch);
    let cause: unknown;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
      const { refused, failure } = await this.#putOnce(pending, deadline);
      if (refused.length === 0) return;
      pending = refused;
      // What the deadline itself cut off says less than what came before it.
      cause = deadline.aborted ? (cause ?? failure) : failure;
      await sleep(pauseMs * this.#ports.random(), undefined, { signal: deadline }).catch(() => {});
      if (deadline.aborted) throw unavailable(pending.length, cause);
    }
  }

  /**
   * A request's events are few records, one if they fit: a shard takes 1,000 a second. They go to any shard: a key's
   * events that come in two requests may overtake each other, as what is spilled and what is not do anyway.
   */
  #recordsOf(batch: SpilledBatch): PutRecordsRequestEntry[] {
    const partitionKey = String(Math.floor(this.#ports.random() * PARTITION_KEYS));
    return packSpilled(batch).map((data) => ({ Data: data, PartitionKey: partitionKey }));
  }

  /** What was not acknowledged, in order. */
  async #putOnce(entries: readonly PutRecordsRequestEntry[], deadline: AbortSignal): Promise<Refused> {
    const refused: PutRecordsRequestEntry[] = [];
    let failure: unknown;
    for (const request of requestsOf(entries)) {
      try {
        deadline.throwIfAborted();
        const command = new PutRecordsCommand({ StreamName: this.#ports.streamName, Records: request });
        const { Records: results = [] } = await this.#ports.client.send(command, { abortSignal: deadline });
        request.forEach((entry, index) => {
          if (results[index]?.SequenceNumber !== undefined) return;
          refused.push(entry);
          failure = new Error(results[index]?.ErrorCode ?? "The answer leaves the record out.");
        });
      } catch (error) {
        refused.push(...request);
        failure = error;
      }
    }
    return { refused, failure };
  }
}

interface Refused {
  readonly refused: PutRecordsRequestEntry[];
  readonly failure: unknown;
}

function requestsOf(entries: readonly PutRecordsRequestEntry[]): PutRecordsRequestEntry[][] {
  const requests: PutRecordsRequestEntry[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const entry of entries) {
    const more = entry.Data!.length + entry.PartitionKey!.length;
    if (bytes + more > MAX_REQUEST_BYTES || requests.at(-1)!.length === MAX_REQUEST_RECORDS) {
      requests.push([]);
      bytes = 0;
    }
    requests.at(-1)!.push(entry);
    bytes += more;
  }
  return requests;
}

function unavailable(count: number, cause: unknown): SpillwayUnavailableError {
  return new SpillwayUnavailableError(
    `The spillway stream did not take ${count} records before the deadline.`,
    "Send the events again: none was answered as stored. If it lasts, look at the stream's throttled records and at its size in the configuration.",
    cause,
  );
}
