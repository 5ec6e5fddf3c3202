/** An entry of the archive as an item of DynamoDB, and back. */
import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import {
  ARCHIVE_RETENTION_DAYS,
  type ArchiveEntry,
  archiveTable,
  type EntryState,
} from "../../contracts/dead-letter-archive.ts";

export type Item = Record<string, AttributeValue>;

const DAY_MS = 86_400_000;

/** The day (UTC) of a moment, such as `2026-01-31`. */
export const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/**
 * The partition key of the index by state. A day's entries of a state are read in the order of time; 1,000 writes a
 * second go to one such key (DynamoDB, partition throughput), and what comes faster waits in the topic.
 */
export const stateDay = (state: EntryState, firstAtMs: number): string => `${state}#${dayOf(firstAtMs)}`;

export function itemOf(entry: ArchiveEntry): Item {
  const { source, firstAtMs, lastAtMs, valueBytes, stateAtMs, redriveCount, attempts, ...texts } = entry;
  const numbers = { firstAtMs, lastAtMs, valueBytes, stateAtMs, redriveCount, ...(attempts && { attempts }) };
  const expiresAtMs = firstAtMs + ARCHIVE_RETENTION_DAYS * DAY_MS;
  return {
    ...mapped(texts, (value) => ({ S: value })),
    ...mapped(numbers, (value) => ({ N: String(value) })),
    source: { S: JSON.stringify(source) },
    [archiveTable.byState.partitionKey]: { S: stateDay(entry.state, firstAtMs) },
    [archiveTable.expiresAt]: { N: String(Math.floor(expiresAtMs / 1_000)) },
  };
}

const mapped = <Value>(values: Readonly<Record<string, Value>>, of: (value: Value) => AttributeValue): Item =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, of(value)]));

/** What {@link itemOf} made. */
export function entryOf(item: Item): ArchiveEntry {
  const { source, expiresAt: _, stateDay: __, ...attributes } = item;
  const values = Object.entries(attributes).map(([name, { S, N }]) => [name, S ?? Number(N)]);
  return { ...Object.fromEntries(values), source: JSON.parse(source!.S!) } as ArchiveEntry;
}
