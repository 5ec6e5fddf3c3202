import { CfnOutput, Duration } from "aws-cdk-lib";
import { Certificate } from "aws-cdk-lib/aws-certificatemanager";
import {
  AllowedMethods,
  CacheHeaderBehavior,
  CachePolicy,
  CacheQueryStringBehavior,
  Distribution,
  HttpVersion,
  SecurityPolicyProtocol,
  ViewerProtocolPolicy,
} from "aws-cdk-lib/aws-cloudfront";
import { FunctionUrlOrigin } from "aws-cdk-lib/aws-cloudfront-origins";
import type { IFunctionUrl } from "aws-cdk-lib/aws-lambda";
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";
import { PUBLIC_PATH } from "../../contracts/public-path.ts";
import { acknowledge } from "../acknowledge.ts";
import type { CdnConfig } from "../config/serving.ts";
import type { SpillwayStack } from "../spillway-stack.ts";

export interface CdnProps {
  readonly cdn: CdnConfig;
  /** Takes signed calls only; the distribution signs its own (origin access control), so that no secret is shared. */
  readonly origin: IFunctionUrl;
  /** ARN of a web ACL in us-east-1. @default none */
  readonly webAclArn?: string | undefined;
}

/** CloudFront in front of the public results. How long it keeps an answer is what the answer's Cache-Control says. */
export class Cdn extends Construct {
  constructor(scope: SpillwayStack, id: string, { cdn, origin, webAclArn }: CdnProps) {
    super(scope, id);
    const distribution = new Distribution(this, "Distribution", {
      comment: `Spillway (${scope.config.name}): public results`,
      domainNames: [cdn.domainName],
      certificate: Certificate.fromCertificateArn(this, "Certificate", cdn.certificateArn),
      minimumProtocolVersion: SecurityPolicyProtocol.TLS_V1_2_2021,
      httpVersion: HttpVersion.HTTP2_AND_3,
      defaultBehavior: {
        origin: FunctionUrlOrigin.withOriginAccessControl(origin),
        viewerProtocolPolicy: ViewerProtocolPolicy.HTTPS_ONLY,
        allowedMethods: AllowedMethods.ALLOW_GET_HEAD,
        cachePolicy: this.cachePolicy(),
        compress: true,
      },
      // A failure of the origin is asked again after a second; without this CloudFront tells of it for ten.
      errorResponses: [500, 502, 503, 504].map((httpStatus) => ({ httpStatus, ttl: Duration.seconds(1) })),
      enableLogging: true,
      logBucket: this.logBucket(scope),
      ...(webAclArn === undefined ? {} : { webAclId: webAclArn }),
    });
    acknowledge(distribution, "CFR1", "What is declared public is for everybody, in every country.");
    if (webAclArn === undefined) {
      acknowledge(
        distribution,
        "CFR2",
        "serving.cdn.firewall adds one; without it the function's concurrency bounds it.",
      );
    }
    new CfnOutput(this, "Url", {
      value: `https://${cdn.domainName}${PUBLIC_PATH}`,
      description: `Spillway (${scope.config.name}): public results out`,
    });
    new CfnOutput(this, "DomainName", {
      value: distribution.distributionDomainName,
      description: "What the name of the public results must point to (CNAME, or an alias in Route 53)",
    });
  }

  /** The key is the path and the parameters that the function reads: others would only fill the cache. */
  private cachePolicy(): CachePolicy {
    return new CachePolicy(this, "CachePolicy", {
      comment: "As long as Cache-Control says; not at all where it says nothing",
      minTtl: Duration.seconds(0),
      defaultTtl: Duration.seconds(0),
      maxTtl: Duration.days(365),
      queryStringBehavior: CacheQueryStringBehavior.allowList("key", "from", "to", "limit", "next"),
      headerBehavior: CacheHeaderBehavior.none(),
      enableAcceptEncodingGzip: true,
      enableAcceptEncodingBrotli: true,
    });
  }

  /** CloudFront writes access logs by an ACL, which a bucket of today refuses unless it says otherwise. */
  private logBucket(scope: SpillwayStack): Bucket {
    const bucket = new Bucket(this, "AccessLogs", {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_PREFERRED,
      lifecycleRules: [{ expiration: Duration.days(scope.config.logRetentionDays) }],
      removalPolicy: scope.dataRemovalPolicy,
    });
    acknowledge(bucket, "S1", "It holds access logs itself, and nobody but CloudFront writes to it.");
    return bucket;
  }
}
