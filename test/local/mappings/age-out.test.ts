/** A stream's mapping whose function keeps failing: what is too old goes whole to the bucket, and nothing vanishes. */
import { GetObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import type { InvokeResult } from "../../../local/functions/function.ts";
import { toBucket } from "../../../local/mappings/destination.ts";
import { type KinesisEventRecord, kinesisEvent } from "../../../local/mappings/kinesis-poller.ts";
import { deliverStreamBatch } from "../../../local/mappings/stream-batch.ts";
import { startCheckpointStorage, type TestStorage } from "../../support/checkpoint-storage.ts";

const HOUR_MS = 3_600_000;
const MAX_AGE_MS = 144 * HOUR_MS;
const SHARD = "shardId-000000000001";
const STREAM_ARN = "arn:aws:kinesis:eu-central-1:111111111111:stream/spillway";

let storage: TestStorage;
beforeAll(async () => {
  storage = await startCheckpointStorage();
});
afterAll(() => storage.close());

let nowMs: number;
/** For so many calls the function gives its whole batch back. */
let failing: number;
let taken: string[];
beforeEach(() => {
  nowMs = 0;
  failing = Number.POSITIVE_INFINITY;
  taken = [];
});

const record = (index: number, arrivalMs: number): KinesisEventRecord => ({
  shardId: SHARD,
  sequenceNumber: String(index),
  partitionKey: "1",
  data: Buffer.from(`e-${index}`).toString("base64"),
  arrivalMs,
});

async function invoke(event: string): Promise<InvokeResult> {
  const { Records } = JSON.parse(event) as {
    Records: { kinesis: { sequenceNumber: string; data: string } }[];
  };
  const failures = failing-- > 0 ? [{ itemIdentifier: Records[0]!.kinesis.sequenceNumber }] : [];
  if (failures.length === 0)
    taken.push(...Records.map(({ kinesis }) => String(Buffer.from(kinesis.data, "base64"))));
  return { kind: "answer", payload: JSON.stringify({ batchItemFailures: failures }) };
}

/** Delivers a batch as the mapping does, its pauses in virtual time. */
const deliver = (records: readonly KinesisEventRecord[], mapping: string): Promise<void> =>
  deliverStreamBatch(records, {
    invoke: (part) => invoke(kinesisEvent(STREAM_ARN, "eu-central-1", part)),
    reportsItemFailures: true,
    bisects: false,
    maxRetries: undefined,
    maxRecordAgeMs: MAX_AGE_MS,
    discard: (part, condition) =>
      toBucket(
        storage.s3,
        storage.bucket,
        mapping,
      )({
        shardId: SHARD,
        record: { requestContext: { condition } },
        payload: kinesisEvent(STREAM_ARN, "eu-central-1", part),
      }),
    sleep: async (ms) => {
      nowMs += ms;
    },
    nowMs: () => nowMs,
  });

/** The functions' events that lie in the bucket. */
async function agedOut(mapping: string): Promise<string[]> {
  const { Contents = [] } = await storage.s3.send(
    new ListObjectsV2Command({ Bucket: storage.bucket, Prefix: `aws/lambda/${mapping}/${SHARD}/` }),
  );
  return Promise.all(
    Contents.map(async ({ Key }) => {
      const { Body } = await storage.s3.send(new GetObjectCommand({ Bucket: storage.bucket, Key: Key! }));
      const object = JSON.parse(await Body!.transformToString());
      expect(object.requestContext.condition).toBe("RecordAgeExceeded");
      return object.payload as string;
    }),
  );
}

it("goes to the bucket as it becomes too old, whole, so that the function can be given it again", async () => {
  await deliver([record(0, 0), record(1, HOUR_MS), record(2, 30 * HOUR_MS)], "m-1");
  const filed = await agedOut("m-1");
  expect(filed).toHaveLength(3);
  expect(taken).toEqual([]);
  failing = 0;
  for (const event of filed) await invoke(event);
  expect(taken.toSorted()).toEqual(["e-0", "e-1", "e-2"]);
});

it("files only what is too old; what came later is delivered once the function is well", async () => {
  nowMs = MAX_AGE_MS + 1;
  failing = 3;
  await deliver([record(0, 0), record(1, HOUR_MS), record(2, HOUR_MS)], "m-2");
  expect(await agedOut("m-2")).toHaveLength(1);
  expect(taken).toEqual(["e-1", "e-2"]);
});
