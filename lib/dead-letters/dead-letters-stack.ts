import { CfnOutput, Duration } from "aws-cdk-lib";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Queue, QueueEncryption } from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";
import { environmentVariables } from "../../contracts/environment.ts";
import { DEAD_LETTERS_TOPIC, topics } from "../../contracts/topics.ts";
import { acknowledge } from "../acknowledge.ts";
import type { EnvironmentConfig } from "../config/environment.ts";
import { bundleWithEventValidators } from "../functions/bundle.ts";
import { functionCode } from "../functions/function-code.ts";
import { PlatformFunction } from "../functions/platform-function.ts";
import type { NetworkStack } from "../network/network-stack.ts";
import { SpillwayStack } from "../spillway-stack.ts";
import type { TransportStack } from "../transport/transport-stack.ts";
import { AgedOutStorage } from "./aged-out-storage.ts";
import { ArchiveStorage } from "./archive-storage.ts";
import { Archiver } from "./archiver.ts";

/** As long as SQS keeps anything. */
const QUEUE_RETENTION = Duration.days(14);
/** One call of a redrive works for a minute at most; its caller calls again. */
const REDRIVE_SIZE = { memoryMib: 512, timeoutSeconds: 90 };

export interface DeadLettersStackProps {
  readonly network: NetworkStack;
  readonly transport: TransportStack;
  /** Modules that export `handler`. */
  readonly archiveEntry: string;
  readonly redriveEntry: string;
}

/** What failed for good: the queue that takes it in, the archive, and the way back. */
export class DeadLettersStack extends SpillwayStack {
  /** For every function's on-failure destination; let its role send with `queue.grantSendMessages`. */
  readonly queue: Queue;
  /** For the mapping of every stream. */
  readonly agedOut: AgedOutStorage;

  constructor(scope: Construct, config: EnvironmentConfig, props: DeadLettersStackProps) {
    super(scope, "DeadLetters", config);
    this.queue = new Queue(this, "Queue", {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: QUEUE_RETENTION,
      visibilityTimeout: Archiver.visibilityTimeout,
      removalPolicy: this.dataRemovalPolicy,
    });
    acknowledge(
      this.queue,
      "SQS3",
      "It is the dead-letter queue; what the archiver cannot file stays here for 14 days, with an alarm.",
    );
    this.agedOut = new AgedOutStorage(this, "AgedOut");
    this.allowRules();
    const storage = new ArchiveStorage(this, "Archive");
    const { transport, archiveEntry } = props;
    new Archiver(this, "Archiver", { transport, queue: this.queue, storage, entry: archiveEntry });
    const redrive = this.makeRedrive(storage, props);
    new CfnOutput(this, "TableName", {
      value: storage.table.tableName,
      description: described("archiveTable"),
    });
    new CfnOutput(this, "BucketName", {
      value: storage.bucket.bucketName,
      description: described("archiveBucket"),
    });
    new CfnOutput(this, "AgedOutBuckets", {
      value: this.agedOut.names,
      description: described("agedOutBuckets"),
    });
    new CfnOutput(this, "QueueUrl", {
      value: this.queue.queueUrl,
      description: "Where `spillway smoke` puts a message, to see it filed",
    });
    new CfnOutput(this, "RedriveFunctionName", {
      value: redrive.lambda.functionName,
      description: described("redriveFunction"),
    });
  }

  /** EventBridge sends what it could not deliver to a rule's target as itself, so no role can allow it. */
  private allowRules(): void {
    this.queue.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal("events.amazonaws.com")],
        actions: ["sqs:SendMessage"],
        resources: [this.queue.queueArn],
        conditions: { StringEquals: { "aws:SourceAccount": this.account } },
      }),
    );
  }

  private makeRedrive(
    storage: ArchiveStorage,
    { network, transport, redriveEntry }: DeadLettersStackProps,
  ): PlatformFunction {
    const redrive = new PlatformFunction(this, "RedriveFunction", {
      description: "Sends archived events back to their topics, if today's rules of the door take them",
      code: functionCode(redriveEntry, bundleWithEventValidators),
      traced: true,
      size: REDRIVE_SIZE,
      // So that the rate of a redrive is that of all of them.
      reservedConcurrency: 1,
      network: { vpc: network.vpc, securityGroup: network.redrive },
      environment: {
        [environmentVariables.environment]: this.config.name,
        [environmentVariables.bootstrapServers]: transport.bootstrapServers,
        [environmentVariables.archiveTable]: storage.table.tableName,
        [environmentVariables.archiveBucket]: storage.bucket.bucketName,
        [environmentVariables.agedOutBuckets]: this.agedOut.names,
        ...doorsOf(this.config),
      },
    });
    storage.grantRedrive(redrive.role);
    this.agedOut.grantRedrive(redrive.role);
    transport.access.connect(redrive.role);
    // Of batches that aged out, what a door refuses becomes a dead letter now.
    transport.access.write(redrive.role, [...Object.keys(topics), DEAD_LETTERS_TOPIC]);
    return redrive;
  }
}

const doorsOf = ({ doors }: EnvironmentConfig): Readonly<Record<string, string>> =>
  doors === undefined
    ? {}
    : {
        [environmentVariables.doors]: JSON.stringify(
          Object.fromEntries(doors.map(({ name, eventTypes }) => [name, eventTypes])),
        ),
      };

const described = (name: keyof typeof environmentVariables): string =>
  `What \`spillway dead-letters\` is told as ${environmentVariables[name]}`;
