/** The control table: what the flow control remembers, what people order, and who changed what (contracts/flow-control.ts). */
import { randomBytes } from "node:crypto";
import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
} from "@aws-sdk/client-dynamodb";
import {
  type Change,
  type ControlledMapping,
  controlTable,
  type Override,
} from "../contracts/flow-control.ts";
import type { PausingMemory } from "../flow/pausing.ts";

/** A year of changes can be looked up, and the one in which it is asked for. */
const CHANGE_TTL_S = 400 * 86_400;
const CHANGE = "change#";
const OVERRIDE = "override";
const STATE = "state";

/** What one run of the flow control leaves for the next, and for whoever looks. */
export interface MappingState {
  readonly mapping: ControlledMapping;
  readonly memory: PausingMemory;
}

export interface ControlItems {
  /** Undefined before the first run. */
  readonly state: MappingState | undefined;
  /** Also one whose time is over. */
  readonly override: Override | undefined;
}

export class ControlTable {
  readonly #client: DynamoDBClient;
  readonly #tableName: string;

  constructor(client: DynamoDBClient, tableName: string) {
    this.#client = client;
    this.#tableName = tableName;
  }

  async read(mapping: string): Promise<ControlItems> {
    const [state, override] = await Promise.all([
      this.#get<MappingState>(mapping, STATE),
      this.readOverride(mapping),
    ]);
    return { state, override };
  }

  readOverride(mapping: string, abortSignal?: AbortSignal): Promise<Override | undefined> {
    return this.#get<Override>(mapping, OVERRIDE, abortSignal);
  }

  async putState(state: MappingState): Promise<void> {
    await this.#put(state.mapping.name, STATE, state);
  }

  async putOverride(mapping: string, override: Override): Promise<void> {
    await this.#put(mapping, OVERRIDE, override);
  }

  /** False where it is no longer the one that holds: somebody was faster. */
  async endOverride(mapping: string, override: Override): Promise<boolean> {
    const command = new DeleteItemCommand({
      TableName: this.#tableName,
      Key: keyOf(mapping, OVERRIDE),
      ConditionExpression: "#value = :value",
      ExpressionAttributeNames: { "#value": controlTable.value },
      ExpressionAttributeValues: { ":value": { S: JSON.stringify(override) } },
    });
    try {
      await this.#client.send(command);
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }

  /** Two changes of one millisecond are two records. */
  async record(mapping: string, change: Change): Promise<void> {
    const item = `${CHANGE}${new Date(change.atMs).toISOString()}#${randomBytes(4).toString("hex")}`;
    await this.#put(mapping, item, change, Math.floor(change.atMs / 1_000) + CHANGE_TTL_S);
  }

  /** The last changes, the newest first. */
  async changes(mapping: string, limit: number): Promise<readonly Change[]> {
    const { Items = [] } = await this.#client.send(
      new QueryCommand({
        TableName: this.#tableName,
        KeyConditionExpression: "#mapping = :mapping AND begins_with(#item, :change)",
        ExpressionAttributeNames: { "#mapping": controlTable.partitionKey, "#item": controlTable.sortKey },
        ExpressionAttributeValues: { ":mapping": { S: mapping }, ":change": { S: CHANGE } },
        ScanIndexForward: false,
        Limit: limit,
      }),
    );
    return Items.map((item) => contentOf<Change>(item));
  }

  async #get<T>(mapping: string, item: string, abortSignal?: AbortSignal): Promise<T | undefined> {
    const command = new GetItemCommand({
      TableName: this.#tableName,
      Key: keyOf(mapping, item),
      ConsistentRead: true,
    });
    const { Item } = await this.#client.send(command, abortSignal && { abortSignal });
    return Item && contentOf<T>(Item);
  }

  async #put(mapping: string, item: string, content: object, expiresAtS?: number): Promise<void> {
    await this.#client.send(
      new PutItemCommand({
        TableName: this.#tableName,
        Item: {
          ...keyOf(mapping, item),
          [controlTable.value]: { S: JSON.stringify(content) },
          ...(expiresAtS !== undefined && { [controlTable.timeToLive]: { N: String(expiresAtS) } }),
        },
      }),
    );
  }
}

const keyOf = (mapping: string, item: string): Record<string, AttributeValue> => ({
  [controlTable.partitionKey]: { S: mapping },
  [controlTable.sortKey]: { S: item },
});

/** Only this module writes the table; where somebody else did, JSON's error says so. */
const contentOf = <T>(item: Record<string, AttributeValue>): T =>
  JSON.parse(item[controlTable.value]?.S ?? "") as T;
