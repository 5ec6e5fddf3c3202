/** Writes Kafka's record batches (format 2, https://kafka.apache.org/documentation/#recordbatch), uncompressed. */
import { crc32c } from "./crc32c.ts";

export interface BatchRecord {
  readonly key?: Uint8Array | string | null;
  readonly value: Uint8Array | string | null;
  /** Encoded once where records that follow each other share the object. */
  readonly headers?: Readonly<Record<string, Uint8Array | string>>;
}

/** Who writes it; a producer that is not idempotent has the id -1. */
export interface BatchProducer {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly firstSequence: number;
  readonly transactional: boolean;
}

const BATCH_OVERHEAD_BYTES = 61;
/** Of its length, attributes, deltas, the lengths of key and value: varints of at most five bytes. */
const RECORD_OVERHEAD_BYTES = 22;
const MAX_VARINT_BYTES = 5;

const MAGIC = 2;
const TRANSACTIONAL = 16;
/** From the batch's beginning. */
const LENGTH_AT = 8;
const CRC_AT = 17;
const ATTRIBUTES_AT = 21;

const NO_HEADERS: Readonly<Record<string, Uint8Array | string>> = {};

/** How many bytes a batch takes at the most. */
export function maxBatchBytes(records: readonly BatchRecord[]): number {
  let bytes = BATCH_OVERHEAD_BYTES;
  let last: object | undefined;
  let headerBytes = 0;
  for (const { key, value, headers = NO_HEADERS } of records) {
    if (headers !== last) {
      headerBytes = maxHeaderBytes(headers);
      last = headers;
    }
    bytes += RECORD_OVERHEAD_BYTES + sizeOf(key) + sizeOf(value) + headerBytes;
  }
  return bytes;
}

/** Writes the batch at `at`, where {@link maxBatchBytes} are free, and returns its end. Its records are of `nowMs`. */
export function writeBatch(
  into: Buffer,
  at: number,
  records: readonly BatchRecord[],
  producer: BatchProducer,
  nowMs: number,
): number {
  let position = writeBatchHead(into, at, records.length, producer, nowMs);
  let last: object | undefined;
  let headerBytes: Buffer = NO_HEADER_BYTES;
  for (let index = 0; index < records.length; index++) {
    const record = records[index]!;
    const headers = record.headers ?? NO_HEADERS;
    if (headers !== last) {
      headerBytes = encodeHeaders(headers);
      last = headers;
    }
    position = writeRecord(into, position, index, record, headerBytes);
  }
  into.writeInt32BE(position - at - LENGTH_AT - 4, at + LENGTH_AT);
  into.writeUInt32BE(crc32c(into, at + ATTRIBUTES_AT, position), at + CRC_AT);
  return position;
}

/** Its length and its checksum come when the rest is there. */
function writeBatchHead(
  into: Buffer,
  at: number,
  count: number,
  { producerId, producerEpoch, firstSequence, transactional }: BatchProducer,
  nowMs: number,
): number {
  let position = into.writeBigInt64BE(0n, at);
  position = into.writeInt32BE(0, position + 4);
  position = into.writeInt8(MAGIC, position);
  position = into.writeInt16BE(transactional ? TRANSACTIONAL : 0, position + 4);
  position = into.writeInt32BE(count - 1, position);
  const now = BigInt(nowMs);
  position = into.writeBigInt64BE(now, position);
  position = into.writeBigInt64BE(now, position);
  position = into.writeBigInt64BE(producerId, position);
  position = into.writeInt16BE(producerEpoch, position);
  position = into.writeInt32BE(firstSequence, position);
  return into.writeInt32BE(count, position);
}

function writeRecord(
  into: Buffer,
  at: number,
  offsetDelta: number,
  { key, value }: BatchRecord,
  headerBytes: Buffer,
): number {
  const [keyBytes, valueBytes] = [sizeOf(key), sizeOf(value)];
  // One byte each for the attributes and for the time since the batch's.
  const body =
    2 +
    varintSize(offsetDelta) +
    varintSize(isAbsent(key) ? -1 : keyBytes) +
    keyBytes +
    varintSize(isAbsent(value) ? -1 : valueBytes) +
    valueBytes +
    headerBytes.length;
  let position = writeVarint(into, at, body);
  into[position++] = 0;
  into[position++] = 0;
  position = writeVarint(into, position, offsetDelta);
  position = writeBytes(into, position, key, keyBytes);
  position = writeBytes(into, position, value, valueBytes);
  into.set(headerBytes, position);
  return position + headerBytes.length;
}

const isAbsent = (bytes: unknown): bytes is null | undefined => bytes === null || bytes === undefined;

function sizeOf(bytes: Uint8Array | string | null | undefined): number {
  if (isAbsent(bytes)) return 0;
  return typeof bytes === "string" ? Buffer.byteLength(bytes) : bytes.length;
}

function maxHeaderBytes(headers: Readonly<Record<string, Uint8Array | string>>): number {
  let bytes = MAX_VARINT_BYTES;
  for (const name in headers) {
    bytes += 2 * MAX_VARINT_BYTES + Buffer.byteLength(name) + sizeOf(headers[name]);
  }
  return bytes;
}

function encodeHeaders(headers: Readonly<Record<string, Uint8Array | string>>): Buffer {
  const names = Object.keys(headers);
  const into = Buffer.allocUnsafe(maxHeaderBytes(headers));
  let position = writeVarint(into, 0, names.length);
  for (const name of names) {
    position = writeBytes(into, position, name, Buffer.byteLength(name));
    position = writeBytes(into, position, headers[name], sizeOf(headers[name]));
  }
  return into.subarray(0, position);
}

const NO_HEADER_BYTES = encodeHeaders(NO_HEADERS);

function writeBytes(
  into: Buffer,
  at: number,
  bytes: Uint8Array | string | null | undefined,
  size: number,
): number {
  if (isAbsent(bytes)) return writeVarint(into, at, -1);
  const position = writeVarint(into, at, size);
  if (typeof bytes === "string") into.write(bytes, position);
  else into.set(bytes, position);
  return position + size;
}

/** Zigzag, then seven bits a byte, the lowest first. */
function writeVarint(into: Buffer, at: number, value: number): number {
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  let position = at;
  for (; rest > 0x7f; rest >>>= 7) into[position++] = (rest & 0x7f) | 0x80;
  into[position] = rest;
  return position + 1;
}

function varintSize(value: number): number {
  const rest = ((value << 1) ^ (value >> 31)) >>> 0;
  return rest < 0x80 ? 1 : Math.ceil((32 - Math.clz32(rest)) / 7);
}
