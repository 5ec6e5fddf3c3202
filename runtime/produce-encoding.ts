/**
 * Has kafkajs 2.2.4 write what it produces with record-batch.ts. Its own encoder makes several buffers for each record
 * and a copy for each number in it, which was two thirds of a producer's processor time. The bytes are the same, as
 * test/runtime/produce-encoding.test.ts shows; what this does not know (compression, timestamps, a header of several
 * values) kafkajs encodes itself. Importing this module is enough.
 */
import produce from "kafkajs/src/protocol/requests/produce/index.js";
import { type BatchRecord, maxBatchBytes, writeBatch } from "./record-batch.ts";

/** A request as kafkajs describes it. */
export interface ProduceRequest {
  readonly acks: number;
  readonly timeout: number;
  /** @default 0, none */
  readonly compression?: number;
  readonly transactionalId?: string | null;
  /** A number of 64 bits, in a form whose text is its digits. @default -1 */
  readonly producerId?: { toString(): string };
  readonly producerEpoch?: number;
  readonly topicData: readonly {
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly firstSequence?: number;
      readonly messages: readonly ProducedMessage[];
    }[];
  }[];
}

type ProducedMessage = BatchRecord & { readonly timestamp?: string };

/** What kafkajs sends: the bytes of an encoder. */
export interface Encoded {
  readonly buf: Buffer;
  readonly buffer: Buffer;
}

/** The newest that kafkajs speaks. */
const VERSION = 7;
const STRING_OVERHEAD_BYTES = 2;
/** Acks, timeout and the number of topics; a topic's number of partitions; a partition's number and its batch's size. */
const REQUEST_BYTES = 10;
const TOPIC_BYTES = 4;
const PARTITION_BYTES = 8;

const protocol = produce.protocol;

produce.protocol = (wanted) => {
  const definition = protocol(wanted);
  if (wanted.version !== VERSION) return definition;
  return (options) => {
    const { request, response } = definition(options);
    if (!isPlain(options)) return { request, response };
    return { request: { ...request, encode: async () => encodeProduce(options, Date.now()) }, response };
  };
};

function isPlain({ compression = 0, topicData }: ProduceRequest): boolean {
  return (
    compression === 0 &&
    topicData.every(({ partitions }) => partitions.every(({ messages }) => messages.every(isPlainMessage)))
  );
}

function isPlainMessage({ key, value, headers, timestamp }: ProducedMessage): boolean {
  if (timestamp !== undefined && timestamp !== null) return false;
  for (const name in headers) if (!isBytes(headers[name])) return false;
  return (key === undefined || key === null || isBytes(key)) && (value === null || isBytes(value));
}

const isBytes = (value: unknown): boolean => typeof value === "string" || Buffer.isBuffer(value);

/** https://kafka.apache.org/protocol.html#The_Messages_Produce, version 7; its records are of `nowMs`. */
export function encodeProduce(request: ProduceRequest, nowMs: number): Encoded {
  const { acks, timeout, transactionalId = null, topicData } = request;
  const { producerId = -1, producerEpoch = 0 } = request;
  const producer = {
    producerId: BigInt(producerId.toString()),
    producerEpoch,
    transactional: Boolean(transactionalId),
  };
  const into = Buffer.allocUnsafe(maxRequestBytes(request));
  let position = writeString(into, 0, transactionalId);
  position = into.writeInt16BE(acks, position);
  position = into.writeInt32BE(timeout, position);
  position = into.writeInt32BE(topicData.length, position);
  for (const { topic, partitions } of topicData) {
    position = writeString(into, position, topic);
    position = into.writeInt32BE(partitions.length, position);
    for (const { partition, messages, firstSequence = 0 } of partitions) {
      const start = into.writeInt32BE(partition, position) + 4;
      position = writeBatch(into, start, messages, { ...producer, firstSequence }, nowMs);
      into.writeInt32BE(position - start, start - 4);
    }
  }
  const buffer = into.subarray(0, position);
  return { buf: buffer, buffer };
}

function maxRequestBytes({ transactionalId, topicData }: ProduceRequest): number {
  let bytes = REQUEST_BYTES + STRING_OVERHEAD_BYTES + Buffer.byteLength(transactionalId ?? "");
  for (const { topic, partitions } of topicData) {
    bytes += TOPIC_BYTES + STRING_OVERHEAD_BYTES + Buffer.byteLength(topic);
    for (const { messages } of partitions) bytes += PARTITION_BYTES + maxBatchBytes(messages);
  }
  return bytes;
}

function writeString(into: Buffer, at: number, text: string | null): number {
  if (text === null) return into.writeInt16BE(-1, at);
  const position = at + STRING_OVERHEAD_BYTES;
  const length = into.write(text, position);
  into.writeInt16BE(length, at);
  return position + length;
}
