/**
 * Writes what was read of a shard to Kafka, in its order. Where Kafka is away, or what reads the events has enough to
 * do, the rest of the batch goes back to the stream.
 */
import type { KinesisStreamBatchResponse } from "aws-lambda";
import { IDLE, type LoadSignal, loadOfTopics } from "../../contracts/signals.ts";
import { type TopicName, topics } from "../../contracts/topics.ts";
import { KafkaUnavailableError } from "../../runtime/errors.ts";
import type { RecordPublisher } from "../../runtime/publisher.ts";
import type { OutgoingRecord } from "../../runtime/send-plan.ts";
import type { Tracing } from "../../runtime/tracing.ts";

/** Between looks at the signals, while it holds. As old as the signals may be. */
const HOLD_LOOK_MS = 2_000;
/** A postponed batch comes back at once; holding it here for a while is cheaper than being called for nothing. */
const MAX_HOLD_MS = 20_000;
/** What is kept of the function's time for ending in an orderly way. */
const END_MARGIN_MS = 2_000;
/** One write to Kafka, so that what was written of a long batch counts even where the rest is not. */
const MAX_EVENTS_A_WRITE = 1_000;

export interface ShardPorts {
  readonly publisher: Pick<RecordPublisher, "publish">;
  /** The signals of late; never rejects. */
  readonly signals: (nowMs: number) => Promise<readonly LoadSignal[]>;
  /** Above it the stream keeps what it has. The door begins to spill normal events only above it. */
  readonly holdAboveLoad: number;
  readonly sleep: (ms: number) => Promise<void>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly remainingMs: () => number;
  readonly tracing: Tracing;
}

export interface ShardOutcome {
  readonly response: KinesisStreamBatchResponse;
  readonly forwarded: number;
  readonly dead: number;
  /** Of the oldest event that was forwarded: how long it lay in the spillway. */
  readonly spilledMs: number;
  /** When the oldest record that is left in the shard arrived, at the earliest; undefined of an empty batch. */
  readonly waitingSinceMs?: number | undefined;
  /** Why the rest goes back to the stream, where it does. */
  readonly postponed?: "kafka-away" | "overloaded" | "out-of-time";
  readonly failure?: KafkaUnavailableError;
}

/** A record of a stream, as it goes to Kafka. */
export interface ReadRecord {
  readonly sequenceNumber: string;
  /** Events, and dead letters of what could not be taken. */
  readonly outgoing: readonly OutgoingRecord[];
  /** Those that its events go to. */
  readonly topics: ReadonlySet<string>;
  readonly dead: number;
  readonly arrivalMs: number;
  /** The trace context of its events. @default none */
  readonly traceparent?: string | undefined;
}

/** What the span of a batch tells. */
export const shardAttributes = ({ forwarded, dead, postponed }: ShardOutcome) => ({
  "spillway.events.forwarded": forwarded,
  "spillway.events.dead": dead,
  ...(postponed && { "spillway.postponed": postponed }),
});

export async function writeShard(records: readonly ReadRecord[], ports: ShardPorts): Promise<ShardOutcome> {
  let forwarded = 0;
  let dead = 0;
  let spilledMs = 0;
  for (let index = 0; index < records.length; ) {
    const write = take(records, index);
    const obstacle = await obstacleTo(write, ports);
    if (obstacle !== undefined) {
      const response = postponeFrom(records[index]!);
      const waitingSinceMs = records[index]!.arrivalMs;
      return { response, forwarded, dead, spilledMs, waitingSinceMs, ...obstacle };
    }
    for (const record of write) {
      dead += record.dead;
      forwarded += record.outgoing.length - record.dead;
      spilledMs = Math.max(spilledMs, ports.now() - record.arrivalMs);
    }
    index += write.length;
  }
  const waitingSinceMs = records.at(-1)?.arrivalMs;
  return { response: { batchItemFailures: [] }, forwarded, dead, spilledMs, waitingSinceMs };
}

/** Writes the records, or says what keeps them from being written. */
async function obstacleTo(
  records: readonly ReadRecord[],
  ports: ShardPorts,
): Promise<Pick<ShardOutcome, "postponed" | "failure"> | undefined> {
  if (!(await untilWelcome(records, ports))) return { postponed: "overloaded" };
  const timeoutMs = ports.remainingMs() - END_MARGIN_MS;
  if (timeoutMs <= 0) return { postponed: "out-of-time" };
  try {
    await ports.publisher.publish(
      records.flatMap(({ outgoing }) => outgoing),
      timeoutMs,
    );
    return undefined;
  } catch (failure) {
    if (!(failure instanceof KafkaUnavailableError)) throw failure;
    return { postponed: "kafka-away", failure };
  }
}

/** Waits for the load of what the records go to. Without signals nothing is held: a drain that is slow is safe. */
async function untilWelcome(records: readonly ReadRecord[], ports: ShardPorts): Promise<boolean> {
  const named = new Set(records.flatMap(({ topics }) => [...topics]));
  // What the door never sheds is not held here either.
  const concerned = [...named].filter((topic) => topics[topic as TopicName]?.priority !== "high");
  const giveUpMs = ports.now() + MAX_HOLD_MS;
  for (;;) {
    const nowMs = ports.now();
    const loads = loadOfTopics(await ports.signals(nowMs), nowMs);
    const load = Math.max(IDLE, ...concerned.map((topic) => loads.get(topic) ?? IDLE));
    if (load <= ports.holdAboveLoad) return true;
    if (nowMs + HOLD_LOOK_MS > giveUpMs || ports.remainingMs() < HOLD_LOOK_MS + END_MARGIN_MS) return false;
    await ports.sleep(HOLD_LOOK_MS);
  }
}

/** As many records from `index` on as one write should have, one at least. */
function take(records: readonly ReadRecord[], index: number): readonly ReadRecord[] {
  let end = index + 1;
  let events = records[index]!.outgoing.length;
  while (end < records.length && events + records[end]!.outgoing.length <= MAX_EVENTS_A_WRITE) {
    events += records[end]!.outgoing.length;
    end += 1;
  }
  return records.slice(index, end);
}

/** The mapping gives this record and everything after it again. */
const postponeFrom = ({ sequenceNumber }: ReadRecord): KinesisStreamBatchResponse => ({
  batchItemFailures: [{ itemIdentifier: sequenceNumber }],
});
