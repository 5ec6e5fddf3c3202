/** Reads a key's results from the table, day by day, one page at a time. */
import { type AttributeValue, type DynamoDBClient, QueryCommand } from "@aws-sdk/client-dynamodb";
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

/** Of the connections that the AWS clients keep, these are few; and so much of a day may be read in vain at most. */
const MAX_DAYS_AT_ONCE = 8;

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

/**
 * Windows in order of start, then end. Retracted ones are left out. A strong read costs twice as much.
 *
 * Days are partitions of their own, so that several are read at once: as many as will hold what is still asked for, by
 * what the days before them held. Where they hold more, what was read in vain is read again for the next page.
 */
export async function readResults(
  source: ResultsSource,
  query: ResultsQuery,
  consistency: Consistency,
): Promise<ResultPage> {
  const items: ResultItem[] = [];
  let position = firstPosition(query);
  for (let days = 0; position.startMs < query.toMs; ) {
    const limit = query.limit - items.length;
    if (limit === 0 || days === MAX_DAYS_PER_PAGE) return { items, next: writeNextToken(position) };
    const places = startsOfDays(position, query.toMs, daysAtOnce(items.length, days, limit));
    const reads = await Promise.all(places.map((place) => readDay(source, query, place, limit, consistency)));
    for (const read of reads) {
      const { rows, reached, dayEnded } = upTo(query.limit - items.length, read);
      items.push(...rows.map((row) => itemOf(query.key, row)));
      position = reached;
      if (dayEnded) days += 1;
      if (!dayEnded || items.length === query.limit) break;
    }
  }
  return { items };
}

/** A token of another range must not widen this one. */
function firstPosition({ fromMs, position }: ResultsQuery): Position {
  return position !== undefined && position.startMs >= fromMs ? position : startOf(fromMs);
}

const startOf = (timeMs: number): Position => ({ startMs: timeMs, endMs: timeMs, pane: 0 });

/** As many days as `wanted` rows fill at the pace of those before; one where there were none. */
function daysAtOnce(found: number, days: number, wanted: number): number {
  if (days === 0) return 1;
  const enough = Math.floor((wanted * days) / Math.max(1, found));
  return Math.max(1, Math.min(enough, MAX_DAYS_AT_ONCE, MAX_DAYS_PER_PAGE - days));
}

function startsOfDays(from: Position, toMs: number, count: number): readonly Position[] {
  const places = [from];
  for (let place = nextDay(from); places.length < count && place.startMs < toMs; place = nextDay(place)) {
    places.push(place);
  }
  return places;
}

const nextDay = ({ startMs }: Position): Position => startOf(nextResultPartitionMs(startMs));

type Row = Readonly<Record<string, AttributeValue>>;

interface DayRead {
  /** Without retracted ones. */
  readonly rows: readonly Row[];
  /** Where to go on: in the same day, or at the start of the next. */
  readonly reached: Position;
  readonly dayEnded: boolean;
}

/** One read of the day that holds `place`, from there on. */
async function readDay(
  { client, tableName }: ResultsSource,
  { series, key, toMs }: ResultsQuery,
  place: Position,
  limit: number,
  consistency: Consistency,
): Promise<DayRead> {
  const end = startOf(Math.min(toMs, nextResultPartitionMs(place.startMs)));
  const { Items = [], LastEvaluatedKey } = await client.send(
    new QueryCommand({
      TableName: tableName,
      ConsistentRead: consistency === "strong",
      KeyConditionExpression: "#pk = :pk AND #sk BETWEEN :first AND :end",
      ExpressionAttributeNames: { "#pk": resultsTable.partitionKey, "#sk": resultsTable.sortKey },
      ExpressionAttributeValues: {
        ":pk": { S: resultPartitionKey(series.name, key, place.startMs) },
        ":first": { S: resultSortKey(place.startMs, place.endMs, place.pane) },
        // BETWEEN includes its end, but no window is as short as this one.
        ":end": { S: resultSortKey(end.startMs, end.endMs) },
      },
      Limit: limit,
    }),
  );
  const rows = Items.filter((item) => item.kind?.S !== "retract");
  if (LastEvaluatedKey === undefined) return { rows, reached: nextDay(place), dayEnded: true };
  return { rows, reached: after(LastEvaluatedKey), dayEnded: false };
}

/** As much of a read as there is room for. */
function upTo(room: number, read: DayRead): DayRead {
  if (read.rows.length <= room) return read;
  const rows = read.rows.slice(0, room);
  return { rows, reached: after(rows.at(-1)!), dayEnded: false };
}

function after(row: Row): Position {
  const { start, end, pane } = rowOfSortKey(row[resultsTable.sortKey]!.S!);
  return { startMs: start, endMs: end, pane: pane + 1 };
}

function itemOf(key: string, row: Row): ResultItem {
  const { start, end, pane } = rowOfSortKey(row[resultsTable.sortKey]!.S!);
  return {
    key,
    window: { start: new Date(start).toISOString(), end: new Date(end).toISOString() },
    value: JSON.parse(row.value!.S!),
    revision: Number(row.revision!.N),
    ...(pane === 0 ? {} : { pane }),
    version: row[resultsTable.version]!.S!,
  };
}
