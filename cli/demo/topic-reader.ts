/** Reads a whole topic as it stands, each partition in the order of its log. */
import { randomUUID } from "node:crypto";
import type { Admin, Consumer, Kafka, KafkaMessage } from "kafkajs";

export interface TopicRecords {
  readonly partition: number;
  readonly messages: readonly KafkaMessage[];
}

/** The next offset to be written, per partition. Transactions' markers take offsets too. */
export type EndOffsets = ReadonlyMap<number, number>;

export async function endOffsets(admin: Admin, topic: string): Promise<EndOffsets> {
  const partitions = await admin.fetchTopicOffsets(topic);
  return new Map(partitions.map(({ partition, high }) => [partition, Number(high)]));
}

const MIB = 1024 * 1024;

/**
 * Calls `onRecords` with every record below the topic's present end, committed ones only (aborted transactions are
 * left out), then resolves with that end. Rejects with the client's error, or with the signal's reason.
 */
export async function readTopic(
  kafka: Kafka,
  topic: string,
  onRecords: (records: TopicRecords) => void,
  signal: AbortSignal,
): Promise<EndOffsets> {
  const admin = kafka.admin();
  await admin.connect();
  const groupId = `spillway-check-${topic}-${randomUUID()}`;
  try {
    const ends = await endOffsets(admin, topic);
    await readTo(ends, kafka, groupId, topic, onRecords, signal);
    await admin.deleteGroups([groupId]).catch(() => {
      // A group left behind without members expires by itself.
    });
    return ends;
  } finally {
    await admin.disconnect();
  }
}

async function readTo(
  ends: EndOffsets,
  kafka: Kafka,
  groupId: string,
  topic: string,
  onRecords: (records: TopicRecords) => void,
  signal: AbortSignal,
): Promise<void> {
  const unread = new Set([...ends].filter(([, end]) => end > 0).map(([partition]) => partition));
  if (unread.size === 0) return;
  const consumer = kafka.consumer({
    groupId,
    readUncommitted: false,
    maxBytes: 16 * MIB,
    maxBytesPerPartition: 4 * MIB,
    maxWaitTimeInMs: 100,
  });
  try {
    await consumer.connect();
    const reachedEnd = untilRead(consumer, ends, unread, signal);
    // Its rejection is awaited below; until then it must not count as unhandled.
    reachedEnd.catch(() => {});
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch: { partition, messages } }) => {
        const end = ends.get(partition) ?? 0;
        onRecords({ partition, messages: messages.filter(({ offset }) => Number(offset) < end) });
      },
    });
    await reachedEnd;
  } finally {
    await consumer.disconnect();
  }
}

/** The client announces the end of every batch, also of those that hold nothing but markers or aborted records. */
function untilRead(
  consumer: Consumer,
  ends: EndOffsets,
  unread: Set<number>,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (!payload.restart) reject(payload.error);
    });
    consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload: { partition, lastOffset } }) => {
      if (Number(lastOffset) + 1 < ends.get(partition)!) return;
      unread.delete(partition);
      if (unread.size === 0) resolve();
    });
  });
}
