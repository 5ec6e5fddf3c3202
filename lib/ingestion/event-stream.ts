import { Duration } from "aws-cdk-lib";
import { Stream, StreamEncryption, StreamMode } from "aws-cdk-lib/aws-kinesis";
import type { Key } from "aws-cdk-lib/aws-kms";
import type { Construct } from "constructs";
import type { StreamConfig } from "../config/environment.ts";
import type { SpillwayStack } from "../spillway-stack.ts";

/** A stream of a size, encrypted at rest: with Kinesis' own key, or with one that others may be let use. */
export function eventStream(
  stack: SpillwayStack,
  scope: Construct,
  id: string,
  { shards, retentionHours }: StreamConfig,
  encryptionKey?: Key,
): Stream {
  return new Stream(scope, id, {
    ...(shards === "on-demand"
      ? { streamMode: StreamMode.ON_DEMAND }
      : { streamMode: StreamMode.PROVISIONED, shardCount: shards }),
    retentionPeriod: Duration.hours(retentionHours),
    encryption: encryptionKey ? StreamEncryption.KMS : StreamEncryption.MANAGED,
    ...(encryptionKey && { encryptionKey }),
    removalPolicy: stack.dataRemovalPolicy,
  });
}
