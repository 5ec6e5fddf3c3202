import { describe, expect, it } from "vitest";
import { maxMessageBytes } from "../../../contracts/limits.ts";
import { partitionOf } from "../../../contracts/partitioning.ts";
import { EventPublisher } from "../../../lambdas/ingest/publisher.ts";
import type { OutgoingEvent } from "../../../lambdas/ingest/send-plan.ts";
import { partitionCounts, send } from "../support/door.ts";
import { batch, flight, structured } from "../support/events.ts";
import { FakeKafka } from "../support/fake-kafka.ts";

const TIMEOUT_MS = 5_000;
/** Enough for one attempt, so that tests of the deadline end soon. */
const SHORT_MS = 20;

const event = (key: string, bytes = 10, topic = "flights"): OutgoingEvent => ({
  topic,
  key: Buffer.from(key),
  value: Buffer.alloc(bytes, key),
});

const publisherOf = (kafka: FakeKafka): EventPublisher => new EventPublisher(kafka, partitionCounts);
const never = (): Promise<never> => new Promise(() => {});

describe("publishing", () => {
  it("carries a request in one send, each key in the partition of Kafka's default partitioner", async () => {
    const kafka = new FakeKafka();
    const keys = Array.from({ length: 500 }, (_, index) => `key-${index}`);
    const events = keys.flatMap((key) => [event(key), event(key, 10, "user-activity")]);
    await publisherOf(kafka).publish(events, TIMEOUT_MS);
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
    const large = Array.from({ length: 5 }, (_, index) => event("ATL", third + index));
    await publisherOf(kafka).publish([...large, event("LAX")], TIMEOUT_MS);
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
    for (let request = 0; request < 5; request += 1) await publisher.publish([event("ATL")], TIMEOUT_MS);
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
    await publisherOf(kafka).publish([event("ATL")], TIMEOUT_MS);
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
    await publisher.publish([event("ATL")], TIMEOUT_MS);
    await publisher.publish([event("ATL")], TIMEOUT_MS);
    expect(kafka.producers).toEqual([
      { connects: 1, disconnects: 1 },
      { connects: 1, disconnects: 0 },
    ]);
  });

  it("sends again only what is not known to be written", async () => {
    const kafka = new FakeKafka();
    const half = Math.floor(maxMessageBytes / 2);
    const events = [event("ATL", half), event("ATL", half + 1)];
    const publisher = publisherOf(kafka);
    kafka.next.push(() => [
      { topicName: "flights", partition: partitionOf(events[0]!.key, 4), errorCode: 0 },
    ]);
    kafka.next.push(() => Promise.reject(new Error("gone")));
    await publisher.publish(events, TIMEOUT_MS);
    expect(kafka.messages.map(({ message }) => message.value!.length)).toEqual([half, half + 1, half + 1]);
  });

  it("plans again where the topic has more partitions than its definition", async () => {
    const kafka = new FakeKafka();
    kafka.partitionCount = 12;
    await publisherOf(kafka).publish([event("ORD")], TIMEOUT_MS);
    expect(kafka.messages.at(-1)!.message.partition).toBe(partitionOf(Buffer.from("ORD"), 12));
  });

  it("gives up at the deadline, with Kafka's error as the cause", async () => {
    const kafka = new FakeKafka();
    const gone = new Error("gone");
    kafka.next.push(...Array(1_000).fill(() => Promise.reject(gone)));
    await expect(publisherOf(kafka).publish([event("ATL")], SHORT_MS)).rejects.toMatchObject({
      code: "KAFKA_UNAVAILABLE",
      cause: gone,
    });
  });

  it("gives up at the deadline where Kafka does not answer, and starts afresh with the next request", async () => {
    const kafka = new FakeKafka();
    kafka.next.push(never);
    const publisher = publisherOf(kafka);
    await expect(publisher.publish([event("ATL")], SHORT_MS)).rejects.toMatchObject({
      code: "KAFKA_UNAVAILABLE",
    });
    await publisher.publish([event("ATL")], TIMEOUT_MS);
    expect(kafka.producers).toHaveLength(2);
  });
});

describe("the answer where Kafka is away", () => {
  it.each([
    ["one event", structured(flight)],
    ["a batch with a refused event", batch([flight, { ...flight, type: "x" }])],
  ])("is 503 with Retry-After for %s, and accepts nothing", async (_, request) => {
    const kafka = new FakeKafka();
    kafka.next.push(never);
    const answer = await send(request, kafka, 1_000 + SHORT_MS);
    expect(answer).toMatchObject({
      status: 503,
      headers: { "content-type": "application/problem+json", "retry-after": "5" },
      body: { type: "urn:spillway:problem:unavailable" },
    });
    expect(answer.body.accepted).toBeUndefined();
  });

  it("does not depend on Kafka where no event is accepted", async () => {
    const kafka = new FakeKafka();
    kafka.next.push(never);
    expect((await send(structured({ ...flight, type: "x" }), kafka)).status).toBe(422);
  });
});
