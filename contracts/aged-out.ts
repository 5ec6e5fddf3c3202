/**
 * What a stream's mapping gave up for its age: batches, whole, as objects of a bucket that each mapping has. Lambda names
 * them `aws/lambda/<mapping>/<shard>/<date>/…`, so that those of a shard are listed in the order of time
 * (https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html).
 */

/** Where Lambda puts them, and where they are once their events were sent again. */
export const agedOutPrefixes = { filed: "aws/lambda/", redriven: "redriven/" } as const;

export interface AgedOutBucket {
  /** Name of the mapping (contracts/flow-control.ts). */
  readonly mapping: string;
  readonly bucket: string;
}

/** As the text of an environment variable; neither name holds a comma or a colon. */
export const formatAgedOut = (buckets: readonly AgedOutBucket[]): string =>
  buckets.map(({ mapping, bucket }) => `${mapping}:${bucket}`).join(",");

/** The reverse of {@link formatAgedOut}. */
export const parseAgedOut = (text: string): readonly AgedOutBucket[] =>
  text.split(",").map((part) => {
    const [mapping = "", bucket = ""] = part.split(":");
    return { mapping, bucket };
  });

/** What the redrive function is told to send their events again. */
export interface AgedOutRequest {
  readonly agedOut: true;
  /** False: says what would happen, and changes nothing. */
  readonly execute: boolean;
  readonly eventsPerSecond: number;
  /** @default all that there are */
  readonly maxObjects?: number;
  /** What the last call answered. @default this is the first */
  readonly progress?: AgedOutProgress;
}

export interface AgedOutProgress {
  readonly objects: number;
  readonly events: number;
  /** Of what the objects hold: what is refused, or cannot be read, and becomes a dead letter of its own. */
  readonly dead: number;
  /** Objects that stay where they are, and why: they hold no batch, or no door of the configuration is theirs. */
  readonly kept: number;
  /** Absent before the first object. */
  readonly after?: { readonly bucket: string; readonly key: string };
}

/** `more`: the time was over; call again with the progress. `stopped`: for the reason that is given. */
export interface AgedOutAnswer {
  readonly end: "done" | "more" | "stopped";
  readonly reason?: string;
  readonly progress: AgedOutProgress;
}
