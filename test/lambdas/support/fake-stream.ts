/** A stand-in for the Kinesis client: it remembers what it took, and refuses what it is told to. */
import type { KinesisClient, PutRecordsCommand, PutRecordsRequestEntry } from "@aws-sdk/client-kinesis";
import { type SpilledBatch, type SpilledEvent, unpackSpilled } from "../../../contracts/spillway-record.ts";

/** Which records of a request are refused, by their place; or a rejection. */
export type Refusal = (records: readonly PutRecordsRequestEntry[]) => readonly number[] | Promise<never>;

export class FakeStream {
  readonly taken: PutRecordsRequestEntry[] = [];
  readonly requests: (readonly PutRecordsRequestEntry[])[] = [];
  /** For the next requests, one each; after them everything is taken. */
  readonly next: Refusal[] = [];
  always: Refusal | undefined;

  get batches(): SpilledBatch[] {
    return this.taken.map(({ Data }) => {
      const batch = unpackSpilled(Buffer.from(Data!));
      if (typeof batch === "string") throw new Error(batch);
      return batch;
    });
  }

  /** The events in what was taken, in order. */
  get events(): SpilledEvent[] {
    return this.batches.flatMap(({ events }) => events);
  }

  readonly send = (async (command: PutRecordsCommand) => {
    const records = command.input.Records ?? [];
    this.requests.push(records);
    const refused = new Set(await (this.next.shift() ?? this.always)?.(records));
    this.taken.push(...records.filter((_, index) => !refused.has(index)));
    return {
      FailedRecordCount: refused.size,
      Records: records.map((_, index) =>
        refused.has(index)
          ? { ErrorCode: "ProvisionedThroughputExceededException" }
          : { SequenceNumber: String(this.taken.length), ShardId: "shardId-0" },
      ),
    };
  }) as unknown as KinesisClient["send"];
}
