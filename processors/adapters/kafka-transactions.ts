/** The transactional producer of one task, on kafkajs (design, section 4: rule 7 and "kafkajs 2.2.4"). */
import { setTimeout as sleep } from "node:timers/promises";
import { CompressionTypes, type Kafka, type Producer, type Transaction } from "kafkajs";
import { maxMessageBytes } from "../../contracts/limits.ts";
import { keyHash } from "../../contracts/partitioning.ts";
import { checkAcknowledged, planPartitionSends, type Send } from "../../runtime/send-plan.ts";
import {
  type Commit,
  CommitNotMadeError,
  CommitUnknownError,
  FencedError,
  type OffsetCommit,
  type OutputRecord,
  type TopicPartition,
  type Transactions,
} from "../engine/log/port.ts";
import { describe, isCoordinatorBusy, isFenced } from "./kafka-errors.ts";

/**
 * Back-to-back transactions meet a coordinator that still completes the one before, mostly for a few milliseconds:
 * ask again soon. All retries together take about 5 s, in which a partition gets a new leader.
 */
export const TRANSACTION_RETRY = { initialRetryTime: 5, maxRetryTime: 200, retries: 30 };
const BUSY_RETRY_MS = 5;

/**
 * Retries are counted, not timed, and kafkajs keeps asking a broker that no longer answers; a new producer learns
 * the new leaders from another broker.
 */
const STEP_TIMEOUT_MS = 15_000;

export interface TransactionsOptions {
  /** Its retry options must be {@link TRANSACTION_RETRY}: a part of the producer takes them only from there. */
  readonly kafka: Kafka;
  readonly transactionalId: string;
  readonly group: string;
  /** One of the partitions whose offsets it commits. */
  readonly input: TopicPartition;
  partitionCount(topic: string): Promise<number>;
}

export class KafkaTransactions implements Transactions {
  readonly #options: TransactionsOptions;
  readonly #producer: Producer;
  readonly #unkeyedHash: number;
  /** Begun ahead: kafkajs asks for the producer id, which fences older ones, when its first transaction begins. */
  #next: Transaction | undefined;
  #failed = false;

  private constructor(options: TransactionsOptions, producer: Producer, first: Transaction) {
    this.#options = options;
    this.#producer = producer;
    this.#unkeyedHash = keyHash(Buffer.from(options.transactionalId));
    this.#next = first;
  }

  /**
   * Fences older producers with the id, and waits until the group's coordinator tells what they committed. Rejects with
   * kafkajs' error.
   */
  static async start(options: TransactionsOptions): Promise<KafkaTransactions> {
    const ahead = await begin(options);
    try {
      await catchUp(ahead.transaction, options);
    } finally {
      await ahead.producer.disconnect().catch(() => undefined);
    }
    const { producer, transaction } = await begin(options);
    return new KafkaTransactions(options, producer, transaction);
  }

  /**
   * After any failure this producer is spent. kafkajs takes a batch whose answer was lost back out of its sequence
   * numbers. If it was written all the same, then the next transaction's batch carries the same numbers, and the
   * broker acknowledges it as a duplicate of records that were aborted.
   */
  async commit(commit: Commit): Promise<void> {
    if (this.#failed) throw new CommitNotMadeError("this producer failed before; fence a new one");
    const transaction = this.#next ?? (await this.#begin());
    this.#next = undefined;
    try {
      await inTime(this.#write(transaction, commit), "outputs and offsets were not acknowledged");
    } catch (cause) {
      this.#failed = true;
      if (isFenced(cause)) throw new FencedError(`a newer producer took over: ${describe(cause)}`, { cause });
      await this.#abort(transaction);
      throw new CommitNotMadeError(`failed before its end: ${describe(cause)}`, { cause });
    }
    try {
      await inTime(transaction.commit(), "the commit was not answered");
    } catch (cause) {
      this.#failed = true;
      throw new CommitUnknownError(`the answer to its end is missing or bad: ${describe(cause)}`, { cause });
    }
  }

  async close(): Promise<void> {
    this.#failed = true;
    await this.#producer.disconnect();
  }

  async #begin(): Promise<Transaction> {
    try {
      return await this.#producer.transaction();
    } catch (cause) {
      this.#failed = true;
      throw new CommitNotMadeError(`could not begin: ${describe(cause)}`, { cause });
    }
  }

  async #write(transaction: Transaction, { outputs, offsets }: Commit): Promise<void> {
    await this.#sendOutputs(transaction, outputs);
    await this.#sendOffsets(transaction, offsets);
    this.#requireOpen();
  }

  /** Outputs whose offsets were not sent must not be committed: whoever closes the producer ends what it does. */
  #requireOpen(): void {
    if (this.#failed) throw new Error("the producer was closed");
  }

  /**
   * One partition a send, one send after the other. Where one broker of several fails, kafkajs 2.2.4 tries the whole
   * send again while the other brokers still work on theirs; those then get their records a second time, under new
   * sequence numbers, and the transaction commits both. What it tries again for one partition has the same numbers,
   * and the broker drops it. Two sends at once would get in each other's way when the client connects again.
   */
  async #sendOutputs(transaction: Transaction, outputs: readonly OutputRecord[]): Promise<void> {
    const counts = await this.#partitionCounts(outputs);
    for (const send of planPartitionSends(outputs, counts, this.#unkeyedHash)) {
      const { topicMessages } = send;
      const compression = compressionOf(send);
      checkAcknowledged(send, await transaction.sendBatch({ acks: -1, compression, topicMessages }));
    }
  }

  async #partitionCounts(outputs: readonly OutputRecord[]): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    for (const { topic } of outputs) {
      if (!counts.has(topic)) counts.set(topic, await this.#options.partitionCount(topic));
    }
    return counts;
  }

  /** kafkajs retries this request for partitions, but not for offsets. The step's time limit ends it. */
  async #sendOffsets(transaction: Transaction, offsets: readonly OffsetCommit[]): Promise<void> {
    const request = { consumerGroupId: this.#options.group, topics: groupByTopic(offsets) };
    for (;;) {
      this.#requireOpen();
      try {
        await transaction.sendOffsets(request);
        return;
      } catch (error) {
        if (!isCoordinatorBusy(error)) throw error;
        await sleep(BUSY_RETRY_MS);
      }
    }
  }

  /** Lets readers of committed records pass at once. Where it fails, the next fence or the broker's timeout does it. */
  async #abort(transaction: Transaction): Promise<void> {
    await inTime(transaction.abort(), "the abort was not answered").catch(() => undefined);
  }
}

/** A producer with an epoch of its own, and its first transaction. */
async function begin({ kafka, transactionalId }: TransactionsOptions): Promise<{
  readonly producer: Producer;
  readonly transaction: Transaction;
}> {
  // Not `idempotent`: that sets up a second, untransactional producer id. A transaction is idempotent without it.
  const producer = kafka.producer({
    transactionalId,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    retry: TRANSACTION_RETRY,
  });
  try {
    await producer.connect();
    return { producer, transaction: await producer.transaction() };
  } catch (error) {
    await producer.disconnect().catch(() => undefined);
    throw error;
  }
}

/**
 * A broker that has just become the group's coordinator may tell older offsets than the one before it did, for seconds:
 * it shows only what it knows to be on every replica, and learns that with their next fetch. An older transaction's
 * commit would look as if it was never made, and be made again. A write of one's own, which is acknowledged once it is
 * on every replica, carries what was written before it along; aborted, it leaves nothing behind. It has a producer of its
 * own, so that a marker of it that is written twice cannot end a transaction that follows.
 */
async function catchUp(transaction: Transaction, { group, input }: TransactionsOptions): Promise<void> {
  const { topic, partition } = input;
  const topics = [{ topic, partitions: [{ partition, offset: "0", metadata: "" }] }];
  const written = transaction.sendOffsets({ consumerGroupId: group, topics });
  await inTime(written, "an offset was not acknowledged");
  await inTime(transaction.abort(), "the abort was not answered");
}

/** Rejects once the step has taken {@link STEP_TIMEOUT_MS}; the step itself cannot be stopped, so its producer is spent. */
async function inTime<T>(step: Promise<T>, complaint: string): Promise<T> {
  const timer = new AbortController();
  const expired = sleep(STEP_TIMEOUT_MS, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`${complaint} within ${STEP_TIMEOUT_MS} ms`);
  });
  expired.catch(() => undefined);
  step.catch(() => undefined);
  try {
    return await Promise.race([step, expired]);
  } finally {
    timer.abort();
  }
}

/**
 * Brokers measure records as they arrive: a dead letter or late event beyond the limit of its source's topic was
 * compressed there, and sent plainly it would be refused for ever.
 */
const compressionOf = ({ records }: Send): CompressionTypes =>
  records.some(({ value }) => value !== null && value.length > maxMessageBytes)
    ? CompressionTypes.GZIP
    : CompressionTypes.None;

function groupByTopic(offsets: readonly OffsetCommit[]) {
  const byTopic = Map.groupBy(offsets, ({ topic }) => topic);
  return [...byTopic].map(([topic, commits]) => ({
    topic,
    partitions: commits.map(({ partition, offset, metadata }) => ({
      partition,
      offset: String(offset),
      metadata,
    })),
  }));
}
