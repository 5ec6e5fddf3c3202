import { AttributeType, BillingMode, Table } from "aws-cdk-lib/aws-dynamodb";
import { type IGrantable, type IRole, PolicyStatement } from "aws-cdk-lib/aws-iam";
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";
import { savepointPrefix } from "../../contracts/environment.ts";
import { acknowledge, acknowledgeParts } from "../acknowledge.ts";
import type { SpillwayStack } from "../spillway-stack.ts";

/** Where processors keep their checkpoints: blobs in the bucket, each task's slot and epoch in the table. */
export class CheckpointStorage extends Construct {
  readonly bucket: Bucket;
  readonly table: Table;
  private readonly environmentName: string;

  constructor(scope: SpillwayStack, id: string) {
    super(scope, id);
    this.environmentName = scope.config.name;
    this.bucket = new Bucket(this, "Bucket", {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      // Names are never reused and a chain is deleted once it is superseded: versions would only keep the dead.
      versioned: false,
      removalPolicy: scope.dataRemovalPolicy,
    });
    acknowledge(
      this.bucket,
      "S1",
      "Only the processors' role reads and writes it, thousands of times an hour: logs would outgrow what they log.",
    );
    this.table = new Table(this, "Table", {
      // A task's slot and small blobs have one partition key, so that its owner can list them.
      partitionKey: { name: "pk", type: AttributeType.STRING },
      sortKey: { name: "sk", type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: scope.config.removalPolicy === "retain",
      removalPolicy: scope.dataRemovalPolicy,
    });
  }

  grantUse(processor: IRole): void {
    const blobs = "Blobs are named as they are written.";
    acknowledgeParts(processor, this.bucket, `${this.environmentName}/*`, blobs);
    acknowledgeParts(processor, this.bucket, `${savepointPrefix(this.environmentName)}*`, blobs);
    this.table.grant(
      processor,
      "dynamodb:BatchWriteItem",
      "dynamodb:DeleteItem",
      "dynamodb:GetItem",
      "dynamodb:PutItem",
      "dynamodb:Query",
      "dynamodb:UpdateItem",
    );
    // Blobs of tasks are called `<environment>/<pipeline>/…`. Savepoints are made by people, and are there to stay.
    this.grantObjects(processor, `${this.environmentName}/*`, ["DeleteObject", "GetObject", "PutObject"]);
    this.grantObjects(processor, `${savepointPrefix(this.environmentName)}*`, ["GetObject"]);
    // Without it S3 answers 403, not 404, for a blob that is missing, and a lost checkpoint looks like a denied one.
    processor.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({ actions: ["s3:ListBucket"], resources: [this.bucket.bucketArn] }),
    );
  }

  private grantObjects(processor: IGrantable, names: string, verbs: readonly string[]): void {
    const actions = verbs.map((verb) => `s3:${verb}`);
    processor.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({ actions, resources: [this.bucket.arnForObjects(names)] }),
    );
  }
}
