/** What starts and resets ask of Kafka, on a real one. */
import { randomUUID } from "node:crypto";
import type { Admin, Kafka } from "kafkajs";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { KafkaGroups } from "../../../processors/adapters/kafka-groups.ts";
import { KafkaLog } from "../../../processors/adapters/kafka-log.ts";
import { createKafka } from "../../../runtime/kafka.ts";
import { startKafka, type TestKafka } from "../../support/kafka.ts";
import { createTopic, produce, readCommitted, untilCoordinating } from "../../support/kafka-topics.ts";

let broker: TestKafka;
let client: Kafka;
let admin: Admin;
let log: KafkaLog;
let groups: KafkaGroups;
beforeAll(async () => {
  broker = await startKafka();
  client = createKafka({ clientId: "test", bootstrapServers: broker.bootstrapServers });
  await untilCoordinating(client);
  admin = client.admin();
  await admin.connect();
  log = new KafkaLog({ bootstrapServers: broker.bootstrapServers, clientId: "test" });
  groups = new KafkaGroups(admin);
});
afterAll(async () => {
  await log?.close();
  await admin?.disconnect();
  await broker?.stop();
});

let topic: string;
let group: string;
beforeEach(() => {
  topic = `topic-${randomUUID()}`;
  group = `group-${randomUUID()}`;
});

describe("the offset at a time", () => {
  const at = (arrivalMs: number, partition = 0) => log.offsetAt({ topic, partition }, arrivalMs);

  test("is that of the first record that arrived then or later, else the next one", async () => {
    await createTopic(client, topic, 2);
    const messages = [100, 200, 200, 300].map((ms) => ({
      value: `${ms}`,
      partition: 0,
      timestamp: String(ms),
    }));
    await produce(client, topic, messages);

    expect(await Promise.all([0, 100, 101, 200, 201, 300].map((ms) => at(ms)))).toEqual([0, 0, 1, 1, 3, 3]);
    expect(await at(301)).toBe(4);
    expect(await at(0, 1)).toBe(0);
  });

  test("before all times is the first offset", async () => {
    await createTopic(client, topic, 1);
    await produce(client, topic, [{ value: "a", timestamp: "5" }]);

    expect(await at(-1)).toBe(0);
    expect(await at(Number.NEGATIVE_INFINITY)).toBe(0);
  });
});

describe("a consumer group", () => {
  const position = () => log.committed(group, [{ topic, partition: 0 }]).then(([first]) => first!.offset);

  test("has members while somebody reads, and is not deleted then", async () => {
    await createTopic(client, topic, 1);
    expect(await groups.memberCount(group)).toBe(0);
    const assigned = Promise.withResolvers<void>();
    const membership = await log.join(group, [topic], {
      onAssigned: () => assigned.resolve(),
      onLost: () => undefined,
      onBatch: () => undefined,
      onCrash: (error) => assigned.reject(error),
    });
    await assigned.promise;
    expect(await groups.memberCount(group)).toBe(1);
    expect(await groups.delete(group)).toBe(false);
    await membership.leave();
    expect(await groups.memberCount(group)).toBe(0);
    expect(await groups.delete(group)).toBe(true);
  });

  test("is deleted with its offsets; once more is no error", async () => {
    await createTopic(client, topic, 1);
    const producer = await log.fence(group, group, { topic, partition: 0 });
    await producer.commit({ outputs: [], offsets: [{ topic, partition: 0, offset: 7, metadata: "m" }] });
    await producer.close();
    // A commit's offsets may show a little after it is done.
    await vi.waitFor(async () => expect(await position()).toBe(7), { timeout: 10_000 });

    expect(await groups.delete(group)).toBe(true);
    expect(await groups.delete(group)).toBe(true);
    expect(await position()).toBeNull();
  });
});

describe("truncating a topic", () => {
  test("deletes its records; offsets go on", async () => {
    await createTopic(client, topic, 2);
    await produce(client, topic, [{ value: "a", partition: 0 }]);
    await groups.truncate(topic);
    await groups.truncate(topic);
    await produce(client, topic, [{ value: "b", partition: 0 }]);

    expect(await log.bounds({ topic, partition: 0 })).toEqual({ low: 1, high: 2 });
    expect((await readCommitted(client, topic)).map(({ value }) => String(value))).toEqual(["b"]);
  });
});
