/** Writes a function's records to Kafka, all of them or until a deadline. */
import { setTimeout as sleep } from "node:timers/promises";
import type { ICustomPartitioner, Kafka } from "kafkajs";
import { KafkaUnavailableError } from "./errors.ts";
import { ReusedProducer } from "./producer.ts";
import { checkAcknowledged, type OutgoingRecord, planSends, type Send } from "./send-plan.ts";

const PAUSE_BETWEEN_ATTEMPTS_MS = 200;
/** Functions write keyed records; one without a key has no order to keep, and any partition will do. */
const UNKEYED_HASH = 0;

export class RecordPublisher {
  readonly #producer: ReusedProducer;
  readonly #partitionCounts: Map<string, number>;

  /**
   * `partitionCounts`: partitions, as they are defined, of every topic that is written to; the brokers' own count
   * replaces a stale one.
   */
  constructor(kafka: Pick<Kafka, "producer">, partitionCounts: ReadonlyMap<string, number>) {
    this.#producer = new ReusedProducer(kafka, this.#partitioner);
    this.#partitionCounts = new Map(partitionCounts);
  }

  /**
   * Resolves once all in-sync replicas hold every record. A failure leaves unknown what was written, so whatever is
   * not known to be is sent again, until `timeoutMs` have passed; then it rejects with
   * {@link KafkaUnavailableError}, and whoever gave the records must give all of them again.
   */
  async publish(records: readonly OutgoingRecord[], timeoutMs: number): Promise<void> {
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), timeoutMs);
    try {
      await this.#publishUntil(deadline.signal, records);
    } finally {
      clearTimeout(timer);
    }
  }

  async #publishUntil(deadline: AbortSignal, records: readonly OutgoingRecord[]): Promise<void> {
    let pending = records;
    let cause: unknown;
    while (pending.length > 0) {
      const sends = planSends(pending, this.#partitionCounts, UNKEYED_HASH);
      try {
        while (sends.length > 0) {
          await this.#send(sends[0]!, deadline);
          sends.shift();
        }
        return;
      } catch (error) {
        pending = sends.flatMap((send) => send.records);
        cause = deadline.aborted ? (cause ?? error) : error;
        await sleep(PAUSE_BETWEEN_ATTEMPTS_MS, undefined, { signal: deadline }).catch(() => {});
        if (deadline.aborted) throw unavailable(pending.length, cause);
      }
    }
  }

  async #send(send: Send, deadline: AbortSignal): Promise<void> {
    const { topicMessages } = send;
    await this.#producer.use(deadline, async (producer) => {
      checkAcknowledged(send, await producer.sendBatch({ acks: -1, topicMessages }));
    });
  }

  /**
   * The plan already knows each message's partition. Where the topic has grown since, the plan is void: the send
   * fails here, before anything is written, and is planned again.
   */
  readonly #partitioner: ICustomPartitioner = () => (planned) => {
    const { topic, message } = planned;
    const count = planned.partitionMetadata.length;
    if (count !== this.#partitionCounts.get(topic)) {
      this.#partitionCounts.set(topic, count);
      throw new Error(`Topic ${topic} has ${count} partitions, which is not what the send was planned for.`);
    }
    return message.partition!;
  };
}

function unavailable(count: number, cause: unknown): KafkaUnavailableError {
  return new KafkaUnavailableError(
    `Kafka did not acknowledge ${count} records before the deadline.`,
    "Send all of them again: none was answered as stored. If it lasts, look at the brokers and the network.",
    cause,
  );
}
