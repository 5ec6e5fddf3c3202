/** What the sink and the query function are told of each series of results, and when a range of it is closed. */
import { partitionOf } from "./partitioning.ts";

/** `public`: anybody may read it, and shared caches may keep it. `private`: only who signs requests and is allowed. */
export type Access = "public" | "private";

export interface ServedSeries {
  /** What its results are called: the pipeline's name, or `<pipeline>.<branch>`. */
  readonly name: string;
  readonly access: Access;
  /** Whether each new result is told to others (docs/serving.md). */
  readonly notify: boolean;
  /** Partitions of its results topic. */
  readonly partitions: number;
  /**
   * Null: nobody can tell when a window of it changes no more. Else a window that starts at t never does once a result
   * of a window that ends at t + this, or later still, was emitted in its partition: such a series emits a window only
   * when the watermark has reached its end, and in the order of their ends, so that this result proves where the
   * watermark is, and that what came before was emitted before. It is the window's size and allowed lateness, and 1.
   */
  readonly closedAfterMs: number | null;
}

/** As text, for an environment variable: `name:access:notify:partitions:closedAfterMs`, separated by commas. */
export const formatServedSeries = (series: readonly ServedSeries[]): string =>
  series
    .map(({ name, access, notify, partitions, closedAfterMs }) =>
      [name, access, notify ? "notify" : "", partitions, closedAfterMs ?? ""].join(":"),
    )
    .join(",");

/** What {@link formatServedSeries} wrote, by name. Throws a TypeError at any other text. */
export function parseServedSeries(text: string): ReadonlyMap<string, ServedSeries> {
  return new Map(text.split(",").map((part) => [part.split(":")[0]!, parse(part)]));
}

function parse(text: string): ServedSeries {
  const parts = /^([a-z0-9.-]+):(public|private):(notify)?:(\d+):(\d+)?$/.exec(text);
  if (parts === null) {
    throw new TypeError(
      `"${text}" is not name:access:notify:partitions:closedAfterMs, as the stacks write it.`,
    );
  }
  const [, name, access, notify, partitions, closedAfterMs] = parts;
  return {
    name: name!,
    access: access as Access,
    notify: notify !== undefined,
    partitions: Number(partitions),
    closedAfterMs: closedAfterMs === undefined ? null : Number(closedAfterMs),
  };
}

/** How far a partition of a series has come. */
export interface Progress {
  /** That of the result; a reset raises it, and makes all results anew. */
  readonly generation: number;
  /** The highest end of a window of which a result was stored, after everything before it. Milliseconds. */
  readonly endMs: number;
}

/** Attribute names of the progress items in the results table, beside its keys. */
export const progressItem = { generation: "generation", endMs: "endMs" } as const;

/** Their sort key; there is one item a partition. */
export const PROGRESS_SORT_KEY = "progress";

/** Their partition key. No result has it: theirs hold a second `#` (see `resultPartitionKey`), and names hold none. */
export const progressKey = (series: string, partition: number): string => `${series}#${partition}`;

/** The partition that a key's results are in. */
export const partitionOfSeries = ({ partitions }: ServedSeries, key: string): number =>
  partitionOf(Buffer.from(key), partitions);

/** Whether no window that starts before `toMs` changes any more, or is still to come. */
export const isClosed = (
  { closedAfterMs }: ServedSeries,
  progress: Progress | undefined,
  toMs: number,
): boolean => closedAfterMs !== null && progress !== undefined && progress.endMs >= toMs - 1 + closedAfterMs;
