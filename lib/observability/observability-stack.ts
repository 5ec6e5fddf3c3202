import type { Stack } from "aws-cdk-lib";
import type { Construct } from "constructs";
import type { EnvironmentConfig } from "../config/environment.ts";
import type { DeployedPipeline } from "../processing/pipeline.ts";
import { SpillwayStack } from "../spillway-stack.ts";
import type { TransportStack } from "../transport/transport-stack.ts";
import type { AlarmDefinition } from "./alarm.ts";
import { Alarms } from "./alarms.ts";
import { DeploymentEvents } from "./deployment-events.ts";
import { drainsIn, functionsIn, queuesIn, servicesIn } from "./discovery.ts";
import { deadLetterAlarms, drainAlarms, functionAlarms } from "./function-alarms.ts";
import { flowControlAlarms, ingestAlarms, servingAlarms } from "./ingest-alarms.ts";
import { kafkaAlarms, kafkaUnhealthy } from "./kafka-alarms.ts";
import { timeLagAlarm } from "./lag-alarms.ts";
import { Notifications } from "./notifications.ts";
import { OwnMetrics } from "./own-metrics.ts";
import { pipelineAlarms, pipelineBehind } from "./pipeline-alarms.ts";
import { functionReadings } from "./stages.ts";

export interface ObservabilityStackProps {
  readonly transport: TransportStack;
  readonly pipelines: readonly DeployedPipeline[];
  /** Every other stack of the environment: what they hold is watched. None of them may refer to this one. */
  readonly stacks: readonly Stack[];
}

/** Alarms, whom they tell, and dashboards: all derived from what the other stacks and the pipelines are. */
export class ObservabilityStack extends SpillwayStack {
  constructor(scope: Construct, config: EnvironmentConfig, props: ObservabilityStackProps) {
    super(scope, "Observability", config);
    const own = new OwnMetrics(config.name);
    const notifications = new Notifications(this, "Notifications");
    new Alarms(this, "Alarms", {
      environment: config.name,
      alarms: this.alarmsOf(own, props),
      composites: [kafkaUnhealthy, ...props.pipelines.map(pipelineBehind)],
      notifications,
    });
    const [service] = servicesIn(props.stacks);
    if (service) {
      new DeploymentEvents(this, "Deployments", { clusterName: service.cluster.clusterName, notifications });
    }
  }

  private alarmsOf(own: OwnMetrics, { transport, pipelines, stacks }: ObservabilityStackProps) {
    const environment = this.config.name;
    const cluster = transport.clusterName;
    const alarms: AlarmDefinition[] = [
      ...ingestAlarms(own),
      ...flowControlAlarms(own),
      ...servingAlarms(own),
      ...kafkaAlarms(cluster, transport.brokerCount),
      ...pipelines.flatMap((pipeline) => pipelineAlarms(pipeline, { environment, cluster, own })),
      ...functionReadings(environment, pipelines).map((reading) => timeLagAlarm(cluster, reading)),
      ...functionAlarms(functionsIn(stacks)),
      ...drainAlarms(drainsIn(stacks), own),
      ...queuesIn(stacks).flatMap(({ queueName }) => deadLetterAlarms(queueName, own)),
    ];
    return alarms;
  }
}
