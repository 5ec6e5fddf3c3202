/** Records for tests of the engine: a batch from plain objects, and the outputs as text to compare. */
import type { OutputRecord, RecordBatch } from "../../processors/engine/log/port.ts";

export interface TestRecord {
  readonly offset: number;
  readonly key?: string | null;
  readonly value: string | Uint8Array | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly arrivalMs?: number;
}

const utf8 = new TextEncoder();
const bytes = (text: string | Uint8Array): Uint8Array =>
  typeof text === "string" ? utf8.encode(text) : text;

/** A batch of one partition; arrival defaults to a day that is later than any event in the tests. */
export function batchOf(
  { topic, partition }: { topic: string; partition: number },
  records: readonly TestRecord[],
): RecordBatch {
  return {
    topic,
    partition,
    count: records.length,
    highWatermark: (records.at(-1)?.offset ?? -1) + 1,
    nextOffset: (records.at(-1)?.offset ?? -1) + 1,
    offset: (index) => records[index]!.offset,
    arrivalMs: (index) => records[index]!.arrivalMs ?? Date.UTC(2026, 0, 1),
    key: (index) => {
      const { key = "key" } = records[index]!;
      return key === null ? null : bytes(key);
    },
    value: (index) => {
      const { value } = records[index]!;
      return value === null ? null : bytes(value);
    },
    header: (index, name) => records[index]!.headers?.[name],
  };
}

/** An output with its bytes as text, JSON values parsed. */
export function readable({ topic, key, value, headers }: OutputRecord): Record<string, unknown> {
  const text = (part: Uint8Array | null) => (part === null ? null : new TextDecoder().decode(part));
  const decoded = text(value);
  return {
    topic,
    key: text(key),
    value: topic.endsWith(".results") ? JSON.parse(decoded!) : decoded,
    headers,
  };
}
