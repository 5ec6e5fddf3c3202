import { Duration } from "aws-cdk-lib";
import { AttributeType, BillingMode, Table } from "aws-cdk-lib/aws-dynamodb";
import { type IGrantable, type IRole, PolicyStatement } from "aws-cdk-lib/aws-iam";
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";
import { ARCHIVE_RETENTION_DAYS, archiveTable } from "../../contracts/dead-letter-archive.ts";
import { acknowledgeParts } from "../acknowledge.ts";
import type { SpillwayStack } from "../spillway-stack.ts";

/** DynamoDB removes an expired item within days, not at once; its bytes stay until it is gone. */
const EXPIRY_SLACK_DAYS = 7;

/** Where what failed for good is kept: its bytes in the bucket, what it is found by in the table. */
export class ArchiveStorage extends Construct {
  readonly bucket: Bucket;
  readonly table: Table;

  constructor(scope: SpillwayStack, id: string) {
    super(scope, id);
    this.bucket = new Bucket(this, "Bucket", {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      // An entry's name is made of its bytes: it is never written over with others.
      versioned: false,
      serverAccessLogsBucket: scope.accessLogs,
      lifecycleRules: [{ expiration: Duration.days(ARCHIVE_RETENTION_DAYS + EXPIRY_SLACK_DAYS) }],
      removalPolicy: scope.dataRemovalPolicy,
    });
    this.table = this.makeTable(scope);
  }

  private makeTable(scope: SpillwayStack): Table {
    const { byState, byRedrive } = archiveTable;
    const table = new Table(this, "Table", {
      partitionKey: { name: archiveTable.partitionKey, type: AttributeType.STRING },
      timeToLiveAttribute: archiveTable.expiresAt,
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: scope.config.removalPolicy === "retain",
      removalPolicy: scope.dataRemovalPolicy,
    });
    for (const { name, partitionKey, sortKey } of [byState, byRedrive]) {
      table.addGlobalSecondaryIndex({
        indexName: name,
        partitionKey: { name: partitionKey, type: AttributeType.STRING },
        sortKey: { name: sortKey, type: AttributeType.NUMBER },
      });
    }
    return table;
  }

  /** To file entries. */
  grantFile(archiver: IRole): void {
    this.table.grant(archiver, "dynamodb:PutItem", "dynamodb:UpdateItem");
    this.acknowledgeParts(archiver);
    this.grantObjects(archiver, "s3:PutObject");
  }

  /** To find entries, to read their bytes and to move them from state to state. */
  grantRedrive(redriver: IRole): void {
    this.table.grant(redriver, "dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem");
    this.acknowledgeParts(redriver);
    this.grantObjects(redriver, "s3:GetObject");
    // Without it S3 answers 403, not 404, for an object that has expired.
    redriver.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({ actions: ["s3:ListBucket"], resources: [this.bucket.bucketArn] }),
    );
  }

  private acknowledgeParts(role: IRole): void {
    acknowledgeParts(role, this.table, "index/*", "The table's own two indexes.");
    acknowledgeParts(role, this.bucket, "entries/*", "Entries are named by their content.");
  }

  private grantObjects(grantee: IGrantable, action: string): void {
    grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({ actions: [action], resources: [this.bucket.arnForObjects("entries/*")] }),
    );
  }
}
