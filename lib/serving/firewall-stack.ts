import { CfnWebACL } from "aws-cdk-lib/aws-wafv2";
import type { Construct } from "constructs";
import type { EnvironmentConfig } from "../config/environment.ts";
import { CLOUDFRONT_REGION } from "../config/serving.ts";
import { SpillwayStack } from "../spillway-stack.ts";

/** AWS WAF for CloudFront, which takes web ACLs of us-east-1 only; so it is a stack of its own, made where asked for. */
export class FirewallStack extends SpillwayStack {
  readonly webAclArn: string;

  constructor(scope: Construct, config: EnvironmentConfig, maxRequestsPerAddress: number) {
    super(scope, "Firewall", { ...config, region: CLOUDFRONT_REGION }, { crossRegionReferences: true });
    const acl = new CfnWebACL(this, "WebAcl", {
      description: `Spillway ${config.name}: in front of the public results`,
      scope: "CLOUDFRONT",
      defaultAction: { allow: {} },
      visibilityConfig: visible("WebAcl"),
      rules: [
        {
          name: "KnownBadAddresses",
          priority: 0,
          overrideAction: { none: {} },
          statement: {
            managedRuleGroupStatement: { vendorName: "AWS", name: "AWSManagedRulesAmazonIpReputationList" },
          },
          visibilityConfig: visible("KnownBadAddresses"),
        },
        {
          name: "RequestsPerAddress",
          priority: 1,
          action: { block: {} },
          statement: {
            rateBasedStatement: {
              aggregateKeyType: "IP",
              evaluationWindowSec: 300,
              limit: maxRequestsPerAddress,
            },
          },
          visibilityConfig: visible("RequestsPerAddress"),
        },
      ],
    });
    this.webAclArn = acl.attrArn;
  }
}

const visible = (metricName: string): CfnWebACL.VisibilityConfigProperty => ({
  metricName,
  cloudWatchMetricsEnabled: true,
  sampledRequestsEnabled: true,
});
