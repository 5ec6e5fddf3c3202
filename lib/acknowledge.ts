/**
 * What the rules of cdk-nag's AwsSolutions pack (https://github.com/cdklabs/cdk-nag/blob/main/RULES.md) object to, and is
 * meant to be so. Each finding is named by itself, with the reason, so that a further one of the same rule is still found.
 */
import { Stack, Validations } from "aws-cdk-lib";
import type { IConstruct } from "constructs";

/** `rule` without the pack's name: `SQS3`; findings of construct and of what is in it. */
export function acknowledge(construct: IConstruct, rule: string, reason: string): void {
  Validations.of(construct).acknowledge({ id: `AwsSolutions-${rule}`, reason });
}

/** A policy whose resource is `*`. */
export function acknowledgeAnyResource(grantee: IConstruct, reason: string): void {
  acknowledge(grantee, "IAM5[Resource::*]", reason);
}

/** A policy about what has `path` (`entries/*`) in a bucket, or of a table. */
export function acknowledgeParts(grantee: IConstruct, whole: IConstruct, path: string, reason: string): void {
  const logicalId = Stack.of(whole).getLogicalId(whole.node.defaultChild as never);
  acknowledge(grantee, `IAM5[Resource::<${logicalId}.Arn>/${path}]`, reason);
}
