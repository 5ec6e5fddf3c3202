import { CfnOutput } from "aws-cdk-lib";
import { AccountPrincipal, PolicyStatement } from "aws-cdk-lib/aws-iam";
import { CfnResourcePolicy } from "aws-cdk-lib/aws-kinesis";
import { Key } from "aws-cdk-lib/aws-kms";
import { Construct } from "constructs";
import { environmentVariables } from "../../contracts/environment.ts";
import { catalogue, topicsOfType } from "../../contracts/events/catalogue.ts";
import { doorMapping } from "../../contracts/flow-control.ts";
import { acknowledge } from "../acknowledge.ts";
import type { KinesisDoorConfig } from "../config/environment.ts";
import { bundleWithEventValidators } from "../functions/bundle.ts";
import { functionCode } from "../functions/function-code.ts";
import type { SpillwayStack } from "../spillway-stack.ts";
import { eventStream } from "./event-stream.ts";
import { type DrainSurroundings, heeded, StreamDrain } from "./stream-drain.ts";

export interface KinesisDoorProps extends DrainSurroundings {
  readonly door: KinesisDoorConfig;
  /** Module that exports `handler`. */
  readonly entry: string;
}

/**
 * The door of one producer account that sends with PutRecords: a stream of its own, which that account may write to and
 * nobody else, and the function that judges what comes and moves it to Kafka.
 */
export class KinesisDoor extends Construct {
  readonly drain: StreamDrain;

  constructor(scope: SpillwayStack, id: string, { door, entry, ...surroundings }: KinesisDoorProps) {
    super(scope, id);
    const stream = eventStream(scope, this, "Stream", door, this.makeKey(scope, door));
    acknowledge(
      stream,
      "KDS3",
      "Another account writes with the key, which Kinesis' own lets nobody else do.",
    );
    new CfnResourcePolicy(this, "Producer", {
      resourceArn: stream.streamArn,
      resourcePolicy: {
        Version: "2012-10-17",
        Statement: [
          {
            Sid: "Produce",
            Effect: "Allow",
            // The account decides itself which of its roles may.
            Principal: { AWS: door.producerAccount },
            Action: [
              "kinesis:DescribeStreamSummary",
              "kinesis:ListShards",
              "kinesis:PutRecord",
              "kinesis:PutRecords",
            ],
            Resource: stream.streamArn,
          },
        ],
      },
    });
    this.drain = new StreamDrain(this, "Drain", scope, `Door-${door.name}`, {
      ...surroundings,
      name: doorMapping(door.name),
      description: `Judges the events of ${door.name} and moves them to Kafka`,
      code: functionCode(entry, bundleWithEventValidators),
      securityGroup: surroundings.network.forward,
      size: door.function,
      batchRecords: door.batchRecords,
      stream,
      retentionHours: door.retentionHours,
      topics: topicsOf(door.eventTypes),
      heeds: heeded(topicsOf(door.eventTypes)),
      environment: {
        [environmentVariables.producer]: door.name,
        [environmentVariables.eventTypes]: door.eventTypes.join(","),
      },
    });
    new CfnOutput(this, "StreamArn", {
      value: stream.streamArn,
      description: `Where ${door.name} (account ${door.producerAccount}) sends its events with PutRecords`,
    });
  }

  /** Kinesis' own key admits nobody of another account, so that a producer's puts would be refused. */
  private makeKey(scope: SpillwayStack, { name, producerAccount }: KinesisDoorConfig): Key {
    const key = new Key(this, "Key", {
      description: `Spillway (${scope.config.name}): the events that ${name} sends`,
      enableKeyRotation: true,
      removalPolicy: scope.dataRemovalPolicy,
    });
    key.addToResourcePolicy(
      new PolicyStatement({
        sid: "Produce",
        principals: [new AccountPrincipal(producerAccount)],
        actions: ["kms:GenerateDataKey"],
        resources: ["*"],
        conditions: { StringEquals: { "kms:ViaService": `kinesis.${scope.region}.amazonaws.com` } },
      }),
    );
    return key;
  }
}

const topicsOf = (types: readonly string[]): string[] => [
  ...new Set(catalogue.filter(({ type }) => types.includes(type)).flatMap(topicsOfType)),
];
