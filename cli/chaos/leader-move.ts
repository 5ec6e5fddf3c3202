/** Makes another broker the leader of a partition while every broker is up, as a rebalancing of partitions does. */
import { setTimeout as delay } from "node:timers/promises";
import type { Admin, Kafka } from "kafkajs";
import { BROKERS, type LeaderMove } from "./faults.ts";

const POLL_MS = 100;
const GIVE_UP_AFTER_MS = 15_000;

/**
 * Takes the leader out of the partition's replicas, so that the controller must choose another one, and puts it back
 * as the last of them. Rejects where the brokers do not do it in time; the next move of the partition repairs it.
 */
export async function moveLeader(
  kafka: Kafka,
  { topic, share }: LeaderMove,
  end: AbortSignal,
): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    const { partitions } = topics[0]!;
    const { partitionId: partition, leader } = partitions[Math.floor(share * partitions.length)]!;
    const others = BROKERS.filter((id) => id !== leader);
    await reassign(admin, topic, partition, others, end);
    await reassign(admin, topic, partition, [...others, leader], end);
  } finally {
    await admin.disconnect();
  }
}

async function reassign(
  admin: Admin,
  topic: string,
  partition: number,
  replicas: readonly number[],
  end: AbortSignal,
): Promise<void> {
  await admin.alterPartitionReassignments({
    topics: [{ topic, partitionAssignment: [{ partition, replicas: [...replicas] }] }],
  });
  for (const giveUpAt = Date.now() + GIVE_UP_AFTER_MS; ; ) {
    const { topics } = await admin.listPartitionReassignments({
      topics: [{ topic, partitions: [partition] }],
    });
    if (topics.every(({ partitions }) => partitions.length === 0)) return;
    if (Date.now() > giveUpAt)
      throw new Error(`${topic}-${partition} has not moved within ${GIVE_UP_AFTER_MS} ms`);
    await delay(POLL_MS, undefined, { signal: end });
  }
}
