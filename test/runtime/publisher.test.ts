import { describe, expect, it } from "vitest";
import { maxMessageBytes } from "../../contracts/limits.ts";
import { partitionOf } from "../../contracts/partitioning.ts";
import { RecordPublisher } from "../../runtime/publisher.ts";
import type { OutgoingRecord } from "../../runtime/send-plan.ts";
import { FakeKafka } from "../lambdas/support/fake-kafka.ts";

const TIMEOUT_MS = 5_000;
/** Enough for one attempt, so that tests of the deadline end soon. */
const SHORT_MS = 20;

const partitionCounts: ReadonlyMap<string, number> = new Map([
  ["flights", 4],
  ["user-activity", 4],
]);

const record = (key: string, bytes = 10, topic = "flights"): OutgoingRecord => ({
  topic,
  key: Buffer.from(key),
  value: Buffer.alloc(bytes, key),
  headers: { "content-type": "text/plain" },
});

const publisherOf = (kafka: FakeKafka): RecordPublisher => new RecordPublisher(kafka, partitionCounts);
const never = (): Promise<never> => new Promise(() => {});

describe("publishing", () => {
  it("carries 1,000 records in one send, each key in the partition of Kafka's default partitioner", async () => {
    const kafka = new FakeKafka();
    const keys = Array.from({ length: 500 }, (_, index) => `key-${index}`);
    const records = keys.flatMap((key) => [record(key), record(key, 10, "user-activity")]);
    await publisherOf(kafka).publish(records, TIMEOUT_MS);
    expect(kafka.sends).toHaveLength(1);
    expect(kafka.sends[0]).toMatchObject({ acks: -1 });
    expect(kafka.messages).toHaveLength(1_000);
    for (const { message } of kafka.messages) {
      expect(message.partition).toBe(partitionOf(message.key as Buffer, 4));
    }
  });

  it("splits only what exceeds a partition's message limit, in order", async () => {
    const kafka = new FakeKafka();
    const third = Math.floor(maxMessageBytes / 3);
    const large = Array.from({ length: 5 }, (_, index) => record("ATL", third + index));
    await publisherOf(kafka).publish([...large, record("LAX")], TIMEOUT_MS);
    const sizes = kafka.sends.map(({ topicMessages }) =>
      topicMessages!.flatMap(({ messages }) => messages.map(({ value }) => value!.length)),
    );
    expect(sizes).toEqual([[third, third + 1, 10], [third + 2, third + 3], [third + 4]]);
  });

  it("sends nothing where there is nothing", async () => {
    const kafka = new FakeKafka();
    await publisherOf(kafka).publish([], TIMEOUT_MS);
    expect(kafka.producers).toEqual([]);
  });

  it("makes the producer once, and uses it for all requests", async () => {
    const kafka = new FakeKafka();
    const publisher = publisherOf(kafka);
    for (let request = 0; request < 5; request += 1) await publisher.publish([record("ATL")], TIMEOUT_MS);
    expect(kafka.producers).toEqual([{ connects: 1, disconnects: 0 }]);
  });
});

describe("publishing after a failure", () => {
  it.each([
    ["a send that rejects", (kafka: FakeKafka) => kafka.next.push(() => Promise.reject(new Error("gone")))],
    ["a partition without an answer", (kafka: FakeKafka) => kafka.next.push(() => [])],
    [
      "a partition with an error",
      (kafka: FakeKafka) => kafka.next.push(() => [{ topicName: "flights", partition: 0, errorCode: 6 }]),
    ],
    ["a connection that fails", (kafka: FakeKafka) => kafka.connectErrors.push(new Error("refused"))],
  ])("sends again after %s", async (_, fail) => {
    const kafka = new FakeKafka();
    fail(kafka);
    await publisherOf(kafka).publish([record("ATL")], TIMEOUT_MS);
    const last = kafka.sends.at(-1)!;
    expect(last.topicMessages).toMatchObject([{ topic: "flights", messages: [{ key: Buffer.from("ATL") }] }]);
  });

  it.each([
    ["failed", () => Promise.reject(new Error("gone"))],
    ["left a partition out, as its metadata is stale", () => []],
  ])("replaces a producer whose send %s, and closes it", async (_, behaviour) => {
    const kafka = new FakeKafka();
    const publisher = publisherOf(kafka);
    kafka.next.push(behaviour);
    await publisher.publish([record("ATL")], TIMEOUT_MS);
    await publisher.publish([record("ATL")], TIMEOUT_MS);
    expect(kafka.producers).toEqual([
      { connects: 1, disconnects: 1 },
      { connects: 1, disconnects: 0 },
    ]);
  });

  it("sends again only what is not known to be written", async () => {
    const kafka = new FakeKafka();
    const half = Math.floor(maxMessageBytes / 2);
    const records = [record("ATL", half), record("ATL", half + 1)];
    const publisher = publisherOf(kafka);
    kafka.next.push(() => [
      { topicName: "flights", partition: partitionOf(records[0]!.key!, 4), errorCode: 0 },
    ]);
    kafka.next.push(() => Promise.reject(new Error("gone")));
    await publisher.publish(records, TIMEOUT_MS);
    expect(kafka.messages.map(({ message }) => message.value!.length)).toEqual([half, half + 1, half + 1]);
  });

  it("plans again where the topic has more partitions than its definition", async () => {
    const kafka = new FakeKafka();
    kafka.partitionCount = 12;
    await publisherOf(kafka).publish([record("ORD")], TIMEOUT_MS);
    expect(kafka.messages.at(-1)!.message.partition).toBe(partitionOf(Buffer.from("ORD"), 12));
  });

  it("gives up at the deadline, with Kafka's error as the cause", async () => {
    const kafka = new FakeKafka();
    const gone = new Error("gone");
    kafka.next.push(...Array(1_000).fill(() => Promise.reject(gone)));
    await expect(publisherOf(kafka).publish([record("ATL")], SHORT_MS)).rejects.toMatchObject({
      code: "KAFKA_UNAVAILABLE",
      cause: gone,
    });
  });

  it("gives up at the deadline where Kafka does not answer, and starts afresh with the next request", async () => {
    const kafka = new FakeKafka();
    kafka.next.push(never);
    const publisher = publisherOf(kafka);
    await expect(publisher.publish([record("ATL")], SHORT_MS)).rejects.toMatchObject({
      code: "KAFKA_UNAVAILABLE",
    });
    await publisher.publish([record("ATL")], TIMEOUT_MS);
    expect(kafka.producers).toHaveLength(2);
  });
});
