import { Duration, TimeZone } from "aws-cdk-lib";
import {
  AdjustmentType,
  CfnScalingPolicy,
  MetricAggregationType,
  PredefinedMetric,
  ScalableTarget,
  Schedule,
  ServiceNamespace,
  StepScalingAction,
} from "aws-cdk-lib/aws-applicationautoscaling";
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  MathExpression,
  TreatMissingData,
} from "aws-cdk-lib/aws-cloudwatch";
import { ApplicationScalingAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import type { Cluster, FargateService } from "aws-cdk-lib/aws-ecs";
import { Construct } from "constructs";
import { metrics } from "../../contracts/metrics.ts";
import { alarmName } from "../observability/alarm.ts";
import { idOf, OwnMetrics } from "../observability/own-metrics.ts";
import { deployedStages } from "../observability/stages.ts";
import type { SpillwayStack } from "../spillway-stack.ts";
import { type DeployedPipeline, defaultScaling } from "./pipeline.ts";

export interface ServiceScalingProps {
  readonly serviceName: string;
  readonly cluster: Cluster;
  readonly service: FargateService;
  /** Those that the service runs. */
  readonly pipelines: readonly DeployedPipeline[];
}

/** A backlog of this many times the target needs more than one task more. */
const FAR_BEHIND = 6;
/** After a task was added its partitions move and recover; what the metric says meanwhile is of the move. */
const OUT_COOLDOWN = Duration.minutes(2);
const IN_COOLDOWN = Duration.minutes(10);
/** The processors speak every ten seconds, and CloudWatch keeps that as a minute's maximum. */
const OUT_PERIODS = 2;
const IDLE_BUSY_PERCENT = 40;
const IDLE_MINUTES = 10;
/** How long AWS looks ahead of its own forecast for a task to be there: its image, its group, its state. */
const FORECAST_BUFFER_S = 300;
const CPU_PERCENT = 70;

/**
 * How many tasks a service has (design, section 5): out by the backlog in seconds, in only where the tasks were little
 * busy for long. Never by lag, which in health stands at rate × checkpoint interval and says 0 of one who is just ahead.
 * Never more tasks than partitions, as one would have nothing to do.
 */
export class ServiceScaling extends Construct {
  readonly #environment: string;
  readonly #target: ScalableTarget;
  readonly #props: ServiceScalingProps;

  constructor(scope: Construct, id: string, stack: SpillwayStack, props: ServiceScalingProps) {
    super(scope, id);
    this.#props = props;
    const { name, processors } = stack.config;
    this.#environment = name;
    const partitions = Math.max(...this.#stages().map((stage) => stage.partitions));
    const maxTasks = Math.min(processors.maxTasks, partitions);
    this.#target = new ScalableTarget(this, "Tasks", {
      serviceNamespace: ServiceNamespace.ECS,
      resourceId: `service/${props.cluster.clusterName}/${props.service.serviceName}`,
      scalableDimension: "ecs:service:DesiredCount",
      minCapacity: Math.min(processors.minTasks, maxTasks),
      maxCapacity: maxTasks,
    });
    this.#scaleOut();
    this.#scaleIn();
    this.#floorByCpu();
    this.#forecast();
    this.#schedule(maxTasks);
  }

  #stages() {
    return this.#props.pipelines.flatMap(deployedStages);
  }

  /** The strictest of its pipelines' targets; a pipeline that shares its service shares its tasks. */
  #scaleOut(): void {
    const target = Math.min(
      ...this.#props.pipelines.map(({ scaling = defaultScaling }) => scaling.targetBacklogSeconds),
    );
    const action = new StepScalingAction(this, "Out", {
      scalingTarget: this.#target,
      adjustmentType: AdjustmentType.CHANGE_IN_CAPACITY,
      metricAggregationType: MetricAggregationType.MAXIMUM,
      cooldown: OUT_COOLDOWN,
    });
    // Bounds count from the alarm's threshold.
    action.addAdjustment({ adjustment: 1, lowerBound: 0, upperBound: (FAR_BEHIND - 1) * target });
    action.addAdjustment({ adjustment: 2, lowerBound: (FAR_BEHIND - 1) * target });
    this.#alarm("Behind", {
      what: "behind",
      description: `Adds tasks: what waits for a task takes it more than ${target} s.`,
      metric: this.#highest(metrics.processor.backlogSeconds),
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      threshold: target,
      periods: OUT_PERIODS,
      action,
    });
  }

  #scaleIn(): void {
    const action = new StepScalingAction(this, "In", {
      scalingTarget: this.#target,
      adjustmentType: AdjustmentType.CHANGE_IN_CAPACITY,
      metricAggregationType: MetricAggregationType.MAXIMUM,
      cooldown: IN_COOLDOWN,
    });
    action.addAdjustment({ adjustment: -1, upperBound: 0 });
    this.#alarm("Idle", {
      what: "idle",
      description: `Takes a task away: every task was busy for less than ${IDLE_BUSY_PERCENT} % of ${IDLE_MINUTES} minutes.`,
      metric: this.#highest(metrics.processor.busyPercent),
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      threshold: IDLE_BUSY_PERCENT,
      periods: IDLE_MINUTES,
      action,
    });
  }

  /** The busiest, or most behind, task of any stage. */
  #highest(name: typeof metrics.processor.backlogSeconds | typeof metrics.processor.busyPercent): IMetric {
    const own = new OwnMetrics(this.#environment);
    const each = this.#stages().map(
      (stage) => [idOf("stage", stage.stage), own.ofStage(name, stage, { statistic: "Maximum" })] as const,
    );
    if (each.length === 1) return each[0]![1];
    return new MathExpression({
      expression: `MAX([${each.map(([metricId]) => metricId).join(",")}])`,
      usingMetrics: Object.fromEntries(each),
      period: Duration.minutes(1),
      label: name,
    });
  }

  #alarm(
    id: string,
    alarm: {
      readonly what: string;
      readonly description: string;
      readonly metric: IMetric;
      readonly comparisonOperator: ComparisonOperator;
      readonly threshold: number;
      readonly periods: number;
      readonly action: StepScalingAction;
    },
  ): void {
    new Alarm(this, `${id}Alarm`, {
      alarmName: alarmName(this.#environment, `scaling-${this.#props.serviceName}-${alarm.what}`),
      alarmDescription: `[scaling] ${alarm.description} It tells nobody.`,
      metric: alarm.metric,
      comparisonOperator: alarm.comparisonOperator,
      threshold: alarm.threshold,
      evaluationPeriods: alarm.periods,
      // Processors that say nothing are neither behind nor idle: no task is added or taken away for their silence.
      treatMissingData: TreatMissingData.IGNORE,
    }).addAlarmAction(new ApplicationScalingAction(alarm.action));
  }

  /** For what the tasks' own figures do not see, such as compaction and collection of garbage. */
  #floorByCpu(): void {
    this.#target.scaleToTrackMetric("Cpu", {
      predefinedMetric: PredefinedMetric.ECS_SERVICE_AVERAGE_CPU_UTILIZATION,
      targetValue: CPU_PERCENT,
      disableScaleIn: true,
      scaleOutCooldown: OUT_COOLDOWN,
    });
  }

  /** Draws its forecast beside what came, and changes nothing until somebody who has looked at it sets ForecastAndScale. */
  #forecast(): void {
    const policy = new CfnScalingPolicy(this, "Forecast", {
      policyName: alarmName(this.#environment, `scaling-${this.#props.serviceName}-forecast`),
      policyType: "PredictiveScaling",
      scalingTargetId: this.#target.scalableTargetId,
      predictiveScalingPolicyConfiguration: {
        mode: "ForecastOnly",
        schedulingBufferTime: FORECAST_BUFFER_S,
        metricSpecifications: [
          {
            targetValue: CPU_PERCENT,
            predefinedMetricPairSpecification: { predefinedMetricType: "ECSServiceCPUUtilization" },
          },
        ],
      },
    });
    policy.node.addDependency(this.#target);
  }

  #schedule(maxTasks: number): void {
    const schedules = this.#props.pipelines.flatMap(({ scaling = defaultScaling }) => scaling.schedules);
    for (const { name, cron, timeZone, minTasks } of schedules) {
      this.#target.scaleOnSchedule(`Schedule-${name}`, {
        schedule: Schedule.expression(`cron(${cron})`),
        timeZone: TimeZone.of(timeZone),
        minCapacity: Math.min(minTasks, maxTasks),
      });
    }
  }
}
