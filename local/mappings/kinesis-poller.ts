import { randomUUID } from "node:crypto";
import {
  type _Record,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
} from "@aws-sdk/client-kinesis";
import { BatchQueue } from "./batch-queue.ts";
import type { SendToDestination } from "./destination.ts";
import { MAX_BATCH_BYTES, type Poller, type PollerOptions, pause } from "./mapping.ts";
import { type DiscardReason, deliverStreamBatch, type StreamRecord } from "./stream-batch.ts";

const DEFAULT_BATCH_SIZE = 100;
/** Lambda reads a shard once a second while nothing is in it (Lambda, Kinesis polling). */
const EMPTY_POLL_MS = 1_000;
const RETRY_MS = 500;

export interface KinesisPollerOptions extends PollerOptions {
  readonly client: KinesisClient;
  readonly streamName: string;
  readonly onFailure: SendToDestination | undefined;
  /** The last record of each shard that is done with: where a poller of the same mapping goes on. */
  readonly positions: Map<string, string>;
}

export interface KinesisEventRecord extends StreamRecord {
  readonly shardId: string;
  readonly partitionKey: string;
  readonly data: string;
}

/** Lambda's poller for a stream: shards side by side, each in its order, one batch at a time. */
export class KinesisPoller implements Poller {
  readonly #options: KinesisPollerOptions;
  readonly #abort = new AbortController();
  #loops: readonly Promise<void>[] = [];

  constructor(options: KinesisPollerOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { client, streamName } = this.#options;
    const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName: streamName }));
    const shards = await Promise.all(
      Shards.map(async ({ ShardId = "" }) => ({ id: ShardId, iterator: await this.#iterator(ShardId) })),
    );
    this.#loops = shards.flatMap(({ id, iterator }) => {
      const queue = this.#queue();
      return [this.#read(id, iterator, queue), this.#work(id, queue)];
    });
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await Promise.all(this.#loops);
  }

  #queue(): BatchQueue<KinesisEventRecord> {
    const { batchSize, windowMs } = this.#options.settings;
    return new BatchQueue(
      { maxRecords: batchSize ?? DEFAULT_BATCH_SIZE, maxBytes: MAX_BATCH_BYTES, windowMs: windowMs ?? 0 },
      ({ data, partitionKey }) => data.length + partitionKey.length + 500,
    );
  }

  async #iterator(shardId: string): Promise<string | undefined> {
    const { client, streamName, settings, positions } = this.#options;
    const position = positions.get(shardId);
    if (position !== undefined) {
      const { ShardIterator } = await client.send(
        new GetShardIteratorCommand({
          StreamName: streamName,
          ShardId: shardId,
          ShardIteratorType: "AFTER_SEQUENCE_NUMBER",
          StartingSequenceNumber: position,
        }),
      );
      return ShardIterator;
    }
    const type = settings.startingPosition ?? "TRIM_HORIZON";
    const { ShardIterator } = await client.send(
      new GetShardIteratorCommand({
        StreamName: streamName,
        ShardId: shardId,
        ShardIteratorType: type as "TRIM_HORIZON" | "LATEST" | "AT_TIMESTAMP",
        ...(settings.startingTimestampMs === undefined
          ? {}
          : { Timestamp: new Date(settings.startingTimestampMs) }),
      }),
    );
    return ShardIterator;
  }

  /** Reads ahead of the function by one batch at most. */
  async #read(
    shardId: string,
    start: string | undefined,
    queue: BatchQueue<KinesisEventRecord>,
  ): Promise<void> {
    const { client, settings } = this.#options;
    const { signal } = this.#abort;
    const limit = settings.batchSize ?? DEFAULT_BATCH_SIZE;
    let iterator = start;
    while (iterator !== undefined && !signal.aborted) {
      if (queue.length >= limit) {
        await pause(RETRY_MS, signal);
        continue;
      }
      try {
        const command = new GetRecordsCommand({ ShardIterator: iterator, Limit: limit });
        const { Records = [], NextShardIterator } = await client.send(command, { abortSignal: signal });
        iterator = NextShardIterator;
        queue.push(
          Records.map((record) => eventRecord(shardId, record)),
          Date.now(),
        );
        if (Records.length === 0) await pause(EMPTY_POLL_MS, signal);
      } catch {
        // The stream is away (a cut link, a stopping platform); the iterator keeps the position.
        await pause(RETRY_MS, signal);
      }
    }
  }

  async #work(shardId: string, queue: BatchQueue<KinesisEventRecord>): Promise<void> {
    const { settings, target, region, positions } = this.#options;
    const { signal } = this.#abort;
    for (;;) {
      const records = await queue.next(signal);
      if (records === undefined) return;
      try {
        await deliverStreamBatch(records, {
          invoke: (part) => target.invoke(kinesisEvent(settings.sourceArn, region, part)),
          reportsItemFailures: settings.reportsItemFailures,
          bisects: settings.bisects,
          maxRetries: settings.maxRetries,
          maxRecordAgeMs: settings.maxRecordAgeMs,
          discard: (part, reason, attempts) => this.#discard(shardId, part, reason, attempts),
          sleep: async (ms) => {
            if (!(await pause(ms, signal))) throw new Error("The poller stops");
          },
          nowMs: Date.now,
        });
        positions.set(shardId, records.at(-1)!.sequenceNumber);
      } catch {
        // Only a stop ends a delivery early; the batch comes again, if the mapping is enabled again.
        return;
      }
    }
  }

  async #discard(
    shardId: string,
    records: readonly KinesisEventRecord[],
    reason: DiscardReason,
    attempts: number,
  ): Promise<void> {
    const { onFailure, name, warn, settings, target } = this.#options;
    warn(`${name}: discarded ${records.length} records of ${shardId} (${reason})`);
    if (onFailure === undefined) return;
    const [first] = records;
    const last = records.at(-1)!;
    await onFailure({
      shardId,
      payload: kinesisEvent(settings.sourceArn, this.#options.region, records),
      record: {
        requestContext: {
          requestId: randomUUID(),
          functionArn: target.definition.arn,
          condition: reason,
          approximateInvokeCount: attempts,
        },
        responseContext: { statusCode: 200, executedVersion: "$LATEST", functionError: "Unhandled" },
        version: "1.0",
        timestamp: new Date().toISOString(),
        KinesisBatchInfo: {
          shardId,
          startSequenceNumber: first!.sequenceNumber,
          endSequenceNumber: last.sequenceNumber,
          approximateArrivalOfFirstRecord: new Date(first!.arrivalMs).toISOString(),
          approximateArrivalOfLastRecord: new Date(last.arrivalMs).toISOString(),
          batchSize: records.length,
          streamArn: settings.sourceArn,
        },
      },
    });
  }
}

function eventRecord(shardId: string, record: _Record): KinesisEventRecord {
  return {
    shardId,
    sequenceNumber: record.SequenceNumber ?? "",
    partitionKey: record.PartitionKey ?? "",
    data: Buffer.from(record.Data ?? []).toString("base64"),
    arrivalMs: record.ApproximateArrivalTimestamp?.getTime() ?? Date.now(),
  };
}

/** The event of one batch, as JSON text. */
export function kinesisEvent(
  sourceArn: string,
  region: string,
  records: readonly KinesisEventRecord[],
): string {
  return JSON.stringify({
    Records: records.map(({ shardId, sequenceNumber, partitionKey, data, arrivalMs }) => ({
      kinesis: {
        kinesisSchemaVersion: "1.0",
        partitionKey,
        sequenceNumber,
        data,
        approximateArrivalTimestamp: arrivalMs / 1000,
      },
      eventSource: "aws:kinesis",
      eventVersion: "1.0",
      eventID: `${shardId}:${sequenceNumber}`,
      eventName: "aws:kinesis:record",
      invokeIdentityArn: "arn:aws:iam::000000000000:role/local",
      awsRegion: region,
      eventSourceARN: sourceArn,
    })),
  });
}
