/**
 * What the rules of cdk-nag's AwsSolutions pack (https://github.com/cdklabs/cdk-nag/blob/main/RULES.md) object to, and is
 * meant to be so. Each finding is named by itself, with the reason, so that a further one of the same rule is still found.
 */
import { type CfnResource, Stack, Validations } from "aws-cdk-lib";
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
  acknowledge(grantee, `IAM5[Resource::${arnAsFound(grantee, whole)}/${path}]`, reason);
}

/** How the rule writes an ARN: by its resource in the same stack, by its export of another one. */
function arnAsFound(grantee: IConstruct, whole: IConstruct): string {
  const resource = whole.node.defaultChild as CfnResource;
  const [here, there] = [Stack.of(grantee), Stack.of(whole)];
  if (here === there) return `<${there.getLogicalId(resource)}.Arn>`;
  const imported = here.resolve(there.exportValue(resource.getAtt("Arn"))) as {
    readonly "Fn::ImportValue": string;
  };
  return imported["Fn::ImportValue"];
}
