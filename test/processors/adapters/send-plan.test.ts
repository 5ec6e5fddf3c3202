import { Partitioners, type PartitionMetadata } from "kafkajs";
import { describe, expect, test } from "vitest";
import { planSends } from "../../../processors/adapters/send-plan.ts";
import type { OutputRecord } from "../../../processors/engine/log/port.ts";

const counts = new Map([
  ["results", 4],
  ["late", 3],
]);
const UNKEYED_HASH = 5;

const output = (fields: Partial<OutputRecord> & { valueBytes?: number } = {}): OutputRecord => ({
  topic: "results",
  key: Buffer.from("JFK"),
  value: Buffer.alloc(fields.valueBytes ?? 10),
  headers: {},
  ...fields,
});

const plan = (outputs: readonly OutputRecord[]) => planSends(outputs, counts, UNKEYED_HASH);
const sizes = (outputs: readonly OutputRecord[]) =>
  plan(outputs).map(({ topicMessages }) =>
    topicMessages.reduce((sum, { messages }) => sum + messages.length, 0),
  );

describe("planning the sends of a commit", () => {
  test("nothing to write takes no send", () => {
    expect(plan([])).toEqual([]);
  });

  test("keys go where Kafka clients put them", () => {
    const partitionMetadata = Array.from({ length: 4 }, () => ({}) as PartitionMetadata);
    const partitioner = Partitioners.DefaultPartitioner();
    for (const text of ["JFK", "a", "", "naïve", "a longer key than the others"]) {
      const key = Buffer.from(text);
      const expected = partitioner({ topic: "results", partitionMetadata, message: { key, value: null } });
      expect([...plan([output({ key })])[0]!.partitions]).toEqual([`results/${expected}`]);
    }
  });

  test("a partition that is given is kept, and a record without key or partition goes by the task's hash", () => {
    const [send] = plan([output({ partition: 2 }), output({ topic: "late", key: null })]);
    expect([...send!.partitions]).toEqual(["results/2", "late/2"]);
    expect(send!.topicMessages.map(({ messages }) => messages.map(({ partition }) => partition))).toEqual([
      [2],
      [2],
    ]);
  });

  test("a send takes at most 1,000 messages", () => {
    expect(sizes(Array.from({ length: 2_001 }, () => output()))).toEqual([1_000, 1_000, 1]);
  });

  test("a partition's share of a send stays below max.message.bytes", () => {
    expect(sizes([output({ valueBytes: 600_000 }), output({ valueBytes: 600_000 })])).toEqual([1, 1]);
    expect(sizes([output({ valueBytes: 600_000 }), output({ valueBytes: 600_000, partition: 0 })])).toEqual([
      2,
    ]);
    const headers = { reason: "x".repeat(500_000) };
    expect(sizes([output({ headers }), output({ headers })])).toEqual([1, 1]);
  });

  test("a record that is too large by itself goes alone in its batch", () => {
    expect(sizes([output(), output({ valueBytes: 2_000_000 }), output()])).toEqual([1, 1, 1]);
  });

  test("bytes are handed over as they are", () => {
    const key = Buffer.from("-LGA-").subarray(1, 4);
    const [send] = plan([output({ key, value: null, headers: { type: "count" } })]);
    expect(send!.topicMessages[0]!.messages).toEqual([
      { key: Buffer.from("LGA"), value: null, headers: { type: "count" }, partition: expect.any(Number) },
    ]);
  });
});
