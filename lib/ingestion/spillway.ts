import type { Stream } from "aws-cdk-lib/aws-kinesis";
import { Construct } from "constructs";
import { FORWARD_MAPPING } from "../../contracts/flow-control.ts";
import { topics } from "../../contracts/topics.ts";
import { functionCode } from "../functions/function-code.ts";
import type { SpillwayStack } from "../spillway-stack.ts";
import { eventStream } from "./event-stream.ts";
import { type DrainSurroundings, StreamDrain } from "./stream-drain.ts";

export interface SpillwayProps extends DrainSurroundings {
  /** Module that exports `handler`. */
  readonly entry: string;
}

/** A stream that holds accepted events while Kafka or its readers cannot take them, and the function that drains it. */
export class Spillway extends Construct {
  readonly stream: Stream;
  readonly drain: StreamDrain;

  constructor(scope: SpillwayStack, id: string, { entry, ...surroundings }: SpillwayProps) {
    super(scope, id);
    const { spillway } = scope.config;
    this.stream = eventStream(scope, this, "Stream", spillway);
    this.drain = new StreamDrain(this, "Drain", scope, "Forward", {
      ...surroundings,
      name: FORWARD_MAPPING,
      description: "Drains the spillway stream to Kafka",
      code: functionCode(entry),
      securityGroup: surroundings.network.forward,
      size: spillway.forward,
      batchRecords: spillway.batchRecords,
      stream: this.stream,
      retentionHours: spillway.retentionHours,
      topics: Object.keys(topics),
    });
  }
}
