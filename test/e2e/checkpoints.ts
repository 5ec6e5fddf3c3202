/** The checkpoints of a running platform, to look at and to damage. */
import { DeleteItemCommand, DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import { AwsCheckpointStore } from "../../processors/adapters/aws-checkpoint-store.ts";
import type { LocalState } from "./local-control.ts";

export class Checkpoints {
  readonly store: AwsCheckpointStore;
  readonly #dynamodb: DynamoDBClient;
  readonly #table: string;

  constructor({ tables, buckets, environment }: LocalState) {
    const client = (service: string) => ({
      endpoint: environment[`AWS_ENDPOINT_URL_${service}`]!,
      region: environment.AWS_REGION!,
      credentials: { accessKeyId: "local", secretAccessKey: "local" },
    });
    this.#dynamodb = new DynamoDBClient(client("DYNAMODB"));
    const s3 = new S3Client({ ...client("S3"), forcePathStyle: true });
    this.#table = named(tables);
    this.store = new AwsCheckpointStore({
      dynamodb: this.#dynamodb,
      s3,
      table: this.#table,
      bucket: named(buckets),
    });
  }

  /** Whether any task has written and registered a checkpoint. */
  async anyRegistered(): Promise<boolean> {
    const { Count = 0 } = await this.#dynamodb.send(
      new ScanCommand({
        TableName: this.#table,
        ConsistentRead: true,
        FilterExpression: "sk = :slot AND attribute_exists(id)",
        ExpressionAttributeValues: { ":slot": { S: "slot" } },
      }),
    );
    return Count > 0;
  }

  /** As where the table was restored from a time before the task began. */
  async deleteSlot(task: string): Promise<void> {
    const Key = { pk: { S: task }, sk: { S: "slot" } };
    await this.#dynamodb.send(new DeleteItemCommand({ TableName: this.#table, Key }));
  }
}

/** The physical name of the one whose logical id says that it holds checkpoints. */
function named(names: Readonly<Record<string, string>>): string {
  return Object.entries(names).find(([logicalId]) => logicalId.startsWith("Checkpoints"))![1];
}
