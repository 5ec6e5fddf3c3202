/** Conditional writes to the results table. */
import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  DynamoDBServiceException,
  PutItemCommand,
  type PutItemCommandInput,
} from "@aws-sdk/client-dynamodb";
import { resultsTable } from "../../contracts/results.ts";
import { PROGRESS_SORT_KEY, progressItem, progressKey } from "../../contracts/served-series.ts";
import { TableUnavailableError } from "../../runtime/errors.ts";
import type { StoredResult } from "./batch.ts";
import type { PartitionProgress } from "./progress.ts";

/** How long a retracted item stays, so that an older result delivered again still meets its version: 30 days. */
const RETRACTION_TTL_S = 30 * 86_400;

/** `superseded`: the table holds this version or a newer one. `refused`: DynamoDB cannot hold this item. */
export type WriteOutcome =
  | { readonly kind: "stored" }
  | { readonly kind: "superseded" }
  | { readonly kind: "refused"; readonly detail: string };

export interface ResultsTable {
  /** Rejects with {@link TableUnavailableError} where the reason lies not in the item. */
  write(result: StoredResult): Promise<WriteOutcome>;
  /**
   * Says how far a partition has come, unless it is known to be further. To be called once everything up to there is
   * stored. Rejects with {@link TableUnavailableError}.
   */
  advance(progress: PartitionProgress): Promise<void>;
}

/**
 * One conditional put per item. BatchWriteItem takes no condition, and TransactWriteItems costs twice the write
 * units and fails all of its items where one is superseded, which is the normal case after a redelivery.
 */
export class DynamoDBResultsTable implements ResultsTable {
  readonly #client: DynamoDBClient;
  readonly #tableName: string;

  constructor(client: DynamoDBClient, tableName: string) {
    this.#client = client;
    this.#tableName = tableName;
  }

  async write(result: StoredResult): Promise<WriteOutcome> {
    try {
      await this.#client.send(new PutItemCommand(putInput(this.#tableName, result)));
      return { kind: "stored" };
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return { kind: "superseded" };
      if (isContentRefused(error)) return { kind: "refused", detail: error.message };
      throw unavailable(this.#tableName, error);
    }
  }

  async advance(progress: PartitionProgress): Promise<void> {
    try {
      await this.#client.send(new PutItemCommand(progressInput(this.#tableName, progress)));
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw unavailable(this.#tableName, error);
    }
  }
}

const unavailable = (tableName: string, cause: unknown): TableUnavailableError =>
  new TableUnavailableError(
    `The results table ${tableName} did not take a write.`,
    "Nothing: the mapping delivers the batch again. If it lasts, look at the table's throttling and the role.",
    cause,
  );

function progressInput(
  tableName: string,
  { series, partition, generation, endMs }: PartitionProgress,
): PutItemCommandInput {
  return {
    TableName: tableName,
    Item: {
      [resultsTable.partitionKey]: { S: progressKey(series, partition) },
      [resultsTable.sortKey]: { S: PROGRESS_SORT_KEY },
      [progressItem.generation]: { N: String(generation) },
      [progressItem.endMs]: { N: String(endMs) },
    },
    ConditionExpression:
      "attribute_not_exists(#generation) OR #generation < :generation OR (#generation = :generation AND #end < :end)",
    ExpressionAttributeNames: { "#generation": progressItem.generation, "#end": progressItem.endMs },
    ExpressionAttributeValues: { ":generation": { N: String(generation) }, ":end": { N: String(endMs) } },
  };
}

/** The value is JSON text: it comes back exactly, whatever its numbers are, and costs less than a map of attributes. */
function putInput(
  tableName: string,
  { result, partitionKey, sortKey, version }: StoredResult,
): PutItemCommandInput {
  return {
    TableName: tableName,
    Item: {
      [resultsTable.partitionKey]: { S: partitionKey },
      [resultsTable.sortKey]: { S: sortKey },
      [resultsTable.version]: { S: version },
      kind: { S: result.kind },
      revision: { N: String(result.revision) },
      value: { S: JSON.stringify(result.value) },
      ...(result.kind === "retract" && {
        [resultsTable.expiresAt]: { N: String(Math.floor(Date.now() / 1_000) + RETRACTION_TTL_S) },
      }),
    },
    ConditionExpression: "attribute_not_exists(#version) OR #version < :version",
    ExpressionAttributeNames: { "#version": resultsTable.version },
    ExpressionAttributeValues: { ":version": { S: version } },
  };
}

/**
 * DynamoDB answers ValidationException for an item it cannot hold (too large, a key too long), and also for a table
 * whose key schema is another one; that is no fault of the item, and every item would follow it.
 */
const isContentRefused = (error: unknown): error is DynamoDBServiceException =>
  error instanceof DynamoDBServiceException &&
  error.name === "ValidationException" &&
  !/schema|missing the key|type mismatch for key/i.test(error.message);
