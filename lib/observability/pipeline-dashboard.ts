/** What is to be seen of one pipeline: every graph has a line for each of its stages. */
import { Duration } from "aws-cdk-lib";
import {
  AlarmStatusWidget,
  Dashboard,
  type IAlarm,
  type IWidget,
  MathExpression,
  type Metric,
} from "aws-cdk-lib/aws-cloudwatch";
import { Construct } from "constructs";
import { metrics } from "../../contracts/metrics.ts";
import type { DeployedPipeline } from "../processing/pipeline.ts";
import { alarmName } from "./alarm.ts";
import { awsMetric } from "./aws-metrics.ts";
import type { DeployedService } from "./discovery.ts";
import { MAX_TIME_LAG_S, offsetLagOf, timeLagOf } from "./lag-alarms.ts";
import { idOf } from "./own-metrics.ts";
import { endToEndLatency, errorPercent, type PipelineSurroundings } from "./pipeline-alarms.ts";
import { type DeployedStage, deployedStages, type GroupReading, readingsOf } from "./stages.ts";
import { byStage, graph, heading, percentiles, row, totalOf } from "./widgets.ts";

const names = metrics.processor;

export interface PipelineDashboardProps extends PipelineSurroundings {
  readonly pipeline: DeployedPipeline;
  /** The pipeline's own. */
  readonly alarms: readonly IAlarm[];
  /** What runs it. */
  readonly service: DeployedService;
}

export class PipelineDashboard extends Construct {
  readonly #props: PipelineDashboardProps;
  readonly #stages: readonly DeployedStage[];

  constructor(scope: Construct, id: string, props: PipelineDashboardProps) {
    super(scope, id);
    this.#props = props;
    this.#stages = deployedStages(props.pipeline);
    new Dashboard(this, "Dashboard", {
      dashboardName: alarmName(props.environment, `pipeline-${props.pipeline.name}`),
      defaultInterval: Duration.hours(3),
      widgets: this.rows().map((widgets) => [...widgets]),
    });
  }

  private rows(): readonly (readonly IWidget[])[] {
    const { pipeline, alarms } = this.#props;
    const stages = this.#stages.map(({ stage }) => stage).join(" → ");
    const text = `# ${pipeline.name}\nStages: ${stages}. Where it is late or wrong: docs/runbooks/pipeline-behind.md, pipeline-errors.md.`;
    return [
      heading(text, 2),
      [new AlarmStatusWidget({ title: "Alarms", alarms: [...alarms], width: 24, height: 4 })],
      ...this.waiting(),
      ...this.latency(),
      ...this.outcomes(),
      ...this.workers(),
      ...this.checkpoints(),
      ...this.upstreamAndCost(),
    ];
  }

  private waiting(): readonly (readonly IWidget[])[] {
    const { environment, cluster, own } = this.#props;
    const readings = this.#stages.flatMap((stage) => readingsOf(environment, stage));
    const lag = (of: (cluster: string, reading: GroupReading) => Metric) =>
      readings.map((reading) => of(cluster, reading).with({ label: `${reading.reader} ← ${reading.topic}` }));
    return [
      row(
        graph("Queue depth of the fullest task", this.lines(names.backlogRecords, "Maximum"), {
          unit: "records",
        }),
        graph(
          "Queue depth of all tasks",
          this.#stages.map((stage) =>
            totalOf(own.ofStage(names.backlogRecords, stage, { statistic: "Sum" }), stage.stage),
          ),
          { unit: "records" },
        ),
        graph("Backlog", this.lines(names.backlogSeconds, "Maximum"), {
          unit: "s",
          limits: [{ value: 120, label: "alarm" }],
        }),
      ),
      row(
        graph("Lag in time, of what is committed", lag(timeLagOf), {
          unit: "s",
          limits: [{ value: MAX_TIME_LAG_S, label: "alarm" }],
        }),
        graph("Lag in time, of what is processed", this.lines(names.lagMs, "Maximum"), { unit: "ms" }),
        graph("Lag in offsets", lag(offsetLagOf), { unit: "records" }),
      ),
    ];
  }

  private latency(): readonly (readonly IWidget[])[] {
    const { own, pipeline } = this.#props;
    const ofStages = this.#stages.flatMap((stage) =>
      percentiles((statistic) =>
        own.ofStage(names.latencyMs, stage, { statistic, label: `${stage.stage} ${statistic}` }),
      ),
    );
    return [
      row(
        graph("Latency by stage: arrival to commit", ofStages, { unit: "ms" }),
        graph("Latency end to end: the sum of the 95th percentiles", [endToEndLatency(pipeline, own)], {
          unit: "ms",
        }),
        graph("Watermark delay", this.lines(names.watermarkDelayMs, "Maximum"), { unit: "ms" }),
      ),
    ];
  }

  private outcomes(): readonly (readonly IWidget[])[] {
    const { own } = this.#props;
    const counts = [names.eventsLate, names.eventsDuplicate, names.eventsDead];
    return [
      row(
        graph("Records processed", this.lines(names.recordsProcessed, "Sum"), { unit: "records a minute" }),
        graph(
          "Error rate",
          this.#stages.map((stage) => errorPercent(stage, own)),
          {
            unit: "%",
            limits: [{ value: 1, label: "alarm" }],
          },
        ),
        graph(
          "Late, duplicate and dead",
          this.#stages.flatMap((stage) =>
            counts.map((name) =>
              own.ofStage(name, stage, { statistic: "Sum", label: `${stage.stage} ${name}` }),
            ),
          ),
          { unit: "events a minute" },
        ),
      ),
    ];
  }

  private workers(): readonly (readonly IWidget[])[] {
    const { own } = this.#props;
    return [
      row(
        graph(
          "Workers: tasks that run, and parked ones",
          this.#stages.flatMap((stage) => [
            totalOf(own.ofStage(names.tasksRunning, stage, { statistic: "Sum" }), stage.stage),
            totalOf(own.ofStage(names.tasksParked, stage, { statistic: "Sum" }), `${stage.stage} parked`),
          ]),
          { unit: "tasks" },
        ),
        graph("Busy", this.lines(names.busyPercent, "Average"), { unit: "%" }),
        graph(
          "Partition skew: the fullest task by the mean",
          this.#stages.map((stage) => this.skew(stage)),
          {
            unit: "times",
          },
        ),
      ),
    ];
  }

  private skew(stage: DeployedStage): MathExpression {
    const of = (statistic: "Maximum" | "Average") =>
      this.#props.own.ofStage(names.backlogRecords, stage, { statistic });
    const [most, mean] = [idOf("most", stage.stage), idOf("mean", stage.stage)];
    return new MathExpression({
      // Where nothing waits, nothing is uneven.
      expression: `IF(${mean} > 0, ${most} / ${mean}, 1)`,
      usingMetrics: { [most]: of("Maximum"), [mean]: of("Average") },
      label: stage.stage,
      period: Duration.minutes(1),
    });
  }

  private checkpoints(): readonly (readonly IWidget[])[] {
    return [
      row(
        graph("Checkpoint time", this.lines(names.checkpointMs, "p95"), { unit: "ms" }),
        graph("Checkpoint size", this.lines(names.checkpointBytes, "Maximum"), { unit: "bytes" }),
        graph("Checkpoint age", this.lines(names.checkpointAgeMs, "Maximum"), { unit: "ms" }),
      ),
      row(
        graph(
          "Checkpoint failures and crashes",
          [...this.lines(names.checkpointFailures, "Sum"), ...this.lines(names.crashes, "Sum")],
          { unit: "a minute" },
        ),
        graph("Recovery time", this.lines(names.recoveryMs, "Maximum"), { unit: "ms" }),
        graph(
          "Deployments and moves: tasks recovered, each once",
          this.lines(names.recoveryMs, "SampleCount"),
          {
            unit: "tasks",
          },
        ),
      ),
      row(
        graph("State", this.lines(names.stateEntries, "Maximum"), { unit: "entries of the largest task" }),
        graph("State's share of its limit", this.lines(names.stateLimitPercent, "Maximum"), { unit: "%" }),
      ),
    ];
  }

  private upstreamAndCost(): readonly (readonly IWidget[])[] {
    const { own, service } = this.#props;
    const { flowControl, ingest } = metrics;
    const dimensions = { ClusterName: service.clusterName, ServiceName: service.serviceName };
    return [
      row(
        graph(
          "Backpressure",
          [own.ofFunction(flowControl.highestLoad, "flow-control", { statistic: "Maximum" })],
          {
            unit: "load",
            limits: [{ value: 1, label: "the door sheds" }],
          },
        ),
        graph(
          "Spilled at the door, of all pipelines",
          [own.ofFunction(ingest.eventsSpilled, "ingest", { statistic: "Sum" })],
          { unit: "events a minute" },
        ),
        graph(
          `Cost: what service ${service.name} uses of what it is paid for`,
          [
            awsMetric("AWS/ECS", "CPUUtilization", dimensions, { statistic: "Average", label: "CPU" }),
            awsMetric("AWS/ECS", "MemoryUtilization", dimensions, { statistic: "Maximum", label: "memory" }),
          ],
          { unit: "%" },
        ),
      ),
    ];
  }

  private lines(name: Parameters<typeof byStage>[2], statistic: Parameters<typeof byStage>[3]) {
    return byStage(this.#props.own, this.#stages, name, statistic);
  }
}
