import { CrossStackReferences, ReferenceStrength, type Stack } from "aws-cdk-lib";
import type { Construct } from "constructs";
import type { EnvironmentConfig } from "../config/environment.ts";
import type { DeployedPipeline } from "../processing/pipeline.ts";
import { SpillwayStack } from "../spillway-stack.ts";
import type { TransportStack } from "../transport/transport-stack.ts";
import { type AlarmDefinition, alarmName } from "./alarm.ts";
import { deploymentAlarmNames } from "./alarm-names.ts";
import { Alarms } from "./alarms.ts";
import { DeploymentEvents } from "./deployment-events.ts";
import { drainsIn, functionsIn, queuesIn, servicesIn, tablesIn } from "./discovery.ts";
import { archiveAlarms, drainAlarms, functionAlarms, queueAlarms } from "./function-alarms.ts";
import { flowControlAlarms, ingestAlarms, servingAlarms, webhookAlarms } from "./ingest-alarms.ts";
import { kafkaAlarms, kafkaUnhealthy } from "./kafka-alarms.ts";
import { sinkBehind, timeLagAlarm } from "./lag-alarms.ts";
import { Notifications } from "./notifications.ts";
import { OwnMetrics } from "./own-metrics.ts";
import { type PipelineSurroundings, pipelineAlarms, pipelineBehind } from "./pipeline-alarms.ts";
import { PipelineDashboard } from "./pipeline-dashboard.ts";
import { PlatformDashboard } from "./platform-dashboard.ts";
import { archiveReading, deployedStages, sinkReadings } from "./stages.ts";

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
    // A dashboard must not keep a pipeline, or a function, from being taken away.
    CrossStackReferences.of(this).consume(ReferenceStrength.WEAK);
    const { transport, pipelines, stacks } = props;
    const own = new OwnMetrics(config.name);
    const notifications = new Notifications(this, "Notifications");
    const alarms = new Alarms(this, "Alarms", {
      environment: config.name,
      alarms: this.alarmsOf(own, props),
      composites: [
        kafkaUnhealthy,
        sinkBehind(sinkReadings(config.name, pipelines)),
        ...pipelines.map(pipelineBehind),
      ],
      notifications,
    });
    const services = servicesIn(stacks);
    if (services[0]) {
      new DeploymentEvents(this, "Deployments", { clusterName: services[0].clusterName, notifications });
    }
    const surroundings = this.surroundingsOf(own, props);
    new PlatformDashboard(this, "Platform", {
      ...surroundings,
      pipelines,
      brokers: transport.brokerCount,
      functions: functionsIn(stacks),
      drains: drainsIn(stacks),
      queues: queuesIn(stacks),
      tables: tablesIn(stacks),
      // Of pipelines their composites only: the rest is on their own dashboards, and a widget shows 100.
      alarms: alarms.select(
        (alarm) => alarm.severity === "page" && (alarm.about === undefined || "members" in alarm),
      ),
    });
    for (const pipeline of config.watching === "all" ? pipelines : []) {
      const ofPipeline = new Set([pipeline.name, ...deployedStages(pipeline).map(({ stage }) => stage)]);
      new PipelineDashboard(this, `Pipeline-${pipeline.name}`, {
        ...surroundings,
        pipeline,
        alarms: alarms.select(({ about }) => about !== undefined && ofPipeline.has(about)),
        service: services.find(({ name }) => name === pipeline.service)!,
      });
    }
  }

  private surroundingsOf(own: OwnMetrics, { transport }: ObservabilityStackProps): PipelineSurroundings {
    const { name, processors } = this.config;
    const { checkpointIntervalMs } = processors;
    return { environment: name, cluster: transport.clusterName, checkpointIntervalMs, own };
  }

  private alarmsOf(own: OwnMetrics, props: ObservabilityStackProps): readonly AlarmDefinition[] {
    const surroundings = this.surroundingsOf(own, props);
    const { environment, cluster } = surroundings;
    const { transport, pipelines, stacks } = props;
    const functions = functionsIn(stacks);
    const alarms: AlarmDefinition[] = [
      ...ingestAlarms(own),
      ...flowControlAlarms(own),
      ...servingAlarms(own),
      ...kafkaAlarms(cluster, transport.brokerCount),
      ...pipelines.flatMap((pipeline) => pipelineAlarms(pipeline, surroundings)),
      ...sinkReadings(environment, pipelines).map((reading) => timeLagAlarm(cluster, reading)),
      // Dead letters stay in their topic for 14 days.
      timeLagAlarm(cluster, archiveReading(environment), "ticket"),
      ...functionAlarms(functions),
      ...(functions.some(({ name }) => name === "webhook") ? webhookAlarms(own) : []),
      ...drainAlarms(drainsIn(stacks), own),
      ...archiveAlarms(own),
      ...queueAlarms(queuesIn(stacks)),
    ];
    if (this.config.watching === "all") return alarms;
    const rollingBack = deploymentAlarmNames(environment, pipelines);
    return alarms.filter(
      ({ name, severity }) => severity === "page" || rollingBack.includes(alarmName(environment, name)),
    );
  }
}
