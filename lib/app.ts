import { App, type AppProps } from "aws-cdk-lib";

/**
 * CDK behaviours that newer projects have by default, and that this one counts on. They are here and not in
 * cdk.json, so that the templates are the same whether the CLI or anything else runs the app.
 */
const featureFlags = {
  "@aws-cdk/aws-ecs:disableExplicitDeploymentControllerForCircuitBreaker": true,
  "@aws-cdk/aws-iam:minimizePolicies": true,
  // A bucket's access logs are let in by a policy: buckets here know no access control lists.
  "@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy": true,
  "@aws-cdk/core:checkSecretUsage": true,
  // CloudFormation then refuses to take away what another stack still uses.
  "@aws-cdk/core:defaultCrossStackReferences": "strong",
  "@aws-cdk/core:enablePartitionLiterals": true,
} as const;

/** A CDK app with the platform's feature flags; `context` may add to them. */
export function spillwayApp({ context, ...props }: AppProps = {}): App {
  return new App({ ...props, context: { ...featureFlags, ...context } });
}
