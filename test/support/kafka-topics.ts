/** Topics of a test's broker: making, filling and reading them. */
import type { Kafka, KafkaMessage, Message } from "kafkajs";
import { vi } from "vitest";

const READY_TIMEOUT_MS = 120_000;

export async function createTopic(
  kafka: Kafka,
  topic: string,
  partitions: number,
  config: Readonly<Record<string, string>> = {},
): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({
    waitForLeaders: false,
    topics: [
      {
        topic,
        numPartitions: partitions,
        configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
      },
    ],
  });
  // A broker may answer that it does not know the topic yet, for which kafkajs' own waiting gives up.
  await vi.waitFor(() => admin.fetchTopicOffsets(topic), { timeout: READY_TIMEOUT_MS });
  await admin.disconnect();
}

/** Waits until a new broker coordinates groups: it makes the topic for their offsets when first asked. */
export async function untilCoordinating(kafka: Kafka): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  await vi.waitFor(() => admin.fetchOffsets({ groupId: "first", topics: [] }), { timeout: READY_TIMEOUT_MS });
  await admin.disconnect();
}

export async function produce(kafka: Kafka, topic: string, messages: Message[]): Promise<void> {
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  await producer.send({ topic, messages });
  await producer.disconnect();
}

export type ReadMessage = KafkaMessage & { readonly partition: number };

/**
 * Everything that a reader of committed records sees now. It reads up to a record of its own, written to every
 * partition: what is committed lies before it, and a transaction that is still open keeps it waiting.
 */
export async function readCommitted(kafka: Kafka, topic: string): Promise<ReadMessage[]> {
  const end = `end-${crypto.randomUUID()}`;
  const partitions = await partitionsOf(kafka, topic);
  await produce(
    kafka,
    topic,
    partitions.map((partition) => ({ key: end, value: null, partition })),
  );
  const waiting = new Set(partitions);
  const messages: ReadMessage[] = [];
  const consumer = kafka.consumer({ groupId: end, maxWaitTimeInMs: 50, allowAutoTopicCreation: false });
  const done = Promise.withResolvers<void>();
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ partition, message }) => {
      const key = String(message.key);
      if (key === end) waiting.delete(partition);
      if (!key.startsWith("end-")) messages.push({ ...message, partition });
      if (waiting.size === 0) done.resolve();
    },
  });
  await done.promise;
  await consumer.disconnect();
  return messages;
}

async function partitionsOf(kafka: Kafka, topic: string): Promise<number[]> {
  const admin = kafka.admin();
  await admin.connect();
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  await admin.disconnect();
  return topics[0]!.partitions.map(({ partitionId }) => partitionId);
}
