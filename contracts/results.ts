/** What a pipeline writes to its results topic, and how the results table keys it. */

export interface ResultVersion {
  /** Raised by a reset or a repartitioning of the pipeline. */
  readonly generation: number;
  /** The checkpoint whose transaction wrote it. */
  readonly checkpoint: number;
  /** Its place among that checkpoint's outputs. */
  readonly index: number;
}

/** The JSON value of a record on a results topic; the record's Kafka key is `key`. */
export interface ResultRecord<Value = unknown> {
  readonly kind: "result" | "retract";
  /** The pipeline's name, or `<pipeline>.<branch>` where it has several outputs. */
  readonly pipeline: string;
  readonly key: string;
  /** Milliseconds since the epoch; end exclusive. */
  readonly window: { readonly start: number; readonly end: number };
  /** Null in a retraction. */
  readonly value: Value;
  /**
   * The nth emission of this window for this key, from 1; in a retraction that of the last one. Of a window that a
   * process step names: a number that rises with each of its emissions.
   */
  readonly revision: number;
  /**
   * Only where each emission is a row of its own: discarding panes, and results of a process step, a correlation or a
   * join. Its number.
   */
  readonly pane?: number;
  readonly version: ResultVersion;
}

/** A version as text whose order is the versions' order: what a conditional write compares. */
export function versionText({ generation, checkpoint, index }: ResultVersion): string {
  return `${pad(generation, 6)}.${pad(checkpoint, 12)}.${pad(index, 8)}`;
}

const pad = (value: number, digits: number): string => String(value).padStart(digits, "0");

/** Attribute names of the results table. */
export const resultsTable = {
  partitionKey: "pk",
  sortKey: "sk",
  version: "version",
  expiresAt: "expiresAt",
} as const;

const DAY_MS = 86_400_000;

/** Partition key of a result: `pipeline#key#day`, the day (UTC, `2001-01-31`) being that of the window's start. */
export function resultPartitionKey(pipeline: string, key: string, windowStartMs: number): string {
  const day = new Date(Math.floor(windowStartMs / DAY_MS) * DAY_MS).toISOString().slice(0, 10);
  return `${pipeline}#${key}#${day}`;
}

/** The first window start that has another partition key: where a reader goes on to the next partition. */
export const nextResultPartitionMs = (windowStartMs: number): number =>
  (Math.floor(windowStartMs / DAY_MS) + 1) * DAY_MS;

/**
 * Sort key of a result: window start, then end, then its pane where each is a row of its own, so that a day's windows
 * read in order. Milliseconds are offset to stay positive for any date that JavaScript can hold (±8.64e15), and
 * padded to 17 digits.
 */
export function resultSortKey(windowStartMs: number, windowEndMs: number, pane = 0): string {
  const window = `${sortable(windowStartMs)}#${sortable(windowEndMs)}`;
  return pane === 0 ? window : `${window}#${pad(pane, 12)}`;
}

/** The window and the pane that a sort key was made from; 0 where the window is one row. */
export function rowOfSortKey(sortKey: string): {
  readonly start: number;
  readonly end: number;
  readonly pane: number;
} {
  const [start, end, pane = 0] = sortKey.split("#");
  return {
    start: Number(start) - SORTABLE_OFFSET_MS,
    end: Number(end) - SORTABLE_OFFSET_MS,
    pane: Number(pane),
  };
}

const SORTABLE_OFFSET_MS = 8.64e15;

const sortable = (ms: number): string => pad(ms + SORTABLE_OFFSET_MS, 17);
