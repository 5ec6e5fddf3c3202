import { Duration } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { EventSourceMapping, StartingPosition } from "aws-cdk-lib/aws-lambda";
import type { Queue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { archiveConsumerGroup, environmentVariables } from "../../contracts/environment.ts";
import { DEAD_LETTERS_TOPIC } from "../../contracts/topics.ts";
import { acknowledgeAnyResource } from "../acknowledge.ts";
import { functionCode } from "../functions/function-code.ts";
import { PlatformFunction } from "../functions/platform-function.ts";
import type { SpillwayStack } from "../spillway-stack.ts";
import type { TransportStack } from "../transport/transport-stack.ts";
import type { ArchiveStorage } from "./archive-storage.ts";

/** How many dead letters there are is nothing that environments differ in: what is not filed yet waits. */
const SIZE = { memoryMib: 512, timeoutSeconds: 60 };
const RECORDS_BATCH = 100;
const RECORDS_WINDOW_SECONDS = 1;
const MESSAGES_BATCH = 10;

export interface ArchiverProps {
  readonly transport: TransportStack;
  readonly queue: Queue;
  readonly storage: ArchiveStorage;
  /** Module that exports `handler`. */
  readonly entry: string;
}

/** Files what comes to the topic of dead letters and to the dead-letter queue. It is in no VPC: only the pollers are. */
export class Archiver extends Construct {
  /** What a queue's visibility timeout should be at least: six times the function's own (Lambda, SQS configuration). */
  static readonly visibilityTimeout = Duration.seconds(6 * SIZE.timeoutSeconds);

  readonly #archiver: PlatformFunction;

  constructor(scope: SpillwayStack, id: string, { transport, queue, storage, entry }: ArchiverProps) {
    super(scope, id);
    const { name } = scope.config;
    this.#archiver = new PlatformFunction(scope, "ArchiveFunction", {
      description: "Files what failed for good: bytes in S3, an index in DynamoDB",
      code: functionCode(entry),
      traced: true,
      size: SIZE,
      environment: {
        [environmentVariables.environment]: name,
        [environmentVariables.archiveTable]: storage.table.tableName,
        [environmentVariables.archiveBucket]: storage.bucket.bucketName,
      },
    });
    storage.grantFile(this.#archiver.role);
    queue.grantConsumeMessages(this.#archiver.role);
    this.allowPolling(transport, archiveConsumerGroup(name));
    this.mapTopic(transport.clusterArn, archiveConsumerGroup(name));
    this.mapQueue(queue);
  }

  private allowPolling({ access }: TransportStack, group: string): void {
    const { role } = this.#archiver;
    access.connect(role);
    access.consume(role, [DEAD_LETTERS_TOPIC], [group]);
    access.poll(role);
    // Lambda makes the pollers' interfaces with the function's role, before it knows their names:
    // https://docs.aws.amazon.com/lambda/latest/dg/with-msk-permissions.html
    acknowledgeAnyResource(role, "Lambda makes the pollers' interfaces before it knows their names.");
    role.addToPolicy(
      new PolicyStatement({
        actions: [
          "ec2:CreateNetworkInterface",
          "ec2:DeleteNetworkInterface",
          "ec2:DescribeNetworkInterfaces",
          "ec2:DescribeSecurityGroups",
          "ec2:DescribeSubnets",
          "ec2:DescribeVpcs",
        ],
        resources: ["*"],
      }),
    );
  }

  /** Has no on-failure destination: a dead letter that cannot be filed waits in its topic. */
  private mapTopic(clusterArn: string, group: string): void {
    const mapping = new EventSourceMapping(this, "TopicMapping", {
      target: this.#archiver.lambda,
      eventSourceArn: clusterArn,
      kafkaTopic: DEAD_LETTERS_TOPIC,
      kafkaConsumerGroupId: group,
      startingPosition: StartingPosition.TRIM_HORIZON,
      batchSize: RECORDS_BATCH,
      maxBatchingWindow: Duration.seconds(RECORDS_WINDOW_SECONDS),
    });
    // Lambda tries the role's permissions when the mapping is made.
    mapping.node.addDependency(this.#archiver.role);
  }

  private mapQueue(queue: Queue): void {
    const mapping = new EventSourceMapping(this, "QueueMapping", {
      target: this.#archiver.lambda,
      eventSourceArn: queue.queueArn,
      batchSize: MESSAGES_BATCH,
      reportBatchItemFailures: true,
    });
    mapping.node.addDependency(this.#archiver.role);
  }
}
