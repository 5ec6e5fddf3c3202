/** Reads a key's results from the table, day by day, one page at a time. */
import {
  type AttributeValue,
  type DynamoDBClient,
  QueryCommand,
  type QueryCommandOutput,
} from "@aws-sdk/client-dynamodb";
import {
  nextResultPartitionMs,
  resultPartitionKey,
  resultSortKey,
  resultsTable,
  rowOfSortKey,
} from "../../contracts/results.ts";
import { type Position, writeNextToken } from "./next-token.ts";
import type { ResultsQuery } from "./request.ts";

/**
 * Partitions read for one page. It bounds the work of a request for a long range with few results; such a page may
 * hold fewer items than its limit, or none, and still have a `next`.
 */
const MAX_DAYS_PER_PAGE = 62;

export interface ResultItem {
  readonly key: string;
  /** RFC 3339 in UTC; end exclusive. */
  readonly window: { readonly start: string; readonly end: string };
  readonly value: unknown;
  /** The nth emission of this window, from 1. */
  readonly revision: number;
  /** Only where each emission is a row of its own: its number. */
  readonly pane?: number;
  /** Text; a greater one is newer. */
  readonly version: string;
}

export interface ResultsSource {
  readonly client: DynamoDBClient;
  readonly tableName: string;
}

export interface ResultPage {
  readonly items: readonly ResultItem[];
  /** The token of the next page; absent on the last one. */
  readonly next?: string;
}

/** Which rows a read may miss: `eventual` those that were stored within about the last second. */
export type Consistency = "eventual" | "strong";

/** Windows in order of start, then end. Retracted ones are left out. A strong read costs twice as much. */
export async function readResults(
  { client, tableName }: ResultsSource,
  query: ResultsQuery,
  consistency: Consistency,
): Promise<ResultPage> {
  const items: ResultItem[] = [];
  let position = firstPosition(query);
  for (let days = 0; position.startMs < query.toMs; ) {
    if (items.length === query.limit || days === MAX_DAYS_PER_PAGE) {
      return { items, next: writeNextToken(position) };
    }
    const limit = query.limit - items.length;
    const command = dayCommand(tableName, query, position, limit, consistency);
    const read = readDay(query, position, await client.send(command));
    items.push(...read.items);
    if (read.dayEnded) days += 1;
    position = read.position;
  }
  return { items };
}

/** A token of another range must not widen this one. */
function firstPosition({ fromMs, position }: ResultsQuery): Position {
  return position !== undefined && position.startMs >= fromMs ? position : startOf(fromMs);
}

const startOf = (timeMs: number): Position => ({ startMs: timeMs, endMs: timeMs, pane: 0 });

interface DayRead {
  readonly items: readonly ResultItem[];
  /** Where to go on: in the same day, or at the start of the next. */
  readonly position: Position;
  readonly dayEnded: boolean;
}

/** One read of the day that holds `position`, from there on. */
function dayCommand(
  tableName: string,
  { series, key, toMs }: ResultsQuery,
  position: Position,
  limit: number,
  consistency: Consistency,
): QueryCommand {
  const end = startOf(Math.min(toMs, nextResultPartitionMs(position.startMs)));
  return new QueryCommand({
    TableName: tableName,
    ConsistentRead: consistency === "strong",
    KeyConditionExpression: "#pk = :pk AND #sk BETWEEN :first AND :end",
    ExpressionAttributeNames: { "#pk": resultsTable.partitionKey, "#sk": resultsTable.sortKey },
    ExpressionAttributeValues: {
      ":pk": { S: resultPartitionKey(series.name, key, position.startMs) },
      ":first": { S: resultSortKey(position.startMs, position.endMs, position.pane) },
      // BETWEEN includes its end, but no window is as short as this one.
      ":end": { S: resultSortKey(end.startMs, end.endMs) },
    },
    Limit: limit,
  });
}

function readDay({ key }: ResultsQuery, position: Position, answer: QueryCommandOutput): DayRead {
  const items = (answer.Items ?? [])
    .filter((item) => item.kind?.S !== "retract")
    .map((item) => read(key, item));
  const lastKey = answer.LastEvaluatedKey?.[resultsTable.sortKey]?.S;
  if (lastKey === undefined) {
    return { items, position: startOf(nextResultPartitionMs(position.startMs)), dayEnded: true };
  }
  const last = rowOfSortKey(lastKey);
  const next = { startMs: last.start, endMs: last.end, pane: last.pane + 1 };
  return { items, position: next, dayEnded: false };
}

function read(key: string, item: Readonly<Record<string, AttributeValue>>): ResultItem {
  const { start, end, pane } = rowOfSortKey(item[resultsTable.sortKey]!.S!);
  return {
    key,
    window: { start: new Date(start).toISOString(), end: new Date(end).toISOString() },
    value: JSON.parse(item.value!.S!),
    revision: Number(item.revision!.N),
    ...(pane === 0 ? {} : { pane }),
    version: item[resultsTable.version]!.S!,
  };
}
