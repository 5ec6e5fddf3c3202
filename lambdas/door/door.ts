/**
 * Reads a producer's records: each holds a CloudEvent as structured JSON, or a JSON array of them. They are judged as
 * `POST /events` judges them; nobody waits for the answer, so that what is refused becomes a dead letter.
 */
import { SpanKind } from "@opentelemetry/api";
import type { KinesisStreamEvent, KinesisStreamRecord } from "aws-lambda";
import type { OutgoingRecord } from "../../runtime/send-plan.ts";
import { within } from "../../runtime/tracing.ts";
import {
  type ReadRecord,
  type ShardOutcome,
  type ShardPorts,
  shardAttributes,
  writeShard,
} from "../forward/shard.ts";
import { streamDeadLetter } from "../forward/stream-dead-letter.ts";
import { judgeEvent, type OutgoingEvent } from "../ingest/judge.ts";
import { type Producer, traced } from "../ingest/producer.ts";
import { eventsOfRecord } from "../ingest/record-events.ts";

const STAGE = "door";

/** Moves a batch of one shard to Kafka; see shard.ts for what is postponed. A trace may begin with it. */
export function passDoor(
  { Records }: KinesisStreamEvent,
  producer: Producer,
  ports: ShardPorts,
): Promise<ShardOutcome> {
  const span = ports.tracing.begin(STAGE, undefined, SpanKind.CONSUMER);
  const sender = traced(producer, span?.traceparent);
  const write = () =>
    writeShard(
      Records.map((record) => readDoorRecord(record, sender)),
      ports,
    );
  return within(span, write, shardAttributes);
}

/** What the producer's door makes of a record: events, and dead letters of what it refuses. */
export function readDoorRecord(record: KinesisStreamRecord, producer: Producer): ReadRecord {
  const { sequenceNumber, data, approximateArrivalTimestamp } = record.kinesis;
  const arrivalMs = Math.round(approximateArrivalTimestamp * 1_000);
  const bytes = Buffer.from(data, "base64");
  const received = eventsOfRecord(bytes, data);
  const refused = (value: Buffer, detail: string): OutgoingRecord =>
    streamDeadLetter(record, value, {
      stage: STAGE,
      reason: "refused-at-door",
      detail,
      producer: producer.name,
    });
  const accepted: OutgoingEvent[] = [];
  const letters: OutgoingRecord[] = [];
  let whole: string | undefined = typeof received === "string" ? received : undefined;
  for (const event of typeof received === "string" ? [] : received) {
    const { accepted: taken, refused: problem } = judgeEvent(event, 0, arrivalMs, producer);
    if (taken) accepted.push(taken);
    if (!problem) continue;
    const detail = `${problem.field ?? ""}: ${problem.detail}`;
    const own = event.bytes ?? serialized(event.event, bytes.length);
    if (own) letters.push(refused(own, detail));
    else whole ??= detail;
  }
  // Its bytes are told once, for all of its events that have none of their own.
  if (whole !== undefined) letters.push(refused(bytes, whole));
  return {
    sequenceNumber,
    outgoing: [...accepted, ...letters],
    topics: new Set(accepted.map(({ topic }) => topic)),
    dead: letters.length,
    arrivalMs,
  };
}

/**
 * An event of a batch as JSON. Undefined where it is nested more deeply than can be written again, or grows: then it
 * might not fit into a message, and the record that it came in does.
 */
function serialized(event: unknown, maxBytes: number): Buffer | undefined {
  try {
    const bytes = Buffer.from(JSON.stringify(event));
    return bytes.length <= maxBytes ? bytes : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
