/** A line of a table's file: a row has a Kafka key of its own, so the line holds both, `{"key": "JFK", "value": …}`. */
import type { OutputRecord } from "../../processors/engine/log/port.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * The record: its value is the JSON of the line's, and none where that is null, which removes the key's row. A line
 * that is no such object is a record without a key, which a table takes for dead.
 */
export function tableRecordOf(topic: string, line: Buffer): OutputRecord {
  const { key, value } = parse(line);
  if (typeof key !== "string" || value === undefined) {
    return { topic, key: null, value: new Uint8Array(line), headers: {} };
  }
  const bytes = value === null ? null : Buffer.from(JSON.stringify(value));
  return { topic, key: Buffer.from(key), value: bytes, headers: {} };
}

function parse(line: Buffer): { readonly key?: unknown; readonly value?: unknown } {
  try {
    return (JSON.parse(utf8.decode(line)) as object | null) ?? {};
  } catch {
    return {};
  }
}
