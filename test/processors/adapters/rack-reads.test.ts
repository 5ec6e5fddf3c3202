/** Reads from the replica in one's own zone (KIP-392), and that nothing depends on it: two brokers, of which one is killed. */
import { randomUUID } from "node:crypto";
import { type Consumer, Kafka, type Producer } from "kafkajs";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { KafkaLog } from "../../../processors/adapters/kafka-log.ts";
import type { GroupMembership, RecordBatch } from "../../../processors/engine/log/port.ts";
import { createKafka } from "../../../runtime/kafka.ts";
import { joinBroker, startKafka, type TestKafka } from "../../support/kafka.ts";
import { untilCoordinating } from "../../support/kafka-topics.ts";

const FOLLOWER = 2;
const FOLLOWER_RACK = "zone-2";

let first: TestKafka;
let follower: Awaited<ReturnType<typeof joinBroker>>;
let kafka: Kafka;
let producer: Producer;
beforeAll(async () => {
  first = await startKafka();
  kafka = createKafka({ clientId: "test", bootstrapServers: first.bootstrapServers });
  producer = kafka.producer({ transactionalId: randomUUID(), maxInFlightRequests: 1, idempotent: true });
  // Kafka's own topics are made now, on the broker that stays.
  await untilCoordinating(kafka);
  await producer.connect();
  follower = await joinBroker(first, FOLLOWER, FOLLOWER_RACK);
});
afterAll(async () => {
  await producer?.disconnect();
  await follower?.stop();
  await first?.stop();
});

let topic: string;
beforeEach(async () => {
  topic = `t-${randomUUID()}`;
  const admin = kafka.admin();
  await admin.connect();
  const replicaAssignment = [{ partition: 0, replicas: [1, FOLLOWER] }];
  // A broker that listens is not at once one that may hold a copy.
  await vi.waitFor(
    () => admin.createTopics({ waitForLeaders: false, topics: [{ topic, replicaAssignment }] }),
    { timeout: 60_000, interval: 200 },
  );
  await vi.waitFor(() => admin.fetchTopicOffsets(topic), { timeout: 60_000 });
  await admin.disconnect();
});

async function write(end: "commit" | "abort", ...values: readonly string[]): Promise<void> {
  const transaction = await producer.transaction();
  await transaction.send({ topic, messages: values.map((value) => ({ value })) });
  await transaction[end]();
}

/** A member of a group that reads the topic from its beginning, in a rack. */
async function read(rackId: string) {
  const fetchedFrom: string[] = [];
  const values: string[] = [];
  const crashes: Error[] = [];
  const make = vi.spyOn(Kafka.prototype, "consumer");
  const log = new KafkaLog({ bootstrapServers: first.bootstrapServers, clientId: "test", rackId });
  let membership: GroupMembership | undefined;
  const joined = log.join(randomUUID(), [topic], {
    onAssigned: () => undefined,
    onLost: () => undefined,
    onBatch: (batch: RecordBatch) => {
      for (let index = 0; index < batch.count; index++) values.push(String(batch.value(index)));
    },
    onCrash: (error) => void crashes.push(error),
  });
  membership = await joined;
  const consumer = make.mock.results[0]!.value as Consumer;
  consumer.on(consumer.events.REQUEST, ({ payload: { apiName, broker } }) => {
    if (apiName === "Fetch") fetchedFrom.push(broker);
  });
  const options = make.mock.calls[0]![0];
  make.mockRestore();
  membership.seek({ topic, partition: 0, offset: 0 });
  membership.resume([{ topic, partition: 0 }]);
  const leave = async () => {
    await membership.leave();
    await log.close();
  };
  return { options, values, fetchedFrom, crashes, leave };
}

const until = (condition: () => void): Promise<void> =>
  vi.waitFor(condition, { timeout: 60_000, interval: 50 });

test("what is committed is read from the follower in the own rack, and from the leader once that is gone", {
  timeout: 120_000,
}, async () => {
  await write("commit", "a", "b");
  await write("abort", "not this", "nor this");
  const reader = await read(FOLLOWER_RACK);
  expect(reader.options).toMatchObject({ rackId: FOLLOWER_RACK });
  try {
    await until(() => expect(reader.values).toEqual(["a", "b"]));
    await until(() => expect(reader.fetchedFrom.at(-1)).toBe(follower.address));

    reader.fetchedFrom.length = 0;
    await write("abort", "never");
    await write("commit", "c");
    await until(() => expect(reader.values).toEqual(["a", "b", "c"]));
    expect(new Set(reader.fetchedFrom)).toEqual(new Set([follower.address]));

    await follower.stop();
    const plain = kafka.producer();
    await plain.connect();
    // The leader alone: the follower counts as in sync for some seconds yet.
    await plain.send({ topic, acks: 1, messages: [{ value: "d" }] });
    await plain.disconnect();
    await until(() => expect(reader.values).toEqual(["a", "b", "c", "d"]));
    expect(reader.crashes).toEqual([]);
  } finally {
    await reader.leave();
  }
});
