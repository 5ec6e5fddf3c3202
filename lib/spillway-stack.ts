import { Duration, Fn, RemovalPolicy, Stack, type StackProps } from "aws-cdk-lib";
import { LogGroup, type RetentionDays } from "aws-cdk-lib/aws-logs";
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from "aws-cdk-lib/aws-s3";
import type { Construct } from "constructs";
import type { EnvironmentConfig } from "./config/environment.ts";

/** What every stack of an environment has: a name that tells them apart, its zones, its way to keep data. */
export class SpillwayStack extends Stack {
  readonly config: EnvironmentConfig;
  #accessLogs: Bucket | undefined;

  constructor(
    scope: Construct,
    subsystem: string,
    config: EnvironmentConfig,
    options: Pick<StackProps, "crossRegionReferences"> = {},
  ) {
    super(scope, `Spillway-${config.name}-${subsystem}`, {
      ...options,
      env: { account: config.account, region: config.region },
      description: `Spillway (${config.name}): ${subsystem.toLowerCase()}`,
      terminationProtection: config.removalPolicy === "retain",
    });
    this.config = config;
  }

  /** Zones by number, so that synth asks no account which ones there are. */
  override get availabilityZones(): string[] {
    return Array.from({ length: this.config.availabilityZoneCount }, (_, zone) =>
      Fn.select(zone, Fn.getAzs()),
    );
  }

  /** For whatever holds data that cannot be made again. */
  get dataRemovalPolicy(): RemovalPolicy {
    return this.config.removalPolicy === "retain" ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
  }

  /** For buckets that hold events: who read what. One for each stack, since a bucket's policy names those that log to it. */
  get accessLogs(): Bucket {
    this.#accessLogs ??= new Bucket(this, "AccessLogs", {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      lifecycleRules: [{ expiration: Duration.days(this.config.logRetentionDays) }],
      removalPolicy: this.dataRemovalPolicy,
    });
    return this.#accessLogs;
  }

  logGroup(scope: Construct, id: string): LogGroup {
    const retention: RetentionDays = this.config.logRetentionDays;
    return new LogGroup(scope, id, { retention, removalPolicy: this.dataRemovalPolicy });
  }
}
