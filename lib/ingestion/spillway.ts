import type { Stream } from "aws-cdk-lib/aws-kinesis";
import { Construct } from "constructs";
import { topics } from "../../contracts/topics.ts";
import type { StreamConfig } from "../config/environment.ts";
import { functionCode } from "../functions/function-code.ts";
import type { SpillwayStack } from "../spillway-stack.ts";
import { eventStream } from "./event-stream.ts";
import { type DrainSurroundings, StreamDrain } from "./stream-drain.ts";

export interface SpillwayProps extends DrainSurroundings {
  /** By which the flow control knows its mapping. */
  readonly mapping: string;
  /** Of the function that drains it. */
  readonly functionId: string;
  readonly description: string;
  readonly shards: StreamConfig["shards"];
  /** Topics whose loads pause its mapping. */
  readonly heeds: readonly string[];
  /** Module that exports `handler`. */
  readonly entry: string;
}

/** A stream that holds accepted events while Kafka or its readers cannot take them, and the function that drains it. */
export class Spillway extends Construct {
  readonly stream: Stream;
  readonly drain: StreamDrain;

  constructor(
    scope: SpillwayStack,
    id: string,
    { entry, functionId, mapping, shards, ...props }: SpillwayProps,
  ) {
    super(scope, id);
    const { forward, batchRecords, retentionHours } = scope.config.spillway;
    this.stream = eventStream(scope, this, "Stream", { shards, retentionHours });
    this.drain = new StreamDrain(this, "Drain", scope, functionId, {
      ...props,
      name: mapping,
      code: functionCode(entry),
      securityGroup: props.network.forward,
      size: forward,
      batchRecords,
      stream: this.stream,
      retentionHours,
      // All of them: a topic whose priority was changed has left events in the other stream.
      topics: Object.keys(topics),
    });
  }
}
