/**
 * A kafkajs producer for a function: it lives as long as the execution environment, is connected by the first send,
 * used by all that follow, and replaced after a failure.
 */
import type { ICustomPartitioner, Kafka, Producer, ProducerBatch, RecordMetadata } from "kafkajs";

/**
 * How a function's Kafka client waits and tries again, for `createKafka`. Few and short: whoever sends has a deadline,
 * and a fresh producer recovers from what a retry does not, such as a connection that died while the execution
 * environment was frozen. One retry at least, as a leader that moved is found again without connecting anew.
 */
export const functionKafka = {
  retry: { retries: 2, initialRetryTime: 100, maxRetryTime: 1_000 },
  requestTimeoutMs: 3_000,
} as const;

export type SendBatch = Pick<ProducerBatch, "topicMessages">;

interface Connection {
  readonly producer: Producer;
  readonly connected: Promise<void>;
}

export class ReusedProducer {
  readonly #kafka: Pick<Kafka, "producer">;
  readonly #createPartitioner: ICustomPartitioner | undefined;
  #connection: Connection | undefined;

  /** `createPartitioner` defaults to what Kafka's Java client does. */
  constructor(kafka: Pick<Kafka, "producer">, createPartitioner?: ICustomPartitioner) {
    this.#kafka = kafka;
    this.#createPartitioner = createPartitioner;
  }

  /**
   * Sends with acks=all, and resolves with what the leaders answered. It may resolve without a partition whose
   * leader has just moved (kafkajs 2.2.4), so the caller has to look for each. Rejects with kafkajs' error, or with
   * the signal's reason once `deadline` is aborted; either way it is unknown what was written.
   */
  async send(batch: SendBatch, deadline: AbortSignal): Promise<readonly RecordMetadata[]> {
    this.#connection ??= this.#connect();
    const connection = this.#connection;
    const sending = connection.connected.then(() => connection.producer.sendBatch({ ...batch, acks: -1 }));
    try {
      return await before(deadline, sending);
    } catch (error) {
      if (this.#connection === connection) this.#connection = undefined;
      void retire(connection.producer, sending);
      throw error;
    }
  }

  #connect(): Connection {
    const createPartitioner = this.#createPartitioner;
    const producer = this.#kafka.producer({
      allowAutoTopicCreation: false,
      // A producer takes the client's retries only in as far as it is told none of its own.
      retry: functionKafka.retry,
      ...(createPartitioner && { createPartitioner }),
    });
    return { producer, connected: producer.connect() };
  }
}

/**
 * Closes a producer that is no longer used, without being waited for. Only after its last send has ended: a retry
 * of that send would open the connections again.
 */
async function retire(producer: Producer, lastSend: Promise<unknown>): Promise<void> {
  await lastSend.catch(() => {});
  await producer.disconnect().catch(() => {});
}

/** The work's outcome, or a rejection as soon as the deadline passes; the work itself cannot be stopped. */
function before<Result>(deadline: AbortSignal, work: Promise<Result>): Promise<Result> {
  const { promise, resolve, reject } = Promise.withResolvers<Result>();
  const expire = (): void => reject(deadline.reason);
  if (deadline.aborted) expire();
  deadline.addEventListener("abort", expire);
  work.then(resolve, reject).finally(() => deadline.removeEventListener("abort", expire));
  return promise;
}
