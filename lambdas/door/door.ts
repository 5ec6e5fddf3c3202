/**
 * Reads a producer's records: each holds a CloudEvent as structured JSON, or a JSON array of them. They are judged as
 * `POST /events` judges them; nobody waits for the answer, so that what is refused becomes a dead letter.
 */
import type { KinesisStreamEvent, KinesisStreamRecord } from "aws-lambda";
import { BATCH_MEDIA_TYPE, STRUCTURED_MEDIA_TYPE } from "../../contracts/cloudevent.ts";
import { RequestRefusedError } from "../../runtime/problem.ts";
import type { OutgoingRecord } from "../../runtime/send-plan.ts";
import { type ReadRecord, type ShardOutcome, type ShardPorts, writeShard } from "../forward/shard.ts";
import { streamDeadLetter } from "../forward/stream-dead-letter.ts";
import { type ReceivedEvent, readEvents } from "../ingest/content-mode.ts";
import { judgeEvent, type OutgoingEvent } from "../ingest/judge.ts";
import type { Producer } from "../ingest/producer.ts";

const STAGE = "door";
const ARRAY_START = 0x5b;
/** The white space that JSON allows. */
const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;

/** Moves a batch of one shard to Kafka; see shard.ts for what is postponed. */
export function passDoor(
  { Records }: KinesisStreamEvent,
  producer: Producer,
  ports: ShardPorts,
): Promise<ShardOutcome> {
  return writeShard(
    Records.map((record) => read(record, producer)),
    ports,
  );
}

function read(record: KinesisStreamRecord, producer: Producer): ReadRecord {
  const { sequenceNumber, data, approximateArrivalTimestamp } = record.kinesis;
  const arrivalMs = Math.round(approximateArrivalTimestamp * 1_000);
  const bytes = Buffer.from(data, "base64");
  const received = eventsIn(data, bytes);
  const accepted: OutgoingEvent[] = [];
  const letters: OutgoingRecord[] = [];
  let whole: string | undefined = typeof received === "string" ? received : undefined;
  for (const event of typeof received === "string" ? [] : received) {
    const { accepted: taken, refused: problem } = judgeEvent(event, 0, arrivalMs, producer);
    if (taken) accepted.push(taken);
    if (!problem) continue;
    const detail = `${problem.field ?? ""}: ${problem.detail}`;
    const own = event.bytes ?? serialized(event.event, bytes.length);
    if (own) letters.push(refused(record, own, detail));
    else whole ??= detail;
  }
  // Its bytes are told once, for all of its events that have none of their own.
  if (whole !== undefined) letters.push(refused(record, bytes, whole));
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

/** The events of a record, or why it holds none. */
function eventsIn(data: string, bytes: Buffer): readonly ReceivedEvent[] | string {
  const isBatch = bytes.find((byte) => !isSpace(byte)) === ARRAY_START;
  const headers = { "content-type": isBatch ? BATCH_MEDIA_TYPE : STRUCTURED_MEDIA_TYPE };
  try {
    return readEvents({ headers, body: data, isBase64Encoded: true });
  } catch (error) {
    if (error instanceof RequestRefusedError) return error.problem.detail;
    throw error;
  }
}

const refused = (record: KinesisStreamRecord, value: Buffer, detail: string): OutgoingRecord =>
  streamDeadLetter(record, value, { stage: STAGE, reason: "refused-at-door", detail });
