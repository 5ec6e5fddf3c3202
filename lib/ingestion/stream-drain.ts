import type { Table } from "aws-cdk-lib/aws-dynamodb";
import type { SecurityGroup } from "aws-cdk-lib/aws-ec2";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { Stream } from "aws-cdk-lib/aws-kinesis";
import { CfnEventSourceMapping, type Code } from "aws-cdk-lib/aws-lambda";
import type { Bucket } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";
import { agedOutPrefixes } from "../../contracts/aged-out.ts";
import { environmentVariables } from "../../contracts/environment.ts";
import { DEAD_LETTERS_TOPIC, type TopicName, topics } from "../../contracts/topics.ts";
import { acknowledgeParts } from "../acknowledge.ts";
import type { FunctionConfig } from "../config/environment.ts";
import type { PausableMapping } from "../control/flow-control.ts";
import { grantSignals } from "../control/signals-access.ts";
import type { DeadLettersStack } from "../dead-letters/dead-letters-stack.ts";
import { PlatformFunction } from "../functions/platform-function.ts";
import type { NetworkStack } from "../network/network-stack.ts";
import type { SpillwayStack } from "../spillway-stack.ts";
import type { TransportStack } from "../transport/transport-stack.ts";
import { sheddingOf } from "./shedding.ts";

/** What every drain needs of the rest of the platform. */
export interface DrainSurroundings {
  readonly network: NetworkStack;
  readonly transport: TransportStack;
  readonly signals: Table;
  readonly control: Table;
  readonly deadLetters: DeadLettersStack;
}

export interface StreamDrainProps extends DrainSurroundings {
  /** By which the flow control knows its mapping. */
  readonly name: string;
  readonly description: string;
  readonly code: Code;
  readonly securityGroup: SecurityGroup;
  readonly size: FunctionConfig;
  readonly batchRecords: number;
  readonly stream: Stream;
  readonly retentionHours: number;
  /** Topics of the catalogue that it writes to. */
  readonly topics: readonly string[];
  /** Those of them whose loads pause its mapping. */
  readonly heeds: readonly string[];
  /** Beside what every drain has. @default none */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Topics of high priority are never shed, so that their loads hold nothing back either. */
export const heeded = (names: readonly string[]): readonly string[] =>
  names.filter((name) => topics[name as TopicName].priority !== "high");

/** The mapping gives a record up this long before the stream forgets it, or at half of its retention, so that it can be filed. */
const GIVE_UP_BEFORE_HOURS = 24;
const HOUR_S = 3_600;

/**
 * A function that moves a stream's records to Kafka, each shard in its order. Retries have no end, since an outage is
 * not poison; a record that is nearly as old as the stream's retention goes to a bucket, whole.
 */
export class StreamDrain extends Construct implements PausableMapping {
  readonly name: string;
  readonly mapping: CfnEventSourceMapping;
  readonly maxAgeHours: number;
  readonly topics: readonly string[];
  readonly drain: PlatformFunction;
  readonly stream: Stream;

  constructor(
    scope: Construct,
    id: string,
    stack: SpillwayStack,
    functionId: string,
    props: StreamDrainProps,
  ) {
    super(scope, id);
    this.stream = props.stream;
    this.drain = this.makeFunction(stack, functionId, props);
    this.name = props.name;
    this.topics = props.heeds;
    this.maxAgeHours = props.retentionHours - Math.min(GIVE_UP_BEFORE_HOURS, props.retentionHours / 2);
    this.mapping = this.mapStream(this.drain, props.deadLetters.agedOut.bucketOf(props.name), props);
  }

  private makeFunction(stack: SpillwayStack, id: string, props: StreamDrainProps): PlatformFunction {
    const { network, transport, signals, control, stream } = props;
    const drain = new PlatformFunction(stack, id, {
      description: props.description,
      code: props.code,
      traced: true,
      size: props.size,
      network: { vpc: network.vpc, securityGroup: props.securityGroup },
      environment: {
        [environmentVariables.environment]: stack.config.name,
        [environmentVariables.bootstrapServers]: transport.bootstrapServers,
        [environmentVariables.signalsTable]: signals.tableName,
        [environmentVariables.controlTable]: control.tableName,
        [environmentVariables.mapping]: props.name,
        ...sheddingOf(stack.config),
        ...props.environment,
      },
    });
    transport.access.connect(drain.role);
    transport.access.write(drain.role, [...props.topics, DEAD_LETTERS_TOPIC]);
    signals.grant(drain.role, "dynamodb:Scan");
    grantSignals(signals, drain.role, [props.name]);
    control.grant(drain.role, "dynamodb:GetItem");
    // What Lambda asks of the function's role to poll the stream for it:
    // https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-create.html
    stream.grant(
      drain.role,
      "kinesis:DescribeStream",
      "kinesis:DescribeStreamSummary",
      "kinesis:GetRecords",
      "kinesis:GetShardIterator",
      "kinesis:ListShards",
    );
    stream.encryptionKey?.grantDecrypt(drain.role);
    return drain;
  }

  private mapStream(
    { role, lambda }: PlatformFunction,
    agedOut: Bucket,
    props: StreamDrainProps,
  ): CfnEventSourceMapping {
    // Lambda writes objects whose names it chooses, and looks whether the bucket is there.
    acknowledgeParts(role, agedOut, `${agedOutPrefixes.filed}*`, "Lambda chooses the objects' names.");
    const filed = agedOut.arnForObjects(`${agedOutPrefixes.filed}*`);
    role.addToPolicy(new PolicyStatement({ actions: ["s3:PutObject"], resources: [filed] }));
    role.addToPolicy(new PolicyStatement({ actions: ["s3:ListBucket"], resources: [agedOut.bucketArn] }));
    const mapping = new CfnEventSourceMapping(this, "Mapping", {
      functionName: lambda.functionName,
      eventSourceArn: props.stream.streamArn,
      // Without `enabled`: a deployment must not resume what the flow control has paused.
      startingPosition: "TRIM_HORIZON",
      batchSize: props.batchRecords,
      functionResponseTypes: ["ReportBatchItemFailures"],
      // Half of a batch is no better than all of it: the function says itself from which record on it was not stored.
      bisectBatchOnFunctionError: false,
      maximumRetryAttempts: -1,
      maximumRecordAgeInSeconds: this.maxAgeHours * HOUR_S,
      destinationConfig: { onFailure: { destination: agedOut.bucketArn } },
    });
    // Lambda tries the role's permissions when the mapping is made.
    mapping.node.addDependency(role);
    return mapping;
  }
}
