/** Reads a whole topic as it stands, each partition in the order of its log. */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Admin, Consumer, Kafka, KafkaMessage } from "kafkajs";
import { topicOffsets } from "../kafka.ts";

export interface TopicRecords {
  readonly partition: number;
  readonly messages: readonly KafkaMessage[];
}

/**
 * One past the last record that may be read, per partition: kafkajs asks for the last stable offset, which an open
 * transaction holds back. Transactions' markers take offsets too.
 */
export type EndOffsets = ReadonlyMap<number, number>;

export async function endOffsets(admin: Admin, topic: string): Promise<EndOffsets> {
  const partitions = await topicOffsets(admin, topic);
  return new Map(partitions.map(({ partition, high }) => [partition, Number(high)]));
}

/** Of offsets of all partitions: how many records they reach over, where each partition begins at 0. */
export const totalOf = (offsets: EndOffsets): number =>
  [...offsets.values()].reduce((sum, offset) => sum + offset, 0);

const SETTLE_MS = 250;
const MIB = 1024 * 1024;
const FETCHING = { maxBytes: 16 * MIB, maxBytesPerPartition: 4 * MIB, maxWaitTimeInMs: 100 };

/** Whether records of aborted transactions are read too, or left out. */
export type Isolation = "uncommitted" | "committed";

/**
 * Calls `onRecords` with every record up to the topic's present end, then resolves with that end. Nobody should be
 * writing to it. Rejects with the client's error, or with the signal's reason.
 */
export async function readTopic(
  kafka: Kafka,
  topic: string,
  onRecords: (records: TopicRecords) => void,
  signal: AbortSignal,
  isolation: Isolation = "committed",
): Promise<EndOffsets> {
  const admin = kafka.admin();
  await admin.connect();
  const groupId = `spillway-check-${topic}-${randomUUID()}`;
  try {
    const ends = await settledEndOffsets(admin, topic, signal);
    const readUncommitted = isolation === "uncommitted";
    const consumer = kafka.consumer({ ...FETCHING, groupId, readUncommitted });
    await readTo(await partitionsWithRecords(admin, topic), consumer, topic, onRecords, signal);
    await admin.deleteGroups([groupId]).catch(() => {
      // A group left behind without members expires by itself.
    });
    return ends;
  } finally {
    await admin.disconnect();
  }
}

/** Of a partition whose records were all deleted no end is ever announced. */
async function partitionsWithRecords(admin: Admin, topic: string): Promise<Set<number>> {
  const partitions = await topicOffsets(admin, topic);
  return new Set(partitions.filter(({ low, high }) => low !== high).map(({ partition }) => partition));
}

/**
 * A group's offsets may be visible a moment before the markers of the same transaction have reached the topics it
 * wrote to, so the ends are asked for until they stand still.
 */
async function settledEndOffsets(admin: Admin, topic: string, signal: AbortSignal): Promise<EndOffsets> {
  for (let before = await endOffsets(admin, topic); ; ) {
    await delay(SETTLE_MS, undefined, { signal });
    const now = await endOffsets(admin, topic);
    if ([...now].every(([partition, end]) => before.get(partition) === end)) return now;
    before = now;
  }
}

async function readTo(
  unread: Set<number>,
  consumer: Consumer,
  topic: string,
  onRecords: (records: TopicRecords) => void,
  signal: AbortSignal,
): Promise<void> {
  if (unread.size === 0) return;
  // A client that has to join its group again, because a broker moved, starts again.
  const next = new Map<number, number>();
  try {
    await consumer.connect();
    const reachedEnd = untilRead(consumer, unread, signal);
    // Its rejection is awaited below; until then it must not count as unhandled.
    reachedEnd.catch(() => {});
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch: { partition, messages } }) => {
        const unseen = messages.filter(({ offset }) => Number(offset) >= (next.get(partition) ?? 0));
        if (unseen.length === 0) return;
        next.set(partition, Number(unseen.at(-1)!.offset) + 1);
        onRecords({ partition, messages: unseen });
      },
    });
    await reachedEnd;
  } finally {
    await consumer.disconnect();
  }
}

/**
 * The client announces the end of every batch, also of those that hold nothing but markers or aborted records. A
 * transaction that is open yet keeps the last batch below the high watermark, and so is waited for.
 */
function untilRead(consumer: Consumer, unread: Set<number>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (!payload.restart) reject(payload.error);
    });
    consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
      const { partition, lastOffset, highWatermark } = payload;
      if (Number(lastOffset) + 1 < Number(highWatermark)) return;
      unread.delete(partition);
      if (unread.size === 0) resolve();
    });
  });
}
