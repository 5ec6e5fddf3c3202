/** The signals table: what stages say about their load, for whoever sends to them (contracts/signals.ts). */
import {
  type AttributeValue,
  type DynamoDBClient,
  PutItemCommand,
  paginateScan,
} from "@aws-sdk/client-dynamodb";
import { type LoadSignal, signalsTable } from "../contracts/signals.ts";

/** An item outlives what it says by enough to be looked at, and is gone before a stage that was renamed annoys. */
const TTL_S = 86_400;

export class SignalsTable {
  readonly #client: DynamoDBClient;
  readonly #tableName: string;

  constructor(client: DynamoDBClient, tableName: string) {
    this.#client = client;
    this.#tableName = tableName;
  }

  async write(signal: LoadSignal, abortSignal: AbortSignal): Promise<void> {
    const { stage, source, topics, load, atMs, waitingSinceMs } = signal;
    const command = new PutItemCommand({
      TableName: this.#tableName,
      Item: {
        [signalsTable.partitionKey]: { S: stage },
        [signalsTable.sortKey]: { S: source },
        topics: { L: topics.map((topic) => ({ S: topic })) },
        load: { N: String(load) },
        atMs: { N: String(atMs) },
        ...(waitingSinceMs !== undefined && { waitingSinceMs: { N: String(waitingSinceMs) } }),
        [signalsTable.timeToLive]: { N: String(Math.floor(atMs / 1_000) + TTL_S) },
      },
    });
    await this.#client.send(command, { abortSignal });
  }

  /** Every signal, old ones too: one item for each task, so that a scan is one request or a few. */
  async read(abortSignal: AbortSignal): Promise<LoadSignal[]> {
    const signals: LoadSignal[] = [];
    const pages = paginateScan({ client: this.#client }, { TableName: this.#tableName }, { abortSignal });
    for await (const { Items = [] } of pages) {
      for (const item of Items) signals.push(...readSignal(item));
    }
    return signals;
  }
}

/** An item that is none of ours says nothing. */
function readSignal(item: Record<string, AttributeValue>): LoadSignal[] {
  const stage = item[signalsTable.partitionKey]?.S;
  const source = item[signalsTable.sortKey]?.S;
  const load = Number(item.load?.N);
  const atMs = Number(item.atMs?.N);
  if (stage === undefined || source === undefined || !(load >= 0) || !Number.isFinite(atMs)) return [];
  const topics = (item.topics?.L ?? []).flatMap(({ S }) => S ?? []);
  const waitingSinceMs = Number(item.waitingSinceMs?.N);
  return [{ stage, source, topics, load, atMs, ...(waitingSinceMs >= 0 && { waitingSinceMs }) }];
}

/** A stage that cannot be heard must not hold up a request: what was heard last counts on, until it is too old. */
const READ_TIMEOUT_MS = 300;
const FIRST_READ_TIMEOUT_MS = 1_000;
const MAX_AGE_MS = 2_000;

/** The signals as a function that runs at any time needs them: read again when it asks, at most every two seconds. */
export class RecentSignals {
  readonly #table: Pick<SignalsTable, "read">;
  readonly #onFailure: (error: Error) => void;
  #signals: readonly LoadSignal[] = [];
  #triedMs = Number.NEGATIVE_INFINITY;
  #heard = false;

  constructor(table: Pick<SignalsTable, "read">, onFailure: (error: Error) => void) {
    this.#table = table;
    this.#onFailure = onFailure;
  }

  /** Never rejects. */
  async read(nowMs: number): Promise<readonly LoadSignal[]> {
    if (nowMs - this.#triedMs < MAX_AGE_MS) return this.#signals;
    this.#triedMs = nowMs;
    try {
      // Before anything was heard the client has yet to connect, and there is nothing to fall back to.
      const timeoutMs = this.#heard ? READ_TIMEOUT_MS : FIRST_READ_TIMEOUT_MS;
      this.#signals = await this.#table.read(AbortSignal.timeout(timeoutMs));
      this.#heard = true;
    } catch (error) {
      this.#onFailure(error as Error);
    }
    return this.#signals;
  }
}
