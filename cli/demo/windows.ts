/** A window's result as it is read, from the query API or from the results topic, on its way into a table. */
import type { DuckDBAppender } from "@duckdb/node-api";
import type { ResultRecord } from "../../contracts/results.ts";

/** The fields of `airport-delays`' value, in the order of the tables' columns. */
const VALUE_FIELDS = ["flights", "meanDelayMin", "maxDelayMin", "minDelayMin", "delayed"] as const;

export interface WindowResult {
  readonly key: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly value: Readonly<Record<string, unknown>>;
}

export function appendWindow(appender: DuckDBAppender, { key, startMs, endMs, value }: WindowResult): void {
  appender.appendVarchar(key);
  appender.appendBigInt(BigInt(startMs));
  appender.appendBigInt(BigInt(endMs));
  // A field that should not be there spoils the whole row: as nulls it differs from whatever is expected.
  const known = Object.keys(value).length === VALUE_FIELDS.length;
  for (const field of VALUE_FIELDS) {
    const number = value[field];
    if (known && typeof number === "number") appender.appendDouble(number);
    else appender.appendNull();
  }
  appender.endRow();
}

/**
 * A record of the results topic. Whatever is not the first and only emission of its window comes back without a
 * value, and so differs from what is expected: with allowed lateness 0 there is nothing to correct or retract.
 */
export function resultOf(
  record: ResultRecord<Readonly<Record<string, unknown>>>,
  pipeline: string,
): WindowResult {
  const { key, window, value } = record;
  const single = record.kind === "result" && record.pipeline === pipeline && record.revision === 1;
  return { key, startMs: window.start, endMs: window.end, value: single ? value : {} };
}
