import { Duration } from "aws-cdk-lib";
import { type IRole, PolicyStatement } from "aws-cdk-lib/aws-iam";
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";
import { agedOutPrefixes, formatAgedOut } from "../../contracts/aged-out.ts";
import { ARCHIVE_RETENTION_DAYS } from "../../contracts/dead-letter-archive.ts";
import { doorMapping, FORWARD_HIGH_MAPPING, FORWARD_MAPPING } from "../../contracts/flow-control.ts";
import { acknowledgeParts } from "../acknowledge.ts";
import type { SpillwayStack } from "../spillway-stack.ts";

/** A bucket for each stream, for what its mapping gives up for its age: whose a batch is, is where it lies. */
export class AgedOutStorage extends Construct {
  readonly #buckets: ReadonlyMap<string, Bucket>;

  constructor(scope: SpillwayStack, id: string) {
    super(scope, id);
    const doors = (scope.config.doors ?? []).map(({ name }) => doorMapping(name));
    this.#buckets = new Map(
      [FORWARD_MAPPING, FORWARD_HIGH_MAPPING, ...doors].map((mapping) => [
        mapping,
        this.makeBucket(scope, mapping),
      ]),
    );
  }

  /** That of a mapping, by its name. */
  bucketOf(mapping: string): Bucket {
    return this.#buckets.get(mapping)!;
  }

  /** As `formatAgedOut` writes them. */
  get names(): string {
    return formatAgedOut(
      [...this.#buckets].map(([mapping, { bucketName }]) => ({ mapping, bucket: bucketName })),
    );
  }

  /** To find batches, to read them, and to move them away. */
  grantRedrive(redriver: IRole): void {
    const allow = (actions: string[], resourceOf: (bucket: Bucket) => string): void => {
      const resources = [...this.#buckets.values()].map(resourceOf);
      redriver.addToPrincipalPolicy(new PolicyStatement({ actions, resources }));
    };
    const { filed, redriven } = agedOutPrefixes;
    allow(["s3:ListBucket"], ({ bucketArn }) => bucketArn);
    allow(["s3:GetObject", "s3:DeleteObject"], (bucket) => bucket.arnForObjects(`${filed}*`));
    allow(["s3:PutObject"], (bucket) => bucket.arnForObjects(`${redriven}*`));
    for (const bucket of this.#buckets.values()) {
      acknowledgeParts(redriver, bucket, `${filed}*`, "Lambda chooses the objects' names.");
      acknowledgeParts(redriver, bucket, `${redriven}*`, "They are called as Lambda called them.");
    }
  }

  private makeBucket(stack: SpillwayStack, mapping: string): Bucket {
    return new Bucket(this, mapping, {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      serverAccessLogsBucket: stack.accessLogs,
      // What was sent again is kept as long as other entries; what waits for a person is kept until somebody decides.
      lifecycleRules: [
        { prefix: agedOutPrefixes.redriven, expiration: Duration.days(ARCHIVE_RETENTION_DAYS) },
      ],
      removalPolicy: stack.dataRemovalPolicy,
    });
  }
}
