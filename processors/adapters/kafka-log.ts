/** The engine's log on Kafka, with kafkajs. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Admin, RetryOptions } from "kafkajs";
import { sessionTimeoutMs as defaultSessionTimeoutMs } from "../../contracts/limits.ts";
import { createKafka } from "../../runtime/kafka.ts";
import { partitionKey } from "../../runtime/send-plan.ts";
import type {
  CommittedOffset,
  GroupHandlers,
  GroupMembership,
  Log,
  TopicPartition,
  Transactions,
} from "../engine/log/port.ts";
import { isPassing } from "./kafka-errors.ts";
import { GROUP_RETRY, KafkaMembership } from "./kafka-membership.ts";
import { KafkaTransactions, TRANSACTION_RETRY } from "./kafka-transactions.ts";

/** A broker that holds a request longer than this is taken for stuck. */
const REQUEST_TIMEOUT_MS = 5_000;
/** How long a topic's partition count is believed; kafkajs believes its own metadata as long. */
const PARTITION_COUNT_TTL_MS = 5 * 60_000;
/** How long brokers may take to hand a group over, or, the very first time, to make the topic of all groups. */
const JOIN_TIMEOUT_MS = 60_000;
const JOIN_RETRY_MS = 100;
/** What Kafka answers where nothing was committed. */
const ABSENT_OFFSET = -1;

export interface KafkaLogOptions {
  /** Comma-separated `host:port`; see {@link createKafka}. */
  readonly bootstrapServers: string;
  readonly clientId: string;
  /** How long the group waits for a member that has gone silent. @default 6,000 */
  readonly sessionTimeoutMs?: number;
  /** @default 1,000 */
  readonly heartbeatIntervalMs?: number;
  /** Where this process is, as the brokers' racks are called: it reads from replicas there. @default from leaders */
  readonly rackId?: string | undefined;
}

export class KafkaLog implements Log {
  readonly #options: KafkaLogOptions;
  readonly #partitionCounts = new Map<string, { readonly count: number; readonly readMs: number }>();
  #admin: Promise<Admin> | undefined;

  constructor(options: KafkaLogOptions) {
    this.#options = options;
  }

  /** What ends a member that has joined would end one that joins, too; there is nothing to lose yet, so it tries again. */
  async join(group: string, topics: readonly string[], handlers: GroupHandlers): Promise<GroupMembership> {
    const counts = await Promise.all(topics.map((topic) => this.partitionCount(topic)));
    const partitionCount = counts.reduce((sum, count) => sum + count, 0);
    const deadlineMs = Date.now() + JOIN_TIMEOUT_MS;
    for (;;) {
      try {
        return await this.#join(group, topics, partitionCount, handlers);
      } catch (error) {
        if (!isPassing(error) || Date.now() > deadlineMs) throw error;
        await sleep(JOIN_RETRY_MS);
      }
    }
  }

  fence(transactionalId: string, group: string, input: TopicPartition): Promise<Transactions> {
    return KafkaTransactions.start({
      kafka: this.#kafka(TRANSACTION_RETRY),
      transactionalId,
      group,
      input,
      partitionCount: (topic) => this.#recentPartitionCount(topic),
    });
  }

  async committed(group: string, partitions: readonly TopicPartition[]): Promise<readonly CommittedOffset[]> {
    const topics = [...new Set(partitions.map(({ topic }) => topic))];
    const offsets = await this.#ask((admin) => admin.fetchOffsets({ groupId: group, topics }));
    const found = new Map<string, CommittedOffset>();
    for (const { topic, partitions } of offsets) {
      for (const { partition, offset, metadata } of partitions) {
        const committed = Number(offset) === ABSENT_OFFSET ? null : Number(offset);
        found.set(partitionKey(topic, partition), {
          topic,
          partition,
          offset: committed,
          metadata: metadata ?? "",
        });
      }
    }
    return partitions.map(({ topic, partition }) => {
      const offset = found.get(partitionKey(topic, partition));
      if (offset === undefined)
        throw new Error(`Kafka knows no partition ${partition} of the topic ${topic}`);
      return offset;
    });
  }

  async offsetAt({ topic, partition }: TopicPartition, arrivalMs: number): Promise<number> {
    // Kafka takes negative times for questions of their own: the first offset, or the last.
    const timeMs = Math.max(0, arrivalMs);
    const offsets = await this.#ask((admin) => admin.fetchTopicOffsetsByTimestamp(topic, timeMs));
    const found = offsets.find((candidate) => candidate.partition === partition);
    if (found === undefined) throw new Error(`Kafka knows no partition ${partition} of the topic ${topic}`);
    return Number(found.offset);
  }

  async bounds({ topic, partition }: TopicPartition): Promise<{ low: number; high: number }> {
    const offsets = await this.#ask((admin) => admin.fetchTopicOffsets(topic));
    const found = offsets.find((candidate) => candidate.partition === partition);
    if (found === undefined) throw new Error(`Kafka knows no partition ${partition} of the topic ${topic}`);
    return { low: Number(found.low), high: Number(found.high) };
  }

  async partitionCount(topic: string): Promise<number> {
    const { topics } = await this.#ask((admin) => admin.fetchTopicMetadata({ topics: [topic] }));
    const count = topics[0]!.partitions.length;
    this.#partitionCounts.set(topic, { count, readMs: Date.now() });
    return count;
  }

  async close(): Promise<void> {
    const connection = this.#admin;
    this.#admin = undefined;
    if (connection !== undefined) await disconnect(connection);
  }

  async #join(
    group: string,
    topics: readonly string[],
    partitionCount: number,
    handlers: GroupHandlers,
  ): Promise<GroupMembership> {
    // Waits for a coordinator: a new broker has none before it is asked for one.
    await this.#ask((admin) => admin.fetchOffsets({ groupId: group, topics: [] }));
    const sessionTimeoutMs = this.#options.sessionTimeoutMs ?? defaultSessionTimeoutMs;
    return KafkaMembership.join({
      // SyncGroup waits for the group's leader, who may have been killed: a whole session passes before that shows.
      kafka: this.#kafka(GROUP_RETRY, sessionTimeoutMs + REQUEST_TIMEOUT_MS),
      group,
      topics,
      partitionCount,
      sessionTimeoutMs,
      heartbeatIntervalMs: this.#options.heartbeatIntervalMs ?? 1_000,
      rackId: this.#options.rackId,
      handlers,
    });
  }

  async #recentPartitionCount(topic: string): Promise<number> {
    const known = this.#partitionCounts.get(topic);
    if (known !== undefined && Date.now() - known.readMs < PARTITION_COUNT_TTL_MS) return known.count;
    return this.partitionCount(topic);
  }

  /** After a failure the connection is given up: a new one learns from another broker who leads what. */
  async #ask<Answer>(question: (admin: Admin) => Promise<Answer>): Promise<Answer> {
    this.#admin ??= connect(this.#kafka(TRANSACTION_RETRY).admin());
    const connection = this.#admin;
    try {
      return await question(await connection);
    } catch (error) {
      if (this.#admin === connection) this.#admin = undefined;
      void disconnect(connection);
      throw error;
    }
  }

  /** A client of its own for each use, since kafkajs shares state within one. */
  #kafka(retry: RetryOptions, requestTimeoutMs = REQUEST_TIMEOUT_MS) {
    const { bootstrapServers, clientId } = this.#options;
    return createKafka({ bootstrapServers, clientId, retry, requestTimeoutMs });
  }
}

async function connect(admin: Admin): Promise<Admin> {
  try {
    await admin.connect();
    return admin;
  } catch (error) {
    await admin.disconnect().catch(() => undefined);
    throw error;
  }
}

/** Never rejects: what cannot be closed cleanly is not used any more either. */
async function disconnect(connection: Promise<Admin>): Promise<void> {
  await connection.then((admin) => admin.disconnect()).catch(() => undefined);
}
