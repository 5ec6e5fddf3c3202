/** How far the partition of a key has come, as the sink says; remembered for a few seconds. */
import { QueryCommand } from "@aws-sdk/client-dynamodb";
import { resultsTable } from "../../contracts/results.ts";
import {
  PROGRESS_SORT_KEY,
  type Progress,
  partitionOfSeries,
  progressItem,
  progressKey,
  type ServedSeries,
} from "../../contracts/served-series.ts";
import { TtlCache } from "../../flow/ttl-cache.ts";
import type { ResultsSource } from "./results.ts";

/** What was read before is never too far, but after a reset; so this is how long a reset may go unnoticed. */
const TTL_MS = 5_000;
const MAX_ENTRIES = 10_000;

export class ProgressReader {
  readonly #source: ResultsSource;
  readonly #cache = new TtlCache<{ readonly progress: Progress | undefined }>({
    ttlMs: TTL_MS,
    maxEntries: MAX_ENTRIES,
  });

  constructor(source: ResultsSource) {
    this.#source = source;
  }

  /** Undefined where nothing was stored yet, or nobody can tell of this series. */
  async of(series: ServedSeries, key: string, nowMs: number): Promise<Progress | undefined> {
    if (series.closedAfterMs === null) return undefined;
    const place = progressKey(series.name, partitionOfSeries(series, key));
    const known = this.#cache.get(place, nowMs);
    if (known !== undefined) return known.progress;
    const progress = await this.#read(place);
    this.#cache.set(place, { progress }, nowMs);
    return progress;
  }

  /** A query like that of results, so that the function is allowed one action. An old answer is a careful one. */
  async #read(place: string): Promise<Progress | undefined> {
    const { client, tableName } = this.#source;
    const { Items: [item] = [] } = await client.send(
      new QueryCommand({
        TableName: tableName,
        KeyConditionExpression: "#pk = :pk AND #sk = :sk",
        ExpressionAttributeNames: { "#pk": resultsTable.partitionKey, "#sk": resultsTable.sortKey },
        ExpressionAttributeValues: { ":pk": { S: place }, ":sk": { S: PROGRESS_SORT_KEY } },
      }),
    );
    if (item === undefined) return undefined;
    return {
      generation: Number(item[progressItem.generation]!.N),
      endMs: Number(item[progressItem.endMs]!.N),
    };
  }
}
