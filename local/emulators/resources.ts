/** Creates a template's tables, buckets, queues and streams in the emulators. */

import { setTimeout as sleep } from "node:timers/promises";
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  type DynamoDBClient,
} from "@aws-sdk/client-dynamodb";
import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  type KinesisClient,
} from "@aws-sdk/client-kinesis";
import { CreateBucketCommand, type S3Client } from "@aws-sdk/client-s3";
import { CreateQueueCommand, type SQSClient } from "@aws-sdk/client-sqs";
import {
  arrayOf,
  isObject,
  type Json,
  type JsonObject,
  numberOf,
  objectOf,
  textOf,
} from "../assembly/json.ts";

const QUEUE_ATTRIBUTES = [
  "ContentBasedDeduplication",
  "DelaySeconds",
  "FifoQueue",
  "MaximumMessageSize",
  "MessageRetentionPeriod",
  "ReceiveMessageWaitTimeSeconds",
  "RedrivePolicy",
  "VisibilityTimeout",
];
/** Shards of a stream in on-demand mode when it is new (Kinesis, "on-demand mode"). */
const ON_DEMAND_SHARDS = 4;
const RETRY_MS = 50;

/** Keys and indexes as the template has them; capacity, TTL, streams and encryption change nothing here. */
export async function createTable(
  client: DynamoDBClient,
  name: string,
  properties: JsonObject,
): Promise<void> {
  const globals = indexes(properties.GlobalSecondaryIndexes);
  const locals = indexes(properties.LocalSecondaryIndexes);
  const input = {
    TableName: name,
    BillingMode: "PAY_PER_REQUEST",
    KeySchema: properties.KeySchema,
    AttributeDefinitions: properties.AttributeDefinitions,
    ...(globals.length > 0 ? { GlobalSecondaryIndexes: globals } : {}),
    ...(locals.length > 0 ? { LocalSecondaryIndexes: locals } : {}),
  };
  // CloudFormation's shapes are the API's; a template that has them wrong is refused by the emulator.
  await client.send(new CreateTableCommand(input as unknown as CreateTableCommandInput));
}

const indexes = (value: Json | undefined): JsonObject[] =>
  arrayOf(value)
    .filter(isObject)
    .map(({ IndexName, KeySchema, Projection }) => ({
      IndexName: IndexName ?? null,
      KeySchema: KeySchema ?? null,
      Projection: Projection ?? null,
    }));

export async function createBucket(client: S3Client, name: string): Promise<void> {
  await client.send(new CreateBucketCommand({ Bucket: name }));
}

export async function createQueue(client: SQSClient, name: string, properties: JsonObject): Promise<void> {
  const attributes: Record<string, string> = {};
  for (const key of QUEUE_ATTRIBUTES) {
    const value = properties[key];
    if (value === undefined) continue;
    attributes[key] = isObject(value) ? JSON.stringify(value) : String(value);
  }
  await client.send(new CreateQueueCommand({ QueueName: name, Attributes: attributes }));
}

/** Resolves once the stream is active. */
export async function createStream(
  client: KinesisClient,
  name: string,
  properties: JsonObject,
): Promise<void> {
  const onDemand = textOf(objectOf(properties.StreamModeDetails).StreamMode) === "ON_DEMAND";
  const shards = onDemand ? ON_DEMAND_SHARDS : (numberOf(properties.ShardCount) ?? 1);
  await client.send(new CreateStreamCommand({ StreamName: name, ShardCount: shards }));
  for (;;) {
    const { StreamDescriptionSummary } = await client.send(
      new DescribeStreamSummaryCommand({ StreamName: name }),
    );
    if (StreamDescriptionSummary?.StreamStatus === "ACTIVE") return;
    await sleep(RETRY_MS);
  }
}
