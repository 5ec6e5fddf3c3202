/** A member of a consumer group, on kafkajs (design, section 4: rules 6 and 7 and "kafkajs 2.2.4"). */
import type {
  Consumer,
  ConsumerGroupJoinEvent,
  ConsumerStartBatchProcessEvent,
  EachBatchPayload,
  Kafka,
} from "kafkajs";
import { withRecordBatches } from "../../runtime/fetch-decoding.ts";
import { partitionKey } from "../../runtime/send-plan.ts";
import type { GroupHandlers, GroupMembership, TopicPartition } from "../engine/log/port.ts";
import { type FetchedBatches, KafkaBatch } from "./kafka-batch.ts";
import { stickyAssigner } from "./sticky-assigner.ts";

/**
 * An idle fetch waits this long; so does a partition that was just resumed, and the next heartbeat that is due:
 * kafkajs sends heartbeats between fetches, also while everything is paused, never beside them.
 */
const MAX_FETCH_WAIT_MS = 100;
const MAX_PARTITION_BYTES = 1024 * 1024;
/** How long the group waits for members that live but do not join again. */
const REBALANCE_TIMEOUT_MS = 15_000;

/**
 * kafkajs counts retries over the whole time since the last join, so that a few a day would end the consumer. What
 * ends it here is time without a heartbeat.
 */
export const GROUP_RETRY = { initialRetryTime: 50, maxRetryTime: 1_000, retries: 1_000 };
/**
 * Longer than any join or change of coordinator takes. Counted in ticks, so that a laptop's sleep counts as one. A
 * heartbeat counts only in a generation that has given this member its partitions: kafkajs may go on with heartbeats
 * while its joining leads nowhere, and then nothing is read.
 */
const MAX_SILENT_TICKS = 45;
const TICK_MS = 1_000;

export interface MembershipOptions {
  /** Shared with no producer: kafkajs keeps committed offsets in one cache per instance. */
  readonly kafka: Kafka;
  readonly group: string;
  readonly topics: readonly string[];
  /** Of all topics together. */
  readonly partitionCount: number;
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  /** @default it reads from leaders */
  readonly rackId?: string | undefined;
  readonly handlers: GroupHandlers;
}

/**
 * kafkajs sends one heartbeat at a time, so the second that is answered was sent after the first, and that was answered
 * after the question. Times of sending do not tell: a wall clock may be set back in between.
 */
const CONFIRMING_HEARTBEATS = 2;

interface Confirmation {
  answeredHeartbeats: number;
  readonly answer: (confirmed: boolean) => void;
}

export class KafkaMembership implements GroupMembership {
  readonly #consumer: Consumer;
  readonly #handlers: GroupHandlers;
  /** Counts joins. The group's own number is not known when a join completes. */
  #generation = 0;
  /** Whether `#generation` is the group's present one, as far as this member knows. */
  #current = false;
  #ended = false;
  #partitions: readonly TopicPartition[] = [];
  readonly #resumed = new Set<string>();
  /** The group's number of the last generation that a heartbeat was answered in. */
  #groupGeneration = 0;
  readonly #confirmations: Confirmation[] = [];
  #silentTicks = 0;
  /** Rejects when it ends before it has joined; later the handlers hear of it. */
  readonly #failed = Promise.withResolvers<never>();
  #watchdog: NodeJS.Timeout | undefined;

  private constructor({ kafka, handlers, ...options }: MembershipOptions) {
    this.#handlers = handlers;
    this.#consumer = kafka.consumer({
      groupId: options.group,
      partitionAssigners: [
        stickyAssigner(
          () => this.#claim(),
          () => this.#lose(),
        ),
      ],
      sessionTimeout: options.sessionTimeoutMs,
      heartbeatInterval: options.heartbeatIntervalMs,
      rebalanceTimeout: Math.max(REBALANCE_TIMEOUT_MS, options.sessionTimeoutMs),
      maxWaitTimeInMs: MAX_FETCH_WAIT_MS,
      minBytes: 1,
      maxBytesPerPartition: MAX_PARTITION_BYTES,
      readUncommitted: false,
      ...(options.rackId !== undefined && { rackId: options.rackId }),
      allowAutoTopicCreation: false,
      retry: { ...GROUP_RETRY, restartOnFailure: async () => false },
    });
  }

  /** Resolves once the group has given this member its partitions. Rejects with kafkajs' error. */
  static async join(options: MembershipOptions): Promise<KafkaMembership> {
    const membership = new KafkaMembership(options);
    try {
      // kafkajs' own promise resolves also where its consumer has crashed.
      await Promise.race([membership.#failed.promise, membership.#run(options)]);
    } catch (error) {
      await membership.leave();
      throw error;
    }
    return membership;
  }

  seek({ topic, partition, offset }: TopicPartition & { readonly offset: number }): void {
    this.#consumer.seek({ topic, partition, offset: String(offset) });
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) this.#resumed.delete(partitionKey(topic, partition));
    this.#consumer.pause(partitions.map(({ topic, partition }) => ({ topic, partitions: [partition] })));
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) this.#resumed.add(partitionKey(topic, partition));
    this.#consumer.resume(partitions.map(({ topic, partition }) => ({ topic, partitions: [partition] })));
  }

  confirm(generation: number): Promise<boolean> {
    if (!this.#current || generation !== this.#generation) return Promise.resolve(false);
    return new Promise((answer) => this.#confirmations.push({ answeredHeartbeats: 0, answer }));
  }

  async leave(): Promise<void> {
    this.#end();
    await this.#consumer.disconnect();
  }

  async #run({ topics, partitionCount }: MembershipOptions): Promise<void> {
    this.#listen();
    this.#watchdog = setInterval(() => this.#tick(), TICK_MS).unref();
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topics: [...topics] });
    await withRecordBatches(() =>
      this.#consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        // One worker for each batch that a fetch can bring, so that all are handed over in the turn in which they
        // arrive: kafkajs checks only then that their partition was not paused or moved meanwhile.
        partitionsConsumedConcurrently: partitionCount,
        eachBatch: async (payload) => this.#deliver(payload),
      }),
    );
  }

  #listen(): void {
    const { events } = this.#consumer;
    this.#consumer.on(events.GROUP_JOIN, ({ payload }) => this.#guard(() => this.#assign(payload)));
    this.#consumer.on(events.REBALANCING, () => this.#lose());
    this.#consumer.on(events.CRASH, ({ payload }) => this.#crash(payload.error));
    this.#consumer.on(events.START_BATCH_PROCESS, ({ payload }) => this.#deliverPosition(payload));
    this.#consumer.on(events.HEARTBEAT, ({ payload }) => this.#heartbeat(payload.groupGenerationId));
  }

  #claim() {
    const [first] = this.#partitions;
    // A member reads the same partitions of every topic, so one topic's tell all.
    const partitions = this.#partitions.filter(({ topic }) => topic === first?.topic);
    return { generation: this.#groupGeneration, partitions: partitions.map(({ partition }) => partition) };
  }

  /** Called within the join: the next fetch finds everything paused. */
  #assign({ memberAssignment }: ConsumerGroupJoinEvent["payload"]): void {
    if (this.#ended) return;
    this.#partitions = Object.entries(memberAssignment).flatMap(([topic, partitions]) =>
      partitions.map((partition) => ({ topic, partition: Number(partition) })),
    );
    this.#resumed.clear();
    this.pause(this.#partitions);
    this.#generation += 1;
    this.#current = true;
    this.#silentTicks = 0;
    this.#handlers.onAssigned({ generation: this.#generation, partitions: this.#partitions });
  }

  /** Leaves an unwanted batch unresolved, so that it is fetched again when its partition is wanted. */
  #deliver({ batch, resolveOffset, isStale }: EachBatchPayload): void {
    const wanted = this.#resumed.has(partitionKey(batch.topic, batch.partition));
    if (!this.#current || !wanted || isStale()) return;
    resolveOffset(batch.messages.at(-1)!.offset);
    const fetched = batch as unknown as FetchedBatches;
    this.#guard(() => this.#handlers.onBatch(KafkaBatch.of(fetched), this.#generation));
  }

  /**
   * kafkajs steps over a fetch of nothing but commit markers and aborted records without a call, but not without an
   * event, and in the same turn; without it the end of a log that is written by transactions is never reached.
   */
  #deliverPosition(fetched: ConsumerStartBatchProcessEvent["payload"]): void {
    if (fetched.batchSize > 0 || !this.#current) return;
    if (!this.#resumed.has(partitionKey(fetched.topic, fetched.partition))) return;
    this.#guard(() => this.#handlers.onBatch(KafkaBatch.withoutRecords(fetched), this.#generation));
  }

  #heartbeat(groupGeneration: number): void {
    // While it joins again, a heartbeat may already speak for the generation to come.
    if (!this.#current) return;
    this.#silentTicks = 0;
    this.#groupGeneration = groupGeneration;
    for (const confirmation of this.#confirmations) confirmation.answeredHeartbeats += 1;
    // The oldest question is the first in line.
    const waiting = this.#confirmations.findIndex(
      ({ answeredHeartbeats }) => answeredHeartbeats < CONFIRMING_HEARTBEATS,
    );
    const confirmed = this.#confirmations.splice(0, waiting === -1 ? this.#confirmations.length : waiting);
    for (const { answer } of confirmed) answer(true);
  }

  #lose(): void {
    if (!this.#current) return;
    this.#stopBeingCurrent();
    this.#guard(() => this.#handlers.onLost());
  }

  #stopBeingCurrent(): void {
    this.#current = false;
    for (const { answer } of this.#confirmations.splice(0)) answer(false);
  }

  #tick(): void {
    this.#silentTicks += 1;
    if (this.#silentTicks < MAX_SILENT_TICKS) return;
    this.#crash(new Error(`no heartbeat was answered in an assigned generation for ${MAX_SILENT_TICKS} s`));
  }

  /** kafkajs would log what a handler throws, and call it again. */
  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#crash(error as Error);
    }
  }

  #crash(error: Error): void {
    if (this.#ended) return;
    this.#end();
    if (this.#generation === 0) this.#failed.reject(error);
    else this.#handlers.onCrash(error);
  }

  #end(): void {
    this.#ended = true;
    clearInterval(this.#watchdog);
    this.#stopBeingCurrent();
  }
}
