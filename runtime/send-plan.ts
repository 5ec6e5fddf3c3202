/**
 * Splits records into sends, as few as the limits allow. kafkajs copies a partition's messages once per message while
 * it groups them and writes each partition's share of a send as one record batch, so both have to be bounded here.
 */
import type { Message, RecordMetadata } from "kafkajs";
import { maxMessageBytes } from "../contracts/limits.ts";
import { partitionOf } from "../contracts/partitioning.ts";

/** Grouping 20,000 messages of one partition takes kafkajs 2.2.4 1.4 s; 1,000 take a few milliseconds. */
const MAX_MESSAGES_PER_SEND = 1_000;
/** Where nothing has to be grouped: what bounds a send then is mostly its bytes. */
const MAX_MESSAGES_PER_PARTITION_SEND = 10_000;
/** Below `max.message.bytes`, with room for the batch's own header and for estimates that fall short. */
const MAX_BATCH_BYTES = maxMessageBytes - 16 * 1024;
/** More than the lengths, deltas and attributes of a record take (record format 2), and of one of its headers. */
const RECORD_OVERHEAD_BYTES = 40;
const HEADER_OVERHEAD_BYTES = 10;

/** A record to write. Keys and values are bytes, which kafkajs is handed as they are. */
export interface OutgoingRecord {
  readonly topic: string;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: Readonly<Record<string, string>>;
  /** @default the key's, as every Kafka client's default does */
  readonly partition?: number;
}

export interface TopicMessages {
  readonly topic: string;
  readonly messages: Message[];
}

export interface Send {
  readonly topicMessages: TopicMessages[];
  /** `topic/partition` of every partition that has to acknowledge it. */
  readonly partitions: ReadonlySet<string>;
  /** What it carries; all of it again, where it fails. */
  readonly records: readonly OutgoingRecord[];
}

export const partitionKey = (topic: string, partition: number): string => `${topic}/${partition}`;

/**
 * Each partition's records stay in their order, from send to send; those of different partitions may overtake each
 * other, so that a full partition holds no other back. A single record that is larger than a batch may be goes out
 * as it is, alone in its batch, for the broker to judge.
 * @param partitionCounts of every topic among the records
 * @param unkeyedHash decides where records without key or partition go, all to the same place
 */
export function planSends(
  records: readonly OutgoingRecord[],
  partitionCounts: ReadonlyMap<string, number>,
  unkeyedHash: number,
): Send[] {
  const sends: OpenSend[] = [];
  const lastSends = new Map<string, number>();
  let firstOpen = 0;
  for (const record of records) {
    const partition = choosePartition(record, partitionCounts.get(record.topic)!, unkeyedHash);
    const place = partitionKey(record.topic, partition);
    const bytes = sizeOf(record);
    let index = Math.max(firstOpen, lastSends.get(place) ?? 0);
    while (sends[index]?.hasRoom(place, bytes) === false) index += 1;
    sends[index] ??= new OpenSend();
    sends[index]!.add(record, partition, place, bytes);
    lastSends.set(place, index);
    while (sends[firstOpen]?.full) firstOpen += 1;
  }
  return sends.map((send) => send.close());
}

/** The same with one partition a send, a partition's sends one after the other, in the order of its records. */
export function planPartitionSends(
  records: readonly OutgoingRecord[],
  partitionCounts: ReadonlyMap<string, number>,
  unkeyedHash: number,
): Send[] {
  const places: { topic: string; partition: number; own: OutgoingRecord[] }[] = [];
  const byTopic = new Map<string, OutgoingRecord[][]>();
  for (const record of records) {
    const { topic } = record;
    const partition = choosePartition(record, partitionCounts.get(topic)!, unkeyedHash);
    let ofTopic = byTopic.get(topic);
    if (ofTopic === undefined) {
      ofTopic = [];
      byTopic.set(topic, ofTopic);
    }
    let own = ofTopic[partition];
    if (own === undefined) {
      own = [];
      ofTopic[partition] = own;
      places.push({ topic, partition, own });
    }
    own.push(record);
  }
  return places.flatMap(({ topic, partition, own }) =>
    inBatches(own).map((batch) => partitionSend(topic, partition, batch)),
  );
}

/** A record that is larger than a batch may be is alone in one. */
function inBatches(records: readonly OutgoingRecord[]): OutgoingRecord[][] {
  const batches: OutgoingRecord[][] = [];
  let batch: OutgoingRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    const more = sizeOf(record);
    const isFull = bytes + more > MAX_BATCH_BYTES || batch.length === MAX_MESSAGES_PER_PARTITION_SEND;
    if (batch.length === 0 || isFull) {
      batch = [];
      batches.push(batch);
      bytes = 0;
    }
    batch.push(record);
    bytes += more;
  }
  return batches;
}

function partitionSend(topic: string, partition: number, records: readonly OutgoingRecord[]): Send {
  const messages = records.map((record) => messageOf(record, partition));
  // How kafkajs groups messages by partition; by itself it copies all that it has of one for each that it adds.
  Object.defineProperty(messages, "reduce", { value: () => ({ [partition]: messages }) });
  return {
    topicMessages: [{ topic, messages }],
    partitions: new Set([partitionKey(topic, partition)]),
    records,
  };
}

/**
 * Throws where an answer leaves a partition out: kafkajs may resolve without one whose leader moved while it retried
 * (design, section 4).
 */
export function checkAcknowledged({ partitions }: Send, answers: readonly RecordMetadata[]): void {
  const missing = new Set(partitions);
  for (const { topicName, partition, errorCode } of answers) {
    if (errorCode === 0) missing.delete(partitionKey(topicName, partition));
  }
  if (missing.size > 0) throw new Error(`Kafka did not acknowledge ${[...missing].join(", ")}.`);
}

function choosePartition(
  { key, partition }: OutgoingRecord,
  partitions: number,
  unkeyedHash: number,
): number {
  if (partition !== undefined) return partition;
  return key === null ? unkeyedHash % partitions : partitionOf(key, partitions);
}

function sizeOf({ key, value, headers }: OutgoingRecord): number {
  let bytes = RECORD_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
  for (const name in headers) {
    bytes += HEADER_OVERHEAD_BYTES + Buffer.byteLength(name) + Buffer.byteLength(headers[name]!);
  }
  return bytes;
}

class OpenSend {
  readonly #records: OutgoingRecord[] = [];
  readonly #messages = new Map<string, Message[]>();
  readonly #batchBytes = new Map<string, number>();

  get full(): boolean {
    return this.#records.length === MAX_MESSAGES_PER_SEND;
  }

  hasRoom(place: string, bytes: number): boolean {
    const batchBytes = this.#batchBytes.get(place) ?? 0;
    return !this.full && (batchBytes === 0 || batchBytes + bytes <= MAX_BATCH_BYTES);
  }

  add(record: OutgoingRecord, partition: number, place: string, bytes: number): void {
    const { topic } = record;
    const messages = this.#messages.get(topic) ?? [];
    messages.push(messageOf(record, partition));
    this.#messages.set(topic, messages);
    this.#batchBytes.set(place, (this.#batchBytes.get(place) ?? 0) + bytes);
    this.#records.push(record);
  }

  close(): Send {
    return {
      topicMessages: [...this.#messages].map(([topic, messages]) => ({ topic, messages })),
      partitions: new Set(this.#batchBytes.keys()),
      records: this.#records,
    };
  }
}

const messageOf = ({ key, value, headers }: OutgoingRecord, partition: number): Message => ({
  key: asBuffer(key),
  value: asBuffer(value),
  headers,
  partition,
});

/** The same memory as a Buffer: kafkajs accepts no other bytes. */
const asBuffer = (bytes: Uint8Array | null): Buffer | null =>
  bytes === null || Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
