import { Duration } from "aws-cdk-lib";
import { Stream, StreamEncryption, StreamMode } from "aws-cdk-lib/aws-kinesis";
import type { Construct } from "constructs";
import type { StreamConfig } from "../config/environment.ts";
import type { SpillwayStack } from "../spillway-stack.ts";

/** A stream of a size, encrypted at rest. */
export function eventStream(
  stack: SpillwayStack,
  scope: Construct,
  id: string,
  { shards, retentionHours }: StreamConfig,
): Stream {
  return new Stream(scope, id, {
    ...(shards === "on-demand"
      ? { streamMode: StreamMode.ON_DEMAND }
      : { streamMode: StreamMode.PROVISIONED, shardCount: shards }),
    retentionPeriod: Duration.hours(retentionHours),
    encryption: StreamEncryption.MANAGED,
    removalPolicy: stack.dataRemovalPolicy,
  });
}
