/** Reads a topic as it grows: what is committed, each partition in the order of its log. */
import type { Consumer, Kafka, KafkaMessage } from "kafkajs";
import type { EndOffsets } from "../../cli/demo/topic-reader.ts";

const MIB = 1024 * 1024;
const FETCHING = { maxBytes: 16 * MIB, maxBytesPerPartition: 4 * MIB, maxWaitTimeInMs: 20 };

export interface Following {
  readonly topic: string;
  /** Where it begins: at the first record, or with what is written from now on. */
  readonly from: "start" | "end";
  readonly onMessages: (messages: readonly KafkaMessage[], partition: number) => void;
}

let followers = 0;

export class Follower {
  readonly #consumer: Consumer;
  /** For each partition where reading goes on. */
  readonly #positions = new Map<number, number>();

  private constructor(consumer: Consumer) {
    this.#consumer = consumer;
  }

  /** Resolves once it reads. */
  static async start(kafka: Kafka, { topic, from, onMessages }: Following): Promise<Follower> {
    const groupId = `bench-follower-${process.pid}-${++followers}`;
    const consumer = kafka.consumer({ ...FETCHING, groupId, readUncommitted: false });
    const follower = new Follower(consumer);
    consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload: { partition, lastOffset } }) => {
      follower.#positions.set(partition, Number(lastOffset) + 1);
    });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: from === "start" });
    const reads = new Promise((resolve) => consumer.on(consumer.events.FETCH_START, resolve));
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch: { partition, messages } }) => onMessages(messages, partition),
    });
    await reads;
    return follower;
  }

  /** Whether it has read to there; of a partition without records no position is ever known. */
  hasReached(ends: EndOffsets): boolean {
    return [...ends].every(([partition, end]) => end === 0 || (this.#positions.get(partition) ?? 0) >= end);
  }

  async stop(): Promise<void> {
    await this.#consumer.disconnect();
  }
}
