/**
 * A kafkajs producer for a function: it lives as long as the execution environment, is connected by the first send,
 * used by all that follow, and replaced after a failure.
 */
import type { ICustomPartitioner, Kafka, Producer } from "kafkajs";

/**
 * How a function's Kafka client waits and tries again, for `createKafka`. Few and short: whoever sends has a deadline,
 * and a fresh producer recovers from what a retry does not, such as a connection that died while the execution
 * environment was frozen. One retry at least, as a leader that moved is found again without connecting anew.
 */
export const functionKafka = {
  retry: { retries: 2, initialRetryTime: 100, maxRetryTime: 1_000 },
  requestTimeoutMs: 3_000,
} as const;

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
   * Calls `work` with the connected producer. Rejects with what it rejects with, or with the signal's reason once
   * `deadline` is aborted; either way it is unknown what was written, and the next call gets a new producer. So
   * `work` must also reject an answer it cannot accept: kafkajs would keep the metadata that led to it for minutes.
   */
  async use<Result>(deadline: AbortSignal, work: (producer: Producer) => Promise<Result>): Promise<Result> {
    this.#connection ??= this.#connect();
    const connection = this.#connection;
    const working = connection.connected.then(() => work(connection.producer));
    try {
      return await before(deadline, working);
    } catch (error) {
      if (this.#connection === connection) this.#connection = undefined;
      void retire(connection.producer, working);
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
 * Closes a producer that is no longer used, without being waited for. Only after its last work has ended: a retry
 * in there would open the connections again.
 */
async function retire(producer: Producer, lastWork: Promise<unknown>): Promise<void> {
  await lastWork.catch(() => {});
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
