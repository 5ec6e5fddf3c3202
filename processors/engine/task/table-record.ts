/** A record of a table: it replaces, or removes, the row of its key. */
import type { RecordBatch } from "../log/port.ts";
import type { InputDefinition } from "../pipeline/definition.ts";
import { decodeText, IGNORED } from "../pipeline/source.ts";
import type { TableRows } from "../state/table-rows.ts";
import type { KeyCache } from "./key-cache.ts";
import { Rejection, rejectionOf } from "./rejection.ts";
import type { StateLimit } from "./state-limit.ts";

/** Where the row goes. */
interface Place {
  readonly table: TableRows;
  readonly keys: KeyCache;
  readonly limit: StateLimit;
}

/**
 * @returns whether it was one of this pipeline's
 * @throws Rejection where it has no key, one of another partition, a value that cannot be read, or no room
 */
export function applyTableRecord(
  batch: RecordBatch,
  index: number,
  { source }: InputDefinition,
  { table, keys, limit }: Place,
): boolean {
  const bytes = batch.key(index);
  if (bytes === null) throw new Rejection("invalid-key", "a table's record needs a key");
  const key = rejectionOf("invalid-key", () => decodeText(bytes), "the key");
  keys.of(key);
  const value = batch.value(index);
  if (value === null) {
    table.delete(key);
    return true;
  }
  const row = rejectionOf("undecodable", () => source.decode(value));
  if (row === IGNORED) return false;
  limit.requireRoomFor(table, key);
  table.set(key, value, row);
  return true;
}
