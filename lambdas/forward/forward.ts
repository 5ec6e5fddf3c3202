/**
 * Drains the spillway: a shard's records to Kafka, in their order. What cannot be read becomes a dead letter. Where
 * Kafka is away, or what reads the events has enough to do, the rest of the batch goes back to the stream.
 */
import type { KinesisStreamBatchResponse, KinesisStreamEvent, KinesisStreamRecord } from "aws-lambda";
import { deadLetterHeaders } from "../../contracts/dead-letter.ts";
import { IDLE, type LoadSignal, loadOfTopics } from "../../contracts/signals.ts";
import { type SpilledBatch, unpackSpilled } from "../../contracts/spillway-record.ts";
import { DEAD_LETTERS_TOPIC, topics } from "../../contracts/topics.ts";
import { KafkaUnavailableError } from "../../runtime/errors.ts";
import type { RecordPublisher } from "../../runtime/publisher.ts";
import type { OutgoingRecord } from "../../runtime/send-plan.ts";

/** From this load on the spillway keeps what it has; the door begins to spill normal events only above it. */
export const HOLD_ABOVE_LOAD = 0.9;
/** Between looks at the signals, while it holds. As old as the signals may be. */
const HOLD_LOOK_MS = 2_000;
/** A postponed batch comes back at once; holding it here for a while is cheaper than being called for nothing. */
const MAX_HOLD_MS = 20_000;
/** What is kept of the function's time for ending in an orderly way. */
const END_MARGIN_MS = 2_000;
/** One write to Kafka, so that what was written of a long batch counts even where the rest is not. */
const MAX_EVENTS_A_WRITE = 1_000;

const STAGE = "forward";
/** CloudEvents' Kafka binding 1.0.2, section 3.3.1. */
const HEADERS = { "content-type": "application/cloudevents+json; charset=UTF-8" };

export interface ForwardPorts {
  readonly publisher: Pick<RecordPublisher, "publish">;
  /** The signals of late; never rejects. */
  readonly signals: (nowMs: number) => Promise<readonly LoadSignal[]>;
  readonly sleep: (ms: number) => Promise<void>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly remainingMs: () => number;
}

export interface ForwardOutcome {
  readonly response: KinesisStreamBatchResponse;
  readonly forwarded: number;
  readonly dead: number;
  /** Of the oldest event that was forwarded: how long it lay in the spillway. */
  readonly spilledMs: number;
  /** Why the rest goes back to the stream, where it does. */
  readonly postponed?: "kafka-away" | "overloaded" | "out-of-time";
  readonly failure?: KafkaUnavailableError;
}

interface ReadRecord {
  readonly sequenceNumber: string;
  readonly outgoing: readonly OutgoingRecord[];
  readonly topics: ReadonlySet<string>;
  readonly dead: boolean;
  readonly arrivalMs: number;
}

export async function forward({ Records }: KinesisStreamEvent, ports: ForwardPorts): Promise<ForwardOutcome> {
  let forwarded = 0;
  let dead = 0;
  let spilledMs = 0;
  const records = Records.map(read);
  for (let index = 0; index < records.length; ) {
    const write = take(records, index);
    const obstacle = await obstacleTo(write, ports);
    if (obstacle !== undefined) {
      const response = postponeFrom(records[index]!);
      return { response, forwarded, dead, spilledMs, ...obstacle };
    }
    for (const record of write) {
      if (record.dead) dead += 1;
      else forwarded += record.outgoing.length;
      spilledMs = Math.max(spilledMs, ports.now() - record.arrivalMs);
    }
    index += write.length;
  }
  return { response: { batchItemFailures: [] }, forwarded, dead, spilledMs };
}

/** Writes the records, or says what keeps them from being written. */
async function obstacleTo(
  records: readonly ReadRecord[],
  ports: ForwardPorts,
): Promise<Pick<ForwardOutcome, "postponed" | "failure"> | undefined> {
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
async function untilWelcome(records: readonly ReadRecord[], ports: ForwardPorts): Promise<boolean> {
  const concerned = new Set(records.flatMap(({ topics }) => [...topics]));
  const giveUpMs = ports.now() + MAX_HOLD_MS;
  for (;;) {
    const nowMs = ports.now();
    const loads = loadOfTopics(await ports.signals(nowMs), nowMs);
    const load = Math.max(IDLE, ...[...concerned].map((topic) => loads.get(topic) ?? IDLE));
    if (load <= HOLD_ABOVE_LOAD) return true;
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

function read(record: KinesisStreamRecord): ReadRecord {
  const { sequenceNumber, data, approximateArrivalTimestamp } = record.kinesis;
  const bytes = Buffer.from(data, "base64");
  const batch = unpackSpilled(bytes);
  const fault = typeof batch === "string" ? batch : faultOf(batch);
  if (fault === undefined) {
    const { arrivalMs, events } = batch as SpilledBatch;
    const outgoing = events.map((event) => ({ ...event, headers: HEADERS }));
    return {
      sequenceNumber,
      outgoing,
      topics: new Set(events.map(({ topic }) => topic)),
      dead: false,
      arrivalMs,
    };
  }
  const arrivalMs = approximateArrivalTimestamp * 1_000;
  const outgoing = [deadLetter(record, bytes, fault)];
  return { sequenceNumber, outgoing, topics: new Set(), dead: true, arrivalMs };
}

function faultOf({ events }: SpilledBatch): string | undefined {
  const stray = events.find(({ topic }) => !(topic in topics));
  return (
    stray && `One of its events is for the topic ${JSON.stringify(stray.topic)}, which no event goes to.`
  );
}

/** contracts/dead-letter.ts says what each header means. */
function deadLetter(record: KinesisStreamRecord, bytes: Buffer, detail: string): OutgoingRecord {
  const { sequenceNumber } = record.kinesis;
  return {
    topic: DEAD_LETTERS_TOPIC,
    key: Buffer.from(sequenceNumber),
    value: bytes,
    headers: {
      [deadLetterHeaders.reason]: "undecodable",
      [deadLetterHeaders.detail]: detail,
      [deadLetterHeaders.stage]: STAGE,
      [deadLetterHeaders.stream]: record.eventSourceARN.split("/").at(-1) ?? "",
      [deadLetterHeaders.shard]: record.eventID.split(":")[0] ?? "",
      [deadLetterHeaders.sequence]: sequenceNumber,
      [deadLetterHeaders.content]: "record",
    },
  };
}
