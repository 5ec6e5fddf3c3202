import { type DynamoDBClient, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { NOTICE_TTL_S, noticesTable } from "../../contracts/notices.ts";
import { TableUnavailableError } from "../../runtime/errors.ts";
import type { NoticeLedger } from "./notifier.ts";

export class DynamoDBNoticeLedger implements NoticeLedger {
  readonly #client: DynamoDBClient;
  readonly #tableName: string;

  constructor(client: DynamoDBClient, tableName: string) {
    this.#client = client;
    this.#tableName = tableName;
  }

  /** Read consistently: a batch may be delivered again within milliseconds. */
  async has(id: string): Promise<boolean> {
    const command = new GetItemCommand({
      TableName: this.#tableName,
      Key: { [noticesTable.partitionKey]: { S: id } },
      ConsistentRead: true,
      ProjectionExpression: "#id",
      ExpressionAttributeNames: { "#id": noticesTable.partitionKey },
    });
    const { Item } = await this.#reporting(this.#client.send(command));
    return Item !== undefined;
  }

  async add(id: string): Promise<void> {
    const expiresAt = Math.floor(Date.now() / 1_000) + NOTICE_TTL_S;
    const command = new PutItemCommand({
      TableName: this.#tableName,
      Item: {
        [noticesTable.partitionKey]: { S: id },
        [noticesTable.expiresAt]: { N: String(expiresAt) },
      },
    });
    await this.#reporting(this.#client.send(command));
  }

  async #reporting<Answer>(request: Promise<Answer>): Promise<Answer> {
    try {
      return await request;
    } catch (error) {
      throw new TableUnavailableError(
        `The table of notices ${this.#tableName} did not answer.`,
        "Nothing: the mapping delivers the batch again. If it lasts, look at the table's throttling and the role.",
        error,
      );
    }
  }
}
