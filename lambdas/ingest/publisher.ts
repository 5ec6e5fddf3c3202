/** Writes accepted events to Kafka, all of them or until a deadline. */
import { setTimeout as sleep } from "node:timers/promises";
import type { ICustomPartitioner, Kafka, RecordMetadata } from "kafkajs";
import { KafkaUnavailableError } from "../../runtime/errors.ts";
import { ReusedProducer } from "../../runtime/producer.ts";
import { type OutgoingEvent, type PlannedSend, planSend } from "./send-plan.ts";

const PAUSE_BETWEEN_ATTEMPTS_MS = 200;

export class EventPublisher {
  readonly #producer: ReusedProducer;
  readonly #partitionCounts: Map<string, number>;

  /** `partitionCounts`: partitions by topic as they are defined; the brokers' own count replaces a stale one. */
  constructor(kafka: Pick<Kafka, "producer">, partitionCounts: ReadonlyMap<string, number>) {
    this.#producer = new ReusedProducer(kafka, this.#partitioner);
    this.#partitionCounts = new Map(partitionCounts);
  }

  /**
   * Resolves once all in-sync replicas hold every event. A failure leaves unknown what was written, so whatever is
   * not known to be is sent again, until `timeoutMs` have passed; then it rejects with
   * {@link KafkaUnavailableError}, and its sender must send all of it again. Pipelines drop the copies.
   */
  async publish(events: readonly OutgoingEvent[], timeoutMs: number): Promise<void> {
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), timeoutMs);
    try {
      await this.#publishUntil(deadline.signal, events);
    } finally {
      clearTimeout(timer);
    }
  }

  async #publishUntil(deadline: AbortSignal, events: readonly OutgoingEvent[]): Promise<void> {
    let pending = events;
    let cause: unknown;
    while (pending.length > 0) {
      try {
        pending = await this.#send(pending, deadline);
      } catch (error) {
        cause = deadline.aborted ? (cause ?? error) : error;
        await sleep(PAUSE_BETWEEN_ATTEMPTS_MS, undefined, { signal: deadline }).catch(() => {});
        if (deadline.aborted) throw unavailable(pending.length, cause);
      }
    }
  }

  /** Makes one send, and returns the events that it did not carry. */
  async #send(events: readonly OutgoingEvent[], deadline: AbortSignal): Promise<readonly OutgoingEvent[]> {
    const send = planSend(events, (topic) => this.#partitionCounts.get(topic)!);
    const topicMessages = Array.from(send.messages, ([topic, messages]) => ({ topic, messages }));
    await this.#producer.use(deadline, async (producer) => {
      checkAcknowledged(send, await producer.sendBatch({ acks: -1, topicMessages }));
    });
    return send.rest;
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

/** A send that spans brokers may resolve without a partition whose leader moved (design, section 4). */
function checkAcknowledged(send: PlannedSend, acknowledged: readonly RecordMetadata[]): void {
  const written = new Set<string>();
  for (const { topicName, partition, errorCode } of acknowledged) {
    if (errorCode === 0) written.add(`${topicName}/${partition}`);
  }
  for (const [topic, messages] of send.messages) {
    for (const { partition } of messages) {
      if (!written.has(`${topic}/${partition}`)) {
        throw new Error(`Kafka did not acknowledge partition ${partition} of topic ${topic}.`);
      }
    }
  }
}

function unavailable(count: number, cause: unknown): KafkaUnavailableError {
  return new KafkaUnavailableError(
    `Kafka did not acknowledge ${count} events before the deadline.`,
    "Answer 503, so that the sender sends them again; if it lasts, look at the brokers and the network.",
    cause,
  );
}
