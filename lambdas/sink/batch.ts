/** From a batch of the Kafka mapping to what has to be written: the newest result of every item. */
import type { MSKEvent, MSKRecord } from "aws-lambda";
import { WATERMARK_HEADER } from "../../contracts/dead-letter.ts";
import {
  type ResultRecord,
  resultPartitionKey,
  resultSortKey,
  versionText,
} from "../../contracts/results.ts";
import { readResult } from "./result-record.ts";

/** A result and the record that carried it, kept for the dead letter that it may become. */
export interface StoredResult {
  readonly record: MSKRecord;
  readonly result: ResultRecord;
  readonly partitionKey: string;
  readonly sortKey: string;
  /** Text whose order is the versions' order. */
  readonly version: string;
}

/** A record that cannot be stored, and why. */
export interface RefusedRecord {
  readonly record: MSKRecord;
  readonly reason: "undecodable" | "refused-by-table";
  readonly detail: string;
}

export interface ResultBatch {
  /** Every result that could be read, in the order in which it came. */
  readonly results: readonly StoredResult[];
  /** At most one per item of the table. */
  readonly newest: readonly StoredResult[];
  readonly undecodable: readonly RefusedRecord[];
  /** Results that a newer one of the same batch replaces. */
  readonly superseded: number;
}

/** Coalesces a batch: of several results for one item only the one with the highest version is worth a write. */
export function readBatch(event: MSKEvent): ResultBatch {
  const results: StoredResult[] = [];
  const newest = new Map<string, StoredResult>();
  const undecodable: RefusedRecord[] = [];
  let superseded = 0;
  for (const record of Object.values(event.records).flat()) {
    if (isWatermark(record)) continue;
    const stored = readRecord(record);
    if ("reason" in stored) {
      undecodable.push(stored);
      continue;
    }
    results.push(stored);
    const item = `${stored.partitionKey}\n${stored.sortKey}`;
    const other = newest.get(item);
    if (other !== undefined) superseded += 1;
    if (other === undefined || other.version < stored.version) newest.set(item, stored);
  }
  return { results, newest: [...newest.values()], undecodable, superseded };
}

function readRecord(record: MSKRecord): StoredResult | RefusedRecord {
  const result = readResult(record.topic, Buffer.from(record.value ?? "", "base64"));
  if (typeof result === "string") return { record, reason: "undecodable", detail: result };
  const { pipeline, key, window, pane, version } = result;
  return {
    record,
    result,
    partitionKey: resultPartitionKey(pipeline, key, window.start),
    sortKey: resultSortKey(window.start, window.end, pane),
    version: versionText(version),
  };
}

/** An in-band watermark carries no result: no key, no value, one header (contracts/dead-letter.ts). */
const isWatermark = (record: MSKRecord): boolean =>
  !record.value && record.headers?.some((header) => WATERMARK_HEADER in header) === true;
