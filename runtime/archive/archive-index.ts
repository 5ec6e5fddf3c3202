/** The index of the archive, in DynamoDB: what is in it, and in which state. Every change of state has a condition. */
import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  type QueryCommandInput,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from "@aws-sdk/client-dynamodb";
import {
  ARCHIVE_RETENTION_DAYS,
  type ArchiveEntry,
  archiveTable,
  MAX_REDRIVES,
  type Position,
  REDRIVE_STALE_MS,
  type Selection,
} from "../../contracts/dead-letter-archive.ts";
import { TableUnavailableError } from "../errors.ts";
import { entryOf, type Item, itemOf, stateDay } from "./archive-item.ts";

const DAY_MS = 86_400_000;
const PAGE_ITEMS = 500;

const { byState, byRedrive } = archiveTable;

export type Order = "oldest first" | "newest first";

/** All methods throw TableUnavailableError where the table does not answer. */
export class ArchiveIndex {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  /** False where there is an entry of that id: then only the time is noted at which it came last. */
  async file(entry: ArchiveEntry): Promise<boolean> {
    const filed = await this.#conditionally(() =>
      this.#client.send(
        new PutItemCommand({
          TableName: this.#table,
          Item: itemOf(entry),
          ConditionExpression: "attribute_not_exists(id)",
        }),
      ),
    );
    if (!filed) await this.#noteAgain(entry);
    return filed;
  }

  async get(id: string): Promise<ArchiveEntry | undefined> {
    const command = new GetItemCommand({
      TableName: this.#table,
      Key: { id: { S: id } },
      ConsistentRead: true,
    });
    const { Item } = await this.#answered(() => this.#client.send(command));
    return Item && entryOf(Item);
  }

  /**
   * The selected entries in the order of the time at which they were given up, after a position. It reads pages as it
   * is asked for more, a day after the other, so that any number of entries may be there. An entry that is moved to
   * another state meanwhile may still be given; whoever moves it too is told so by the condition.
   * @param nowMs nothing is older than the archive keeps
   */
  async *entries(
    selection: Selection,
    order: Order,
    nowMs: number,
    after?: Position,
  ): AsyncGenerator<ArchiveEntry, void> {
    if (selection.id !== undefined) {
      const entry = await this.get(selection.id);
      if (entry?.state === selection.state && after === undefined) yield entry;
      return;
    }
    const sinceMs = Math.max(selection.sinceMs ?? 0, nowMs - (ARCHIVE_RETENTION_DAYS + 1) * DAY_MS);
    const untilMs = Math.min(selection.untilMs ?? Number.POSITIVE_INFINITY, nowMs + DAY_MS);
    // DynamoDB refuses a range whose end is before its start, and a start key outside of it.
    if (sinceMs >= untilMs) return;
    const isStart = after !== undefined && after.firstAtMs >= sinceMs && after.firstAtMs < untilMs;
    for (const dayMs of days(sinceMs, untilMs, order)) {
      if (after !== undefined && isPassed(dayMs, after, order)) continue;
      const isDay = isStart && Math.floor(after.firstAtMs / DAY_MS) * DAY_MS === dayMs;
      const start = isDay ? startKey(selection, after) : undefined;
      yield* this.#query(dayQuery(selection, dayMs, sinceMs, untilMs), order, start);
    }
  }

  /**
   * `archived` (or the selected state) → `redriving`, and one redrive more; false where its state is another by now, or
   * it was redriven as often as may be. One in `redriving` is only taken over from a redrive that is long dead.
   */
  claim(entry: ArchiveEntry, redriveId: string, nowMs: number): Promise<boolean> {
    return this.#move(entry, "redriving", nowMs, {
      set: "redriveId = :redrive, redriveCount = redriveCount + :one",
      condition: "redriveCount = :count AND redriveCount < :max AND (#state <> :to OR stateAtMs < :stale)",
      values: {
        ":redrive": { S: redriveId },
        ":one": { N: "1" },
        ":count": { N: String(entry.redriveCount) },
        ":max": { N: String(MAX_REDRIVES) },
        ":stale": { N: String(nowMs - REDRIVE_STALE_MS) },
      },
    });
  }

  /** `redriving` → `redriven`, by the redrive that claimed it. */
  finish(entry: ArchiveEntry, redriveId: string, nowMs: number): Promise<boolean> {
    return this.#move({ ...entry, state: "redriving" }, "redriven", nowMs, {
      condition: "redriveId = :redrive",
      values: { ":redrive": { S: redriveId } },
    });
  }

  /** Back to where {@link claim} found it, as its event was not sent. */
  release(entry: ArchiveEntry, redriveId: string, nowMs: number): Promise<boolean> {
    return this.#move({ ...entry, state: "redriving" }, entry.state, nowMs, {
      set: "redriveCount = :count",
      condition: "redriveId = :redrive",
      values: { ":redrive": { S: redriveId }, ":count": { N: String(entry.redriveCount) } },
    });
  }

  /** → `discarded`; false where its state is another by now. */
  discard(entry: ArchiveEntry, nowMs: number): Promise<boolean> {
    return this.#move(entry, "discarded", nowMs);
  }

  /** How many entries are events of a redrive that failed again. */
  async countCameBack(redriveId: string): Promise<number> {
    let count = 0;
    let start: Item | undefined;
    do {
      const command = new QueryCommand({
        TableName: this.#table,
        IndexName: byRedrive.name,
        Select: "COUNT",
        KeyConditionExpression: "cameBackFrom = :redrive",
        ExpressionAttributeValues: { ":redrive": { S: redriveId } },
        ...(start && { ExclusiveStartKey: start }),
      });
      const answer = await this.#answered(() => this.#client.send(command));
      count += answer.Count ?? 0;
      start = answer.LastEvaluatedKey;
    } while (start !== undefined);
    return count;
  }

  async *#query(
    query: Partial<QueryCommandInput>,
    order: Order,
    startAt?: Item,
  ): AsyncGenerator<ArchiveEntry> {
    let start = startAt;
    do {
      const command = new QueryCommand({
        ...query,
        TableName: this.#table,
        IndexName: byState.name,
        ScanIndexForward: order === "oldest first",
        Limit: PAGE_ITEMS,
        ...(start && { ExclusiveStartKey: start }),
      });
      const { Items = [], LastEvaluatedKey } = await this.#answered(() => this.#client.send(command));
      for (const item of Items) yield entryOf(item);
      start = LastEvaluatedKey;
    } while (start !== undefined);
  }

  async #noteAgain({ id, lastAtMs }: ArchiveEntry): Promise<void> {
    await this.#conditionally(() =>
      this.#client.send(
        new UpdateItemCommand({
          TableName: this.#table,
          Key: { id: { S: id } },
          UpdateExpression: "SET lastAtMs = :at",
          ConditionExpression: "lastAtMs < :at",
          ExpressionAttributeValues: { ":at": { N: String(lastAtMs) } },
        }),
      ),
    );
  }

  #move(
    { id, state, firstAtMs }: ArchiveEntry,
    to: ArchiveEntry["state"],
    nowMs: number,
    more: { readonly set?: string; readonly condition?: string; readonly values?: Item } = {},
  ): Promise<boolean> {
    const sets = ["#state = :to", "stateDay = :day", "stateAtMs = :now", ...(more.set ? [more.set] : [])];
    const conditions = ["#state = :from", ...(more.condition ? [more.condition] : [])];
    const input: UpdateItemCommandInput = {
      TableName: this.#table,
      Key: { id: { S: id } },
      UpdateExpression: `SET ${sets.join(", ")}`,
      ConditionExpression: conditions.join(" AND "),
      ExpressionAttributeNames: { "#state": "state" },
      ExpressionAttributeValues: {
        ":from": { S: state },
        ":to": { S: to },
        ":day": { S: stateDay(to, firstAtMs) },
        ":now": { N: String(nowMs) },
        ...more.values,
      },
    };
    return this.#conditionally(() => this.#client.send(new UpdateItemCommand(input)));
  }

  /** False where the condition did not hold. */
  async #conditionally(write: () => Promise<unknown>): Promise<boolean> {
    try {
      await write();
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw unavailable(this.#table, error);
    }
  }

  async #answered<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    try {
      return await ask();
    } catch (error) {
      throw unavailable(this.#table, error);
    }
  }
}

const unavailable = (table: string, cause: unknown): TableUnavailableError =>
  new TableUnavailableError(
    `The archive's index ${table} did not answer.`,
    "Nothing, if it passes: the same call is made again. If it lasts, look at the table's throttling and the role.",
    cause,
  );

/** Starts of the days (UTC) from one moment to before another. */
function* days(sinceMs: number, untilMs: number, order: Order): Generator<number> {
  const first = Math.floor(sinceMs / DAY_MS);
  const last = Math.ceil(untilMs / DAY_MS) - 1;
  for (let step = 0; step <= last - first; step++) {
    yield (order === "oldest first" ? first + step : last - step) * DAY_MS;
  }
}

const isPassed = (dayMs: number, { firstAtMs }: Position, order: Order): boolean =>
  order === "oldest first" ? dayMs + DAY_MS <= firstAtMs : dayMs > firstAtMs;

const startKey = ({ state }: Selection, { id, firstAtMs }: Position): Item => ({
  id: { S: id },
  stateDay: { S: stateDay(state, firstAtMs) },
  firstAtMs: { N: String(firstAtMs) },
});

function dayQuery(
  { state, reason, type, pipeline }: Selection,
  dayMs: number,
  sinceMs: number,
  untilMs: number,
): Partial<QueryCommandInput> {
  const wanted: readonly (readonly [name: string, value: string | undefined])[] = [
    ["reason", reason],
    ["type", type],
    ["stage", pipeline],
  ];
  const filters: string[] = [];
  const names: Record<string, string> = {};
  const values: Item = {
    ":day": { S: stateDay(state, dayMs) },
    ":since": { N: String(sinceMs) },
    // Both ends of BETWEEN are included.
    ":last": { N: String(untilMs - 1) },
  };
  for (const [name, value] of wanted) {
    if (value === undefined) continue;
    names[`#${name}`] = name;
    values[`:${name}`] = { S: value };
    filters.push(
      name === "stage" ? "(#stage = :stage OR begins_with(#stage, :stages))" : `#${name} = :${name}`,
    );
  }
  // The stages of a pipeline are called `<pipeline>.<stage>`.
  if (pipeline !== undefined) values[":stages"] = { S: `${pipeline}.` };
  return {
    KeyConditionExpression: "stateDay = :day AND firstAtMs BETWEEN :since AND :last",
    ExpressionAttributeValues: values,
    ...(filters.length > 0 && {
      FilterExpression: filters.join(" AND "),
      ExpressionAttributeNames: names,
    }),
  };
}
