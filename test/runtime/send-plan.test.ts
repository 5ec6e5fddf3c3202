import { createRequire } from "node:module";
import { type Message, Partitioners, type PartitionMetadata } from "kafkajs";
import { describe, expect, test } from "vitest";
import { maxMessageBytes } from "../../contracts/limits.ts";
import {
  checkAcknowledged,
  type OutgoingRecord,
  planPartitionSends,
  planSends,
} from "../../runtime/send-plan.ts";

const counts = new Map([
  ["results", 4],
  ["late", 3],
]);
const UNKEYED_HASH = 5;

const groupMessages = createRequire(import.meta.url)("kafkajs/src/producer/groupMessagesPerPartition.js") as (
  send: object,
) => Record<string, Message[]>;

const record = (fields: Partial<OutgoingRecord> & { valueBytes?: number } = {}): OutgoingRecord => ({
  topic: "results",
  key: Buffer.from("JFK"),
  value: Buffer.alloc(fields.valueBytes ?? 10),
  headers: {},
  ...fields,
});

const plan = (records: readonly OutgoingRecord[]) => planSends(records, counts, UNKEYED_HASH);
const sizes = (records: readonly OutgoingRecord[]) =>
  plan(records).map(({ topicMessages }) =>
    topicMessages.reduce((sum, { messages }) => sum + messages.length, 0),
  );

test("with one partition a send, a partition's sends follow each other, in order", () => {
  const records = [
    record({ partition: 2 }),
    record({ topic: "late", key: null }),
    record({ partition: 2, valueBytes: 900_000 }),
    record({ partition: 0 }),
    record({ partition: 2, valueBytes: 900_000 }),
  ];
  const planned = planPartitionSends(records, counts, UNKEYED_HASH);

  expect(planned.map(({ partitions }) => [...partitions])).toEqual([
    ["results/2"],
    ["results/2"],
    ["late/2"],
    ["results/0"],
  ]);
  expect(planned.map((send) => send.records)).toEqual([
    [records[0], records[2]],
    [records[4]],
    [records[1]],
    [records[3]],
  ]);
});

test("kafkajs groups a send of one partition as it would by itself, and copies nothing", () => {
  const [{ topicMessages } = { topicMessages: [] }] = planPartitionSends(
    Array.from({ length: 2_000 }, () => record()),
    counts,
    UNKEYED_HASH,
  );
  const { topic, messages } = topicMessages[0]!;
  expect(messages).toHaveLength(2_000);
  const partitionMetadata = Array.from({ length: 4 }, () => ({}) as PartitionMetadata);
  const partitioner = Partitioners.DefaultPartitioner();
  const grouped = groupMessages({ topic, partitionMetadata, partitioner, messages });
  const byItself = groupMessages({ topic, partitionMetadata, partitioner, messages: [...messages] });
  expect(Object.keys(grouped)).toEqual(Object.keys(byItself));
  expect(grouped).toEqual(byItself);
  expect(Object.values(grouped)[0]).toBe(messages);
});

test("with one partition a send, as many messages go out at once as a batch may have bytes", () => {
  const sizesOf = (records: OutgoingRecord[]) =>
    planPartitionSends(records, counts, UNKEYED_HASH).map((send) => send.records.length);
  expect(sizesOf(Array.from({ length: 10_001 }, () => record()))).toEqual([10_000, 1]);
  expect(sizesOf([record(), record({ valueBytes: 2_000_000 }), record()])).toEqual([1, 1, 1]);
  const headers = { reason: "x".repeat(maxMessageBytes / 2) };
  expect(sizesOf([record({ headers }), record({ headers }), record()])).toEqual([1, 2]);
});

describe("planning sends", () => {
  test("nothing to write takes no send", () => {
    expect(plan([])).toEqual([]);
  });

  test("keys go where Kafka clients put them", () => {
    const partitionMetadata = Array.from({ length: 4 }, () => ({}) as PartitionMetadata);
    const partitioner = Partitioners.DefaultPartitioner();
    for (const text of ["JFK", "a", "", "naïve", "a longer key than the others"]) {
      const key = Buffer.from(text);
      const expected = partitioner({ topic: "results", partitionMetadata, message: { key, value: null } });
      expect([...plan([record({ key })])[0]!.partitions]).toEqual([`results/${expected}`]);
    }
  });

  test("a partition that is given is kept, and a record without key or partition goes by the task's hash", () => {
    const [send] = plan([record({ partition: 2 }), record({ topic: "late", key: null })]);
    expect([...send!.partitions]).toEqual(["results/2", "late/2"]);
    expect(send!.topicMessages.map(({ messages }) => messages.map(({ partition }) => partition))).toEqual([
      [2],
      [2],
    ]);
  });

  test("a send takes at most 1,000 messages", () => {
    expect(sizes(Array.from({ length: 2_001 }, () => record()))).toEqual([1_000, 1_000, 1]);
  });

  test("a partition's share of a send stays below max.message.bytes", () => {
    expect(sizes([record({ valueBytes: 600_000 }), record({ valueBytes: 600_000 })])).toEqual([1, 1]);
    expect(sizes([record({ valueBytes: 600_000 }), record({ valueBytes: 600_000, partition: 0 })])).toEqual([
      2,
    ]);
    const headers = { reason: "x".repeat(maxMessageBytes / 2) };
    expect(sizes([record({ headers }), record({ headers })])).toEqual([1, 1]);
  });

  test("a record that is too large by itself goes alone in its batch", () => {
    expect(sizes([record(), record({ valueBytes: 2_000_000 }), record()])).toEqual([1, 1, 1]);
  });

  test("a full partition holds no other back, and keeps its own order", () => {
    const ofSize = (partition: number, valueBytes: number) => record({ partition, valueBytes });
    const sends = plan([
      ofSize(0, 600_000),
      ofSize(0, 600_001),
      ofSize(0, 1),
      ofSize(1, 2),
      ofSize(0, 600_002),
    ]);
    expect(sends.map(({ records }) => records.map(({ value }) => value!.length))).toEqual([
      [600_000, 2],
      [600_001, 1],
      [600_002],
    ]);
  });

  test("bytes are handed over as they are", () => {
    const key = Buffer.from("-LGA-").subarray(1, 4);
    const [send] = plan([record({ key, value: null, headers: { type: "count" } })]);
    expect(send!.topicMessages[0]!.messages).toEqual([
      { key: Buffer.from("LGA"), value: null, headers: { type: "count" }, partition: expect.any(Number) },
    ]);
  });
});

describe("an answer to a send", () => {
  const [send] = plan([record({ partition: 0 }), record({ partition: 2 })]);
  const answer = (partition: number, errorCode = 0) => ({ topicName: "results", partition, errorCode });

  test("is taken where it holds every partition", () => {
    expect(() => checkAcknowledged(send!, [answer(0), answer(2)])).not.toThrow();
  });

  test.each([
    ["leaves a partition out", [answer(0)]],
    ["holds an error for one", [answer(0), answer(2, 6)]],
  ])("is refused where it %s", (_, answers) => {
    expect(() => checkAcknowledged(send!, answers)).toThrow("Kafka did not acknowledge results/2.");
  });
});
