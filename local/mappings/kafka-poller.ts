import { type Consumer, type EachBatchPayload, Kafka, logLevel } from "kafkajs";
import { BatchQueue } from "./batch-queue.ts";
import { type KafkaEventRecord, kafkaEvent, kafkaEventRecord, kafkaRecordBytes } from "./kafka-event.ts";
import { MAX_BATCH_BYTES, type Poller, type PollerOptions, pause } from "./mapping.ts";

const DEFAULT_BATCH_SIZE = 100;
/** Kafka sources have a window of 500 ms where the mapping sets none (Lambda, batching behavior). */
const DEFAULT_WINDOW_MS = 500;
const FIRST_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 30_000;
const DISCONNECT_TIMEOUT_MS = 3_000;

export interface KafkaPollerOptions extends PollerOptions {
  readonly bootstrapServers: string;
}

interface PartitionWorker {
  readonly queue: BatchQueue<KafkaEventRecord>;
  readonly abort: AbortController;
  /** Lets the partition be fetched again; undefined while it is. */
  resume: (() => void) | undefined;
}

/**
 * Lambda's poller for an MSK source. It reads uncommitted on purpose: AWS documents no isolation level, so a
 * function must stand records of open and of aborted transactions. Partitions go side by side, each in its order,
 * one batch at a time; a batch that fails comes again until it succeeds. Offsets are committed after success.
 */
export class KafkaPoller implements Poller {
  readonly #options: KafkaPollerOptions;
  readonly #consumer: Consumer;
  readonly #workers = new Map<string, PartitionWorker>();
  #stopping = false;

  constructor(options: KafkaPollerOptions) {
    this.#options = options;
    const kafka = new Kafka({
      clientId: `spillway-local-${options.name}`,
      brokers: options.bootstrapServers.split(","),
      logLevel: logLevel.NOTHING,
      // Brokers come back: a poller never gives up.
      retry: { initialRetryTime: 100, maxRetryTime: 2_000, retries: Number.MAX_SAFE_INTEGER },
    });
    this.#consumer = kafka.consumer({
      groupId: options.settings.consumerGroup ?? options.name,
      readUncommitted: true,
      maxWaitTimeInMs: 250,
      retry: { restartOnFailure: async () => !this.#stopping },
    });
  }

  async start(): Promise<void> {
    const { topics, startingPosition } = this.#options.settings;
    const { GROUP_JOIN, REBALANCING } = this.#consumer.events;
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topics: [...topics], fromBeginning: startingPosition !== "LATEST" });
    const joined = new Promise<void>((resolve) => {
      this.#consumer.on(GROUP_JOIN, () => {
        this.#restartWorkers();
        resolve();
      });
    });
    this.#consumer.on(REBALANCING, () => this.#dropWorkers());
    const running = this.#consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: true,
      // Callbacks only enqueue, so that this bounds nothing but how many of them overlap.
      partitionsConsumedConcurrently: 1,
      eachBatch: async (payload) => this.#enqueue(payload),
    });
    running.catch((error: Error) => this.#options.warn(`${this.#options.name}: ${error.message}`));
    // From the beginning of the log there is no position to lose, and so nothing to wait for.
    if (startingPosition === "LATEST") await joined;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#dropWorkers();
    // With the brokers gone, leaving the group would be tried for ever.
    const timeout = AbortSignal.timeout(DISCONNECT_TIMEOUT_MS);
    await Promise.race([
      this.#consumer.disconnect(),
      new Promise<void>((resolve) => timeout.addEventListener("abort", () => resolve(), { once: true })),
    ]);
  }

  /** Queues a fetched batch and pauses its partition until the function has taken it: that bounds the memory. */
  #enqueue({ batch, pause: pausePartition }: EachBatchPayload): void {
    const { topic, partition, messages } = batch;
    const worker = this.#workerOf(topic, partition);
    worker.queue.push(
      messages.map((message) => kafkaEventRecord(topic, partition, message)),
      Date.now(),
    );
    worker.resume = pausePartition();
    this.#resumeIfLow(worker);
  }

  #workerOf(topic: string, partition: number): PartitionWorker {
    const name = `${topic}-${partition}`;
    let worker = this.#workers.get(name);
    if (worker === undefined) {
      const { batchSize, windowMs } = this.#options.settings;
      const limits = {
        maxRecords: batchSize ?? DEFAULT_BATCH_SIZE,
        maxBytes: MAX_BATCH_BYTES,
        windowMs: windowMs ?? DEFAULT_WINDOW_MS,
      };
      worker = {
        queue: new BatchQueue(limits, kafkaRecordBytes),
        abort: new AbortController(),
        resume: undefined,
      };
      this.#workers.set(name, worker);
      void this.#work(worker);
    }
    return worker;
  }

  async #work(worker: PartitionWorker): Promise<void> {
    const { signal } = worker.abort;
    for (;;) {
      const records = await worker.queue.next(signal);
      if (records === undefined) return;
      this.#resumeIfLow(worker);
      if (!(await this.#deliver(records, signal))) return;
      await this.#commit(records.at(-1)!);
    }
  }

  /** Invokes until it succeeds; false when the partition is no longer this poller's. */
  async #deliver(records: readonly KafkaEventRecord[], signal: AbortSignal): Promise<boolean> {
    const { settings, bootstrapServers, target, name, warn } = this.#options;
    const event = kafkaEvent(settings.sourceArn, bootstrapServers, records);
    for (let backoffMs = FIRST_BACKOFF_MS; ; backoffMs = Math.min(2 * backoffMs, MAX_BACKOFF_MS)) {
      const result = await target.invoke(event);
      if (signal.aborted) return false;
      if (result.kind === "answer") return true;
      const { topic, partition, offset } = records[0]!;
      const reason = result.kind === "error" ? result.error.errorType : result.kind;
      warn(
        `${name}: ${topic}-${partition} from offset ${offset} failed (${reason}); again in ${backoffMs} ms`,
      );
      if (!(await pause(backoffMs, signal))) return false;
    }
  }

  async #commit({ topic, partition, offset }: KafkaEventRecord): Promise<void> {
    try {
      await this.#consumer.commitOffsets([{ topic, partition, offset: String(offset + 1) }]);
    } catch {
      // The group moved on or the broker is away: the records come again, as at-least-once delivery allows.
    }
  }

  /** Fetches on while less than a batch waits, so that the function need not wait for the next fetch. */
  #resumeIfLow(worker: PartitionWorker): void {
    const { batchSize = DEFAULT_BATCH_SIZE } = this.#options.settings;
    if (worker.queue.length >= batchSize) return;
    worker.resume?.();
    worker.resume = undefined;
  }

  /** What is queued belongs to the assignment that is over; it comes again from the committed offset. */
  #dropWorkers(): void {
    for (const { abort } of this.#workers.values()) abort.abort();
    this.#workers.clear();
  }

  #restartWorkers(): void {
    this.#dropWorkers();
    const paused = this.#consumer.paused();
    if (paused.length > 0) this.#consumer.resume(paused);
  }
}
