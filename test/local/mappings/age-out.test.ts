/** A stream's mapping whose function keeps failing: what is too old goes whole to the bucket, and nothing vanishes. */
import { GetObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import type { KinesisStreamEvent } from "aws-lambda";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { packSpilled } from "../../../contracts/spillway-record.ts";
import { forward } from "../../../lambdas/forward/forward.ts";
import type { InvokeResult } from "../../../local/functions/function.ts";
import { toBucket } from "../../../local/mappings/destination.ts";
import { type KinesisEventRecord, kinesisEvent } from "../../../local/mappings/kinesis-poller.ts";
import { deliverStreamBatch } from "../../../local/mappings/stream-batch.ts";
import { RecordPublisher } from "../../../runtime/publisher.ts";
import { partitionCounts } from "../../lambdas/support/door.ts";
import { FakeKafka } from "../../lambdas/support/fake-kafka.ts";
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
let kafka: FakeKafka;
beforeEach(() => {
  nowMs = 0;
  kafka = new FakeKafka();
});

const record = (index: number, arrivalMs: number, data: Buffer): KinesisEventRecord => ({
  shardId: SHARD,
  sequenceNumber: String(index),
  partitionKey: "1",
  data: data.toString("base64"),
  arrivalMs,
});

const spilled = (index: number, arrivalMs: number): KinesisEventRecord => {
  const value = Buffer.from(JSON.stringify({ id: `e-${index}` }));
  const events = [{ topic: "flights", key: Buffer.from("ATL"), value }];
  return record(index, arrivalMs, packSpilled({ arrivalMs, producer: "airline", events })[0]!);
};

/** The forward function with Kafka as it is. Its time is over at once where Kafka does not answer. */
async function invoke(event: string): Promise<InvokeResult> {
  const { response } = await forward(JSON.parse(event) as KinesisStreamEvent, {
    publisher: new RecordPublisher(kafka, new Map([...partitionCounts, ["dead-letters", 4]])),
    signals: async () => [],
    sleep: async () => undefined,
    now: () => nowMs,
    remainingMs: () => 2_010,
  });
  return { kind: "answer", payload: JSON.stringify(response) };
}

/** Delivers a batch as the mapping does, its pauses in virtual time. */
const deliver = (records: readonly KinesisEventRecord[], bucketPrefix: string): Promise<void> =>
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
        bucketPrefix,
      )({
        shardId: SHARD,
        record: { requestContext: { condition } },
        payload: kinesisEvent(STREAM_ARN, "eu-central-1", part),
      }),
    // As if the pauses were hours: it is the number of attempts that costs a test time.
    sleep: async (ms) => {
      nowMs += ms * 3_600;
    },
    nowMs: () => nowMs,
  });

async function agedOut(prefix: string): Promise<KinesisStreamEvent[]> {
  const { Contents = [] } = await storage.s3.send(
    new ListObjectsV2Command({ Bucket: storage.bucket, Prefix: `aws/lambda/${prefix}/${SHARD}/` }),
  );
  return Promise.all(
    Contents.map(async ({ Key }) => {
      const { Body } = await storage.s3.send(new GetObjectCommand({ Bucket: storage.bucket, Key: Key! }));
      return JSON.parse(JSON.parse(await Body!.transformToString()).payload) as KinesisStreamEvent;
    }),
  );
}

const away = () => {
  kafka.next.push(...Array.from({ length: 1_000 }, () => () => Promise.reject(new Error("away"))));
};
const ids = () => kafka.events.map(({ id }) => id);

it("goes to the bucket as it becomes too old, and can be given to the function again from there", async () => {
  away();
  await deliver([spilled(0, 0), spilled(1, HOUR_MS), spilled(2, 30 * HOUR_MS)], "m-1");
  kafka = new FakeKafka();
  const filed = await agedOut("m-1");
  expect(
    filed.flatMap(({ Records }) => Records.map(({ kinesis }) => kinesis.sequenceNumber)).toSorted(),
  ).toEqual(["0", "1", "2"]);
  for (const event of filed) {
    expect(await invoke(JSON.stringify(event))).toEqual({
      kind: "answer",
      payload: '{"batchItemFailures":[]}',
    });
  }
  expect(ids().toSorted()).toEqual(["e-0", "e-1", "e-2"]);
});

it("holds back nothing once Kafka is there again: what was not too old is delivered, in its order", async () => {
  away();
  kafka.next.splice(3);
  await deliver([spilled(0, 0), spilled(1, 0), spilled(2, 0)], "m-2");
  expect(await agedOut("m-2")).toEqual([]);
  expect([...new Set(ids())]).toEqual(["e-0", "e-1", "e-2"]);
});

it("lets a poisoned record in the middle of the shard pass as a dead letter, and the others beside it", async () => {
  const poison = Buffer.from("poison");
  await deliver([spilled(0, 0), record(1, 0, poison), spilled(2, 0)], "m-3");
  expect(await agedOut("m-3")).toEqual([]);
  const on = (topic: string) =>
    kafka.messages.filter((sent) => sent.topic === topic).map(({ message }) => String(message.value));
  expect(on("flights")).toEqual(['{"id":"e-0"}', '{"id":"e-2"}']);
  expect(on("dead-letters")).toEqual(["poison"]);
});
