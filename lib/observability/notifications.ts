import { ArnFormat } from "aws-cdk-lib";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Key } from "aws-cdk-lib/aws-kms";
import { Topic } from "aws-cdk-lib/aws-sns";
import { EmailSubscription, UrlSubscription } from "aws-cdk-lib/aws-sns-subscriptions";
import { Construct } from "constructs";
import type { SpillwayStack } from "../spillway-stack.ts";
import { alarmName, type Severity, severities } from "./alarm.ts";

/** A topic for each severity, encrypted, and whom the environment's configuration says to tell. */
export class Notifications extends Construct {
  readonly topics: Readonly<Record<Severity, Topic>>;

  constructor(scope: SpillwayStack, id: string) {
    super(scope, id);
    const { name, alarms = {} } = scope.config;
    const key = this.makeKey(scope);
    const make = (severity: Severity): Topic => {
      const topic = new Topic(this, severity, {
        displayName: `Spillway ${name}: ${severity}`,
        masterKey: key,
        enforceSSL: true,
      });
      for (const target of alarms[severity] ?? []) topic.addSubscription(subscriptionOf(target));
      topic.addToResourcePolicy(
        new PolicyStatement({
          sid: "Alarms",
          principals: [new ServicePrincipal("cloudwatch.amazonaws.com")],
          actions: ["sns:Publish"],
          resources: [topic.topicArn],
          conditions: ofOurAlarms(scope),
        }),
      );
      return topic;
    };
    this.topics = Object.fromEntries(severities.map((severity) => [severity, make(severity)])) as Record<
      Severity,
      Topic
    >;
  }

  /**
   * With SNS's own key CloudWatch's messages would be dropped without a word, since nobody can let it use that key:
   * https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
   */
  private makeKey(scope: SpillwayStack): Key {
    const key = new Key(this, "Key", {
      description: `Spillway (${scope.config.name}): what alarms say`,
      enableKeyRotation: true,
      removalPolicy: scope.dataRemovalPolicy,
    });
    key.addToResourcePolicy(
      new PolicyStatement({
        sid: "Alarms",
        principals: [new ServicePrincipal("cloudwatch.amazonaws.com")],
        actions: ["kms:Decrypt", "kms:GenerateDataKey*"],
        resources: ["*"],
        conditions: ofOurAlarms(scope),
      }),
    );
    return key;
  }
}

/** Alarms of this account and environment; of others nobody may speak through these topics. */
const ofOurAlarms = (stack: SpillwayStack) => ({
  ArnLike: {
    "aws:SourceArn": stack.formatArn({
      service: "cloudwatch",
      resource: "alarm",
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      resourceName: alarmName(stack.config.name, "*"),
    }),
  },
  StringEquals: { "aws:SourceAccount": stack.account },
});

const subscriptionOf = (target: string): EmailSubscription | UrlSubscription =>
  target.startsWith("https://") ? new UrlSubscription(target) : new EmailSubscription(target);
