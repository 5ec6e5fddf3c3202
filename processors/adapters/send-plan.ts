/**
 * Splits a commit's outputs into sends. kafkajs copies a partition's messages once per message while it groups them
 * and writes each partition's share of a send as one record batch, so both have to be bounded here.
 */
import type { Message } from "kafkajs";
import { partitionOf } from "../../contracts/partitioning.ts";
import type { OutputRecord } from "../engine/log/port.ts";

/** Grouping 20,000 messages of one partition takes kafkajs 2.2.4 1.4 s; 1,000 take a few milliseconds. */
const MAX_MESSAGES_PER_SEND = 1_000;
/** Below Kafka's and MSK's default max.message.bytes of 1,048,588, with room for estimates that fall short. */
const MAX_BATCH_BYTES = 1_000_000;
/** More than the lengths, deltas and attributes of a record take (record format 2), and of one of its headers. */
const RECORD_OVERHEAD_BYTES = 40;
const HEADER_OVERHEAD_BYTES = 10;

export interface TopicMessages {
  readonly topic: string;
  readonly messages: Message[];
}

export interface Send {
  readonly topicMessages: TopicMessages[];
  /** `topic/partition` of every partition that has to acknowledge it. */
  readonly partitions: ReadonlySet<string>;
}

export const partitionKey = (topic: string, partition: number): string => `${topic}/${partition}`;

/**
 * Sends in the order of the outputs, each within the limits; only a single record that is larger than a batch may
 * be goes out as it is, alone in its batch, for the broker to judge.
 * @param partitionCounts of every topic among the outputs
 * @param unkeyedHash spreads the tasks' records without key or partition; one task's stay together
 */
export function planSends(
  outputs: readonly OutputRecord[],
  partitionCounts: ReadonlyMap<string, number>,
  unkeyedHash: number,
): Send[] {
  const sends: Send[] = [];
  let plan = new OpenSend();
  for (const output of outputs) {
    const partition = choosePartition(output, partitionCounts.get(output.topic)!, unkeyedHash);
    const bytes = sizeOf(output);
    if (!plan.hasRoom(output.topic, partition, bytes)) {
      sends.push(plan.close());
      plan = new OpenSend();
    }
    plan.add(output, partition, bytes);
  }
  if (!plan.empty) sends.push(plan.close());
  return sends;
}

function choosePartition({ key, partition }: OutputRecord, partitions: number, unkeyedHash: number): number {
  if (partition !== undefined) return partition;
  return key === null ? unkeyedHash % partitions : partitionOf(key, partitions);
}

function sizeOf({ key, value, headers }: OutputRecord): number {
  let bytes = RECORD_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
  for (const name in headers) {
    bytes += HEADER_OVERHEAD_BYTES + Buffer.byteLength(name) + Buffer.byteLength(headers[name]!);
  }
  return bytes;
}

class OpenSend {
  readonly #messages = new Map<string, Message[]>();
  readonly #batchBytes = new Map<string, number>();
  #count = 0;

  get empty(): boolean {
    return this.#count === 0;
  }

  hasRoom(topic: string, partition: number, bytes: number): boolean {
    const batchBytes = this.#batchBytes.get(partitionKey(topic, partition)) ?? 0;
    return this.#count < MAX_MESSAGES_PER_SEND && (batchBytes === 0 || batchBytes + bytes <= MAX_BATCH_BYTES);
  }

  add({ topic, key, value, headers }: OutputRecord, partition: number, bytes: number): void {
    const batch = partitionKey(topic, partition);
    const messages = this.#messages.get(topic) ?? [];
    messages.push({ key: asBuffer(key), value: asBuffer(value), headers, partition });
    this.#messages.set(topic, messages);
    this.#batchBytes.set(batch, (this.#batchBytes.get(batch) ?? 0) + bytes);
    this.#count += 1;
  }

  close(): Send {
    return {
      topicMessages: [...this.#messages].map(([topic, messages]) => ({ topic, messages })),
      partitions: new Set(this.#batchBytes.keys()),
    };
  }
}

/** The same memory as a Buffer: kafkajs accepts no other bytes. */
const asBuffer = (bytes: Uint8Array | null): Buffer | null =>
  bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
