import { EventField, Rule, RuleTargetInput } from "aws-cdk-lib/aws-events";
import { SnsTopic } from "aws-cdk-lib/aws-events-targets";
import { Construct } from "constructs";
import type { SpillwayStack } from "../spillway-stack.ts";
import { type AlarmText, alarmName, describe } from "./alarm.ts";
import type { Notifications } from "./notifications.ts";

/** It is an event of ECS and no metric, so it costs no alarm and has no missing data. */
export const deploymentFailed: AlarmText = {
  name: "deployment-failed",
  severity: "ticket",
  reason: "ECS gave a deployment of a processor service up, and has rolled it back to the version before.",
  runbook: "deployment-failed",
};

export interface DeploymentEventsProps {
  readonly clusterName: string;
  readonly notifications: Notifications;
}

/** https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service_deployment_events.html */
export class DeploymentEvents extends Construct {
  constructor(scope: SpillwayStack, id: string, { clusterName, notifications }: DeploymentEventsProps) {
    super(scope, id);
    const service = scope.formatArn({ service: "ecs", resource: "service", resourceName: `${clusterName}/` });
    const rule = new Rule(this, "Failed", {
      ruleName: alarmName(scope.config.name, deploymentFailed.name),
      description: describe(deploymentFailed),
      eventPattern: {
        source: ["aws.ecs"],
        detailType: ["ECS Deployment State Change"],
        detail: { eventName: ["SERVICE_DEPLOYMENT_FAILED"] },
        // Services of the environment's own cluster.
        resources: [{ prefix: service }] as unknown as string[],
      },
    });
    rule.addTarget(
      new SnsTopic(notifications.topics[deploymentFailed.severity], {
        message: RuleTargetInput.fromObject({
          alarm: alarmName(scope.config.name, deploymentFailed.name),
          description: describe(deploymentFailed),
          service: EventField.fromPath("$.resources[0]"),
          deployment: EventField.fromPath("$.detail.deploymentId"),
          reason: EventField.fromPath("$.detail.reason"),
        }),
      }),
    );
  }
}
