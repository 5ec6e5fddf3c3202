/**
 * A record of the spillway stream: events that were accepted while Kafka could not take them, several to a record,
 * since Kinesis counts records as well as bytes. Pure binary, so that an event's bytes arrive as they came:
 *
 * | bytes | what |
 * | --- | --- |
 * | 1 | version of the format: 1, or 2 where the events came with a trace context |
 * | 8 | when the events arrived: milliseconds since the epoch, unsigned, big-endian |
 * | 2 + n | the length (big-endian) and the name of whoever sent them, UTF-8 |
 * | 1 + n | of version 2 only: the length of their `traceparent` (contracts/traceparent.ts) and the text itself |
 * | then for each event | |
 * | 1 + n | the topic's length and its name, UTF-8 |
 * | 2 + n | the Kafka key's length (big-endian) and the key |
 * | 4 + n | the value's length (big-endian) and the event, structured JSON |
 *
 * Events of one request share a record, or records of one partition key, in the order in which they were accepted.
 */
import { maxMessageBytes } from "./limits.ts";

export interface SpilledEvent {
  readonly topic: string;
  readonly key: Buffer;
  readonly value: Buffer;
}

export interface SpilledBatch {
  readonly arrivalMs: number;
  /** As the door has established it (contracts/producers.ts); at most 65,535 bytes. */
  readonly producer: string;
  /** The trace context of the request that they came in; at most 255 characters. @default none */
  readonly traceparent?: string | undefined;
  readonly events: readonly SpilledEvent[];
}

const VERSION = 1;
const TRACED_VERSION = 2;
/** Of a record whose producer has no name. */
const LEAST_HEAD_BYTES = 11;
const LENGTHS_BYTES = 7;

/** Kinesis takes 1 MiB a record, with its partition key, of which these have a few characters. */
export const maxSpillwayRecordBytes = maxMessageBytes - 1024;

/** How many bytes an event takes in a record. */
export const spilledBytes = ({ topic, key, value }: SpilledEvent): number =>
  LENGTHS_BYTES + Buffer.byteLength(topic) + key.length + value.length;

/** Events, in order, as few records as they fit into. One event always fits: see limits.ts. */
export function packSpilled({ events, ...origin }: SpilledBatch): Buffer[] {
  const records: Buffer[] = [];
  const { producer, traceparent } = origin;
  const traceBytes = traceparent === undefined ? 0 : 1 + Buffer.byteLength(traceparent);
  const headBytes = LEAST_HEAD_BYTES + Buffer.byteLength(producer) + traceBytes;
  let from = 0;
  let bytes = headBytes;
  events.forEach((event, index) => {
    const more = spilledBytes(event);
    if (bytes + more > maxSpillwayRecordBytes && index > from) {
      records.push(pack({ ...origin, events: events.slice(from, index) }, bytes));
      from = index;
      bytes = headBytes;
    }
    bytes += more;
  });
  if (from < events.length) records.push(pack({ ...origin, events: events.slice(from) }, bytes));
  return records;
}

function pack({ arrivalMs, producer, traceparent, events }: SpilledBatch, bytes: number): Buffer {
  const record = Buffer.allocUnsafe(bytes);
  record.writeUInt8(traceparent === undefined ? VERSION : TRACED_VERSION, 0);
  record.writeBigUInt64BE(BigInt(arrivalMs), 1);
  let at = record.writeUInt16BE(Buffer.byteLength(producer), 9);
  at += record.write(producer, at);
  if (traceparent !== undefined) {
    at = record.writeUInt8(Buffer.byteLength(traceparent), at);
    at += record.write(traceparent, at);
  }
  for (const { topic, key, value } of events) {
    at = record.writeUInt8(Buffer.byteLength(topic), at);
    at += record.write(topic, at);
    at = record.writeUInt16BE(key.length, at);
    at += key.copy(record, at);
    at = record.writeUInt32BE(value.length, at);
    at += value.copy(record, at);
  }
  return record;
}

/** What a record holds, or a sentence that says why it is none. The events' bytes are views of the record's. */
export function unpackSpilled(record: Buffer): SpilledBatch | string {
  if (record.length < LEAST_HEAD_BYTES) {
    return `It has ${record.length} bytes; its head alone takes ${LEAST_HEAD_BYTES}.`;
  }
  const version = record[0];
  if (version !== VERSION && version !== TRACED_VERSION) {
    return `It is of version ${version} of the format; ${VERSION} and ${TRACED_VERSION} are known.`;
  }
  const arrivalMs = Number(record.readBigUInt64BE(1));
  const events: SpilledEvent[] = [];
  let producer = "";
  let traceparent: string | undefined;
  let at = 9;
  const take = (lengthBytes: 1 | 2 | 4): Buffer => {
    const start = at + lengthBytes;
    const end = start + record.readUIntBE(at, lengthBytes);
    if (end > record.length) throw new RangeError();
    at = end;
    return record.subarray(start, end);
  };
  try {
    producer = take(2).toString();
    if (version === TRACED_VERSION) traceparent = take(1).toString();
    while (at < record.length) {
      events.push({ topic: take(1).toString(), key: take(2), value: take(4) });
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return `It ends in the middle of its event ${events.length}.`;
  }
  return { arrivalMs, producer, ...(traceparent !== undefined && { traceparent }), events };
}
