/** Where a stream's mapping sends what it gives up: a queue gets what happened, a bucket the records as well. */
import { randomUUID } from "node:crypto";
import { PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { JsonObject } from "../assembly/json.ts";

export interface Discarded {
  readonly shardId: string;
  /** The invocation record, as Lambda makes it. */
  readonly record: JsonObject;
  /** The event that the function got, as JSON text. */
  readonly payload: string;
}

export type SendToDestination = (discarded: Discarded) => Promise<void>;

export function toQueue(client: SQSClient, queueUrl: string): SendToDestination {
  return async ({ record }) => {
    await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(record) }));
  };
}

/**
 * The object's name is Lambda's: `aws/lambda/<mapping>/<shard>/<yyyy>/<mm>/<dd>/<time>-<random>`
 * (https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html).
 */
export function toBucket(client: S3Client, bucket: string, mapping: string): SendToDestination {
  return async ({ shardId, record, payload }) => {
    const time = new Date().toISOString().slice(0, 19);
    const name = `${time.replaceAll(":", ".")}-${randomUUID()}`;
    await client.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: `aws/lambda/${mapping}/${shardId}/${time.slice(0, 10).replaceAll("-", "/")}/${name}`,
        Body: JSON.stringify({ ...record, payload }),
      }),
    );
  };
}
