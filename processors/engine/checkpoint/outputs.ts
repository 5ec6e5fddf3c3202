/**
 * The outputs of a checkpoint as a blob, so that recovery can publish them again byte for byte. Format, version 1:
 * magic, version, count; then topic, partition plus one (0: by key), key, value, and headers of each.
 */
import type { OutputRecord } from "../log/port.ts";
import { ByteReader, ByteWriter, CorruptBytesError } from "../state/bytes.ts";

const MAGIC = "SPWO";
const FORMAT = 1;

export function encodeOutputs(outputs: readonly OutputRecord[]): Uint8Array {
  const writer = new ByteWriter();
  writer.text(MAGIC);
  writer.varint(FORMAT);
  writer.varint(outputs.length);
  for (const { topic, partition, key, value, headers } of outputs) {
    writer.text(topic);
    writer.varint(partition === undefined ? 0 : partition + 1);
    writer.nullableBytes(key);
    writer.nullableBytes(value);
    const names = Object.keys(headers);
    writer.varint(names.length);
    for (const name of names) {
      writer.text(name);
      writer.text(headers[name]!);
    }
  }
  return writer.finish();
}

/** @throws CorruptBytesError where the bytes are no outputs of a known format */
export function decodeOutputs(bytes: Uint8Array): OutputRecord[] {
  const reader = new ByteReader(bytes);
  if (reader.text() !== MAGIC) throw new CorruptBytesError("the bytes are not a checkpoint's outputs");
  const format = reader.varint();
  if (format !== FORMAT) throw new CorruptBytesError(`outputs format ${format} is not known here`);
  const outputs = Array.from({ length: reader.varint() }, () => readOutput(reader));
  if (!reader.done) throw new CorruptBytesError("the outputs have bytes after their end");
  return outputs;
}

function readOutput(reader: ByteReader): OutputRecord {
  const topic = reader.text();
  const partition = reader.varint();
  const key = reader.nullableBytes();
  const value = reader.nullableBytes();
  const headers: Record<string, string> = {};
  for (let count = reader.varint(); count > 0; count--) {
    const name = reader.text();
    headers[name] = reader.text();
  }
  return { topic, key, value, headers, ...(partition === 0 ? {} : { partition: partition - 1 }) };
}
