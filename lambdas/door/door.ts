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
  const received = eventsIn(data);
  if (typeof received === "string") {
    return {
      sequenceNumber,
      outgoing: [refused(record, Buffer.from(data, "base64"), received)],
      topics: new Set(),
      dead: 1,
      arrivalMs,
    };
  }
  const outgoing = received.map((event) => judge(record, event, producer, arrivalMs));
  const accepted = outgoing.filter(({ dead }) => !dead);
  return {
    sequenceNumber,
    outgoing: outgoing.map((one) => one.record),
    topics: new Set(accepted.map((one) => one.record.topic)),
    dead: outgoing.length - accepted.length,
    arrivalMs,
  };
}

/** The events of a record, or why it holds none. */
function eventsIn(data: string): readonly ReceivedEvent[] | string {
  const isBatch = Buffer.from(data, "base64").find((byte) => !isSpace(byte)) === ARRAY_START;
  const headers = { "content-type": isBatch ? BATCH_MEDIA_TYPE : STRUCTURED_MEDIA_TYPE };
  try {
    return readEvents({ headers, body: data, isBase64Encoded: true });
  } catch (error) {
    if (error instanceof RequestRefusedError) return error.problem.detail;
    throw error;
  }
}

interface Judged {
  readonly record: OutgoingRecord;
  readonly dead: boolean;
}

function judge(
  record: KinesisStreamRecord,
  received: ReceivedEvent,
  producer: Producer,
  arrivalMs: number,
): Judged {
  const { accepted, refused: problem } = judgeEvent(received, 0, arrivalMs, producer);
  if (problem === undefined) return { record: accepted as OutgoingEvent, dead: false };
  const bytes = received.bytes ?? Buffer.from(JSON.stringify(received.event));
  return { record: refused(record, bytes, `${problem.field ?? ""}: ${problem.detail}`), dead: true };
}

const refused = (record: KinesisStreamRecord, value: Buffer, detail: string): OutgoingRecord =>
  streamDeadLetter(record, value, { stage: STAGE, reason: "refused-at-door", detail });
