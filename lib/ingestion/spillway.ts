import { Duration } from "aws-cdk-lib";
import type { Table } from "aws-cdk-lib/aws-dynamodb";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { Stream, StreamEncryption, StreamMode } from "aws-cdk-lib/aws-kinesis";
import { CfnEventSourceMapping } from "aws-cdk-lib/aws-lambda";
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";
import { environmentVariables } from "../../contracts/environment.ts";
import { DEAD_LETTERS_TOPIC, topics } from "../../contracts/topics.ts";
import { functionCode } from "../functions/function-code.ts";
import { PlatformFunction } from "../functions/platform-function.ts";
import type { NetworkStack } from "../network/network-stack.ts";
import type { SpillwayStack } from "../spillway-stack.ts";
import type { TransportStack } from "../transport/transport-stack.ts";

export interface SpillwayProps {
  readonly network: NetworkStack;
  readonly transport: TransportStack;
  readonly signals: Table;
  /** Module that exports `handler`. */
  readonly entry: string;
}

/** The mapping gives a record up this long before the stream forgets it, so that it can still be filed. */
const GIVE_UP_BEFORE_HOURS = 24;
const HOUR_S = 3_600;

/**
 * A stream that holds accepted events while Kafka or its readers cannot take them, and the function that drains it.
 * Retries have no end, since an outage is not poison; a record that is nearly as old as the stream's retention goes to
 * a bucket, whole.
 */
export class Spillway extends Construct {
  readonly stream: Stream;
  readonly #stack: SpillwayStack;
  readonly #forward: PlatformFunction;

  constructor(scope: SpillwayStack, id: string, props: SpillwayProps) {
    super(scope, id);
    this.#stack = scope;
    this.stream = this.makeStream();
    this.#forward = this.makeForward(props);
    this.mapStream(this.makeAgedOutBucket());
  }

  private makeStream(): Stream {
    const { shards, retentionHours } = this.#stack.config.spillway;
    return new Stream(this, "Stream", {
      ...(shards === "on-demand"
        ? { streamMode: StreamMode.ON_DEMAND }
        : { streamMode: StreamMode.PROVISIONED, shardCount: shards }),
      retentionPeriod: Duration.hours(retentionHours),
      encryption: StreamEncryption.MANAGED,
      removalPolicy: this.#stack.dataRemovalPolicy,
    });
  }

  private makeForward({ network, transport, signals, entry }: SpillwayProps): PlatformFunction {
    const { name, spillway } = this.#stack.config;
    const forward = new PlatformFunction(this.#stack, "Forward", {
      description: "Drains the spillway stream to Kafka",
      code: functionCode(entry),
      size: spillway.forward,
      network: { vpc: network.vpc, securityGroup: network.forward },
      environment: {
        [environmentVariables.environment]: name,
        [environmentVariables.bootstrapServers]: transport.bootstrapServers,
        [environmentVariables.signalsTable]: signals.tableName,
      },
    });
    transport.access.connect(forward.role);
    transport.access.write(forward.role, [...Object.keys(topics), DEAD_LETTERS_TOPIC]);
    signals.grant(forward.role, "dynamodb:Scan");
    // What Lambda asks of the function's role to poll the stream for it:
    // https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-create.html
    this.stream.grant(
      forward.role,
      "kinesis:DescribeStream",
      "kinesis:DescribeStreamSummary",
      "kinesis:GetRecords",
      "kinesis:GetShardIterator",
      "kinesis:ListShards",
    );
    return forward;
  }

  private makeAgedOutBucket(): Bucket {
    return new Bucket(this, "AgedOut", {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      removalPolicy: this.#stack.dataRemovalPolicy,
    });
  }

  private mapStream(agedOut: Bucket): void {
    const { batchRecords, retentionHours } = this.#stack.config.spillway;
    const { role, lambda } = this.#forward;
    // Lambda writes objects whose names it chooses, and looks whether the bucket is there.
    role.addToPolicy(
      new PolicyStatement({ actions: ["s3:PutObject"], resources: [agedOut.arnForObjects("aws/lambda/*")] }),
    );
    role.addToPolicy(new PolicyStatement({ actions: ["s3:ListBucket"], resources: [agedOut.bucketArn] }));
    const mapping = new CfnEventSourceMapping(this, "Mapping", {
      functionName: lambda.functionName,
      eventSourceArn: this.stream.streamArn,
      startingPosition: "TRIM_HORIZON",
      batchSize: batchRecords,
      functionResponseTypes: ["ReportBatchItemFailures"],
      // Half of a batch is no better than all of it: the function says itself from which record on it was not stored.
      bisectBatchOnFunctionError: false,
      maximumRetryAttempts: -1,
      maximumRecordAgeInSeconds: (retentionHours - GIVE_UP_BEFORE_HOURS) * HOUR_S,
      destinationConfig: { onFailure: { destination: agedOut.bucketArn } },
    });
    // Lambda tries the role's permissions when the mapping is made.
    mapping.node.addDependency(role);
  }
}
