/** What is to be seen of the platform as a whole; each pipeline has a dashboard of its own. */
import { Duration } from "aws-cdk-lib";
import {
  AlarmStatusWidget,
  Dashboard,
  type IAlarm,
  type IWidget,
  type Metric,
} from "aws-cdk-lib/aws-cloudwatch";
import { Construct } from "constructs";
import { metrics } from "../../contracts/metrics.ts";
import { defaultShedding } from "../../contracts/signals.ts";
import type { DeployedPipeline } from "../processing/pipeline.ts";
import { alarmName } from "./alarm.ts";
import { awsMetric } from "./aws-metrics.ts";
import type { DeployedTable } from "./discovery.ts";
import {
  type DeployedDrain,
  type DeployedFunction,
  type DeployedQueue,
  iteratorAgeOf,
} from "./function-alarms.ts";
import { cpuOf } from "./kafka-alarms.ts";
import { endToEndLatency, errorPercent, type PipelineSurroundings } from "./pipeline-alarms.ts";
import { deployedStages } from "./stages.ts";
import { byStage, graph, heading, percentiles, row, totalOf } from "./widgets.ts";

export interface PlatformDashboardProps extends PipelineSurroundings {
  readonly pipelines: readonly DeployedPipeline[];
  readonly brokers: number;
  readonly functions: readonly DeployedFunction[];
  readonly drains: readonly DeployedDrain[];
  readonly queues: readonly DeployedQueue[];
  readonly tables: readonly DeployedTable[];
  /** Those that wake somebody. */
  readonly alarms: readonly IAlarm[];
}

export class PlatformDashboard extends Construct {
  readonly #props: PlatformDashboardProps;

  constructor(scope: Construct, id: string, props: PlatformDashboardProps) {
    super(scope, id);
    this.#props = props;
    new Dashboard(this, "Dashboard", {
      dashboardName: alarmName(props.environment, "platform"),
      defaultInterval: Duration.hours(3),
      widgets: this.rows().map((widgets) => [...widgets]),
    });
  }

  private rows(): readonly (readonly IWidget[])[] {
    const { environment, alarms } = this.#props;
    return [
      heading(`# Spillway (${environment})\nWhat each alarm means and what to do: docs/operations.md.`, 2),
      [new AlarmStatusWidget({ title: "Pages", alarms: [...alarms], width: 24, height: 4 })],
      heading("## Ingestion"),
      ...this.ingestion(),
      heading("## Spillway and backpressure"),
      ...this.spillway(),
      heading("## Kafka"),
      ...this.kafka(),
      heading("## Pipelines"),
      ...this.#props.pipelines.map((pipeline) => this.pipeline(pipeline)),
      heading("## Functions and dead letters"),
      ...this.functions(),
      heading("## What costs"),
      ...this.costs(),
    ];
  }

  private ingestion(): readonly (readonly IWidget[])[] {
    const { own } = this.#props;
    const { ingest, sink, query } = metrics;
    const sum = (name: Parameters<typeof own.ofFunction>[0], stage: string) =>
      own.ofFunction(name, stage, { statistic: "Sum" });
    return [
      row(
        graph(
          "Events",
          [
            sum(ingest.eventsAccepted, "ingest"),
            sum(ingest.eventsRefused, "ingest"),
            sum(ingest.eventsOverloaded, "ingest"),
            sum(ingest.unavailable, "ingest"),
          ],
          { unit: "a minute" },
        ),
        graph(
          "Storing a request's events",
          percentiles((statistic) =>
            own.ofFunction(ingest.produceMs, "ingest", { statistic, label: statistic }),
          ),
          { unit: "ms" },
        ),
        graph(
          "Results stored, superseded, read",
          [
            sum(sink.resultsStored, "sink"),
            sum(sink.resultsSuperseded, "sink"),
            sum(query.itemsRead, "query"),
          ],
          { unit: "a minute" },
        ),
        graph(
          "From a result's topic to its table",
          percentiles((statistic) => own.ofFunction(sink.storedMs, "sink", { statistic, label: statistic })),
          { unit: "ms" },
        ),
      ),
    ];
  }

  private spillway(): readonly (readonly IWidget[])[] {
    const { own, drains } = this.#props;
    const { flowControl, forward, ingest } = metrics;
    const max = (name: (typeof flowControl)[keyof typeof flowControl]) =>
      own.ofFunction(name, "flow-control", { statistic: "Maximum" });
    return [
      row(
        graph(
          "Spilled, forwarded, dead",
          [
            own.ofFunction(ingest.eventsSpilled, "ingest", { statistic: "Sum" }),
            own.ofFunction(forward.eventsForwarded, "forward", { statistic: "Sum" }),
            own.ofFunction(forward.eventsDead, "forward", { statistic: "Sum" }),
          ],
          { unit: "events a minute" },
        ),
        graph(
          "Age of the oldest record",
          drains.map(({ name, functionName }) => iteratorAgeOf(functionName).with({ label: name })),
          { unit: "ms" },
        ),
        graph("Backpressure: the highest load", [max(flowControl.highestLoad)], {
          unit: "load",
          limits: [
            { value: defaultShedding.spillLow, label: "low is spilled" },
            { value: defaultShedding.refuseLow, label: "low is refused, normal is spilled" },
            { value: defaultShedding.refuseNormal, label: "normal is refused" },
          ],
        }),
        graph(
          "Mappings that are paused, and that fail to be",
          [
            max(flowControl.mappingsPaused),
            max(flowControl.mappingsChanging),
            max(flowControl.tableFailures),
          ],
          { unit: "mappings" },
        ),
      ),
    ];
  }

  private kafka(): readonly (readonly IWidget[])[] {
    const ids = Array.from({ length: this.#props.brokers }, (_, index) => String(index + 1));
    const dimensionsOf = (id: string) => ({ "Cluster Name": this.#props.cluster, "Broker ID": id });
    type BrokerMetric =
      | "UnderReplicatedPartitions"
      | "KafkaDataLogsDiskUsed"
      | "HeapMemoryAfterGC"
      | "ConnectionCount";
    const brokers = (name: BrokerMetric): readonly Metric[] =>
      ids.map((id) =>
        awsMetric("AWS/Kafka", name, dimensionsOf(id), { statistic: "Maximum", label: `broker ${id}` }),
      );
    const cluster = { "Cluster Name": this.#props.cluster };
    return [
      row(
        graph(
          "Partitions without a leader, controllers",
          [
            awsMetric("AWS/Kafka", "OfflinePartitionsCount", cluster, { statistic: "Maximum" }),
            awsMetric("AWS/Kafka", "ActiveControllerCount", cluster, { statistic: "Maximum" }),
          ],
          { unit: "" },
        ),
        graph("Partitions with copies behind", brokers("UnderReplicatedPartitions"), { unit: "partitions" }),
        graph("Disk", brokers("KafkaDataLogsDiskUsed"), {
          unit: "%",
          limits: [{ value: 85, label: "alarm" }],
        }),
      ),
      row(
        graph(
          "CPU",
          ids.map((id) => cpuOf(dimensionsOf(id))),
          {
            unit: "%",
            limits: [{ value: 60, label: "alarm" }],
          },
        ),
        graph("Heap after collection", brokers("HeapMemoryAfterGC"), { unit: "%" }),
        graph("Connections", brokers("ConnectionCount"), { unit: "connections" }),
      ),
    ];
  }

  /** A row for each; the rest is on its own dashboard. */
  private pipeline(pipeline: DeployedPipeline): readonly IWidget[] {
    const { own } = this.#props;
    const stages = deployedStages(pipeline);
    return row(
      graph(`${pipeline.name}: backlog`, byStage(own, stages, metrics.processor.backlogSeconds, "Maximum"), {
        unit: "s",
      }),
      graph(`${pipeline.name}: latency end to end`, [endToEndLatency(pipeline, own)], { unit: "ms" }),
      graph(
        `${pipeline.name}: error rate`,
        stages.map((stage) => errorPercent(stage, own)),
        { unit: "%" },
      ),
      graph(
        `${pipeline.name}: workers`,
        stages.map((stage) =>
          totalOf(own.ofStage(metrics.processor.tasksRunning, stage, { statistic: "Sum" }), stage.stage),
        ),
        { unit: "tasks" },
      ),
    );
  }

  private functions(): readonly (readonly IWidget[])[] {
    const { own, queues } = this.#props;
    const { archive, redrive } = metrics;
    return [
      row(
        graph("Errors", this.ofFunctions("Errors", "Sum"), { unit: "a minute" }),
        graph("Throttles", this.ofFunctions("Throttles", "Sum"), { unit: "a minute" }),
        graph("Concurrent executions", this.ofFunctions("ConcurrentExecutions", "Maximum"), {
          unit: "executions",
        }),
        graph(
          "Dead letters filed, and sent back",
          [
            own.ofFunction(archive.entriesArchived, "archive", { statistic: "Sum" }),
            own.ofFunction(redrive.eventsRedriven, "redrive", { statistic: "Sum" }),
            own.ofFunction(redrive.eventsKept, "redrive", { statistic: "Sum" }),
          ],
          { unit: "a minute" },
        ),
      ),
      row(
        graph(
          "Messages in queues of what functions gave up",
          queues.map(({ name, queueName }) =>
            awsMetric(
              "AWS/SQS",
              "ApproximateNumberOfMessagesVisible",
              { QueueName: queueName },
              { statistic: "Maximum", label: name },
            ),
          ),
          { unit: "messages" },
        ),
        graph(
          "Age of the oldest of them",
          queues.map(({ name, queueName }) =>
            awsMetric(
              "AWS/SQS",
              "ApproximateAgeOfOldestMessage",
              { QueueName: queueName },
              { statistic: "Maximum", label: name },
            ),
          ),
          { unit: "s" },
        ),
      ),
    ];
  }

  private costs(): readonly (readonly IWidget[])[] {
    const { own, drains, tables, pipelines } = this.#props;
    const hour = { statistic: "Sum", period: Duration.hours(1) } as const;
    const stages = pipelines.flatMap(deployedStages);
    return [
      row(
        graph(
          "Time of functions, which is paid by memory",
          this.ofFunctions("Duration", "Sum", Duration.hours(1)),
          {
            unit: "ms an hour",
          },
        ),
        graph("Invocations", this.ofFunctions("Invocations", "Sum", Duration.hours(1)), { unit: "an hour" }),
        graph(
          "Bytes in, and into streams",
          [
            own.ofFunction(metrics.ingest.bytesAccepted, "ingest", hour),
            ...drains.map(({ name, streamName }) =>
              awsMetric("AWS/Kinesis", "IncomingBytes", { StreamName: streamName }, { ...hour, label: name }),
            ),
          ],
          { unit: "bytes an hour" },
        ),
      ),
      row(
        graph(
          "Writes to tables",
          tables.map(({ name, tableName }) =>
            awsMetric(
              "AWS/DynamoDB",
              "ConsumedWriteCapacityUnits",
              { TableName: tableName },
              { ...hour, label: name },
            ),
          ),
          { unit: "units an hour" },
        ),
        graph(
          "Reads of tables",
          tables.map(({ name, tableName }) =>
            awsMetric(
              "AWS/DynamoDB",
              "ConsumedReadCapacityUnits",
              { TableName: tableName },
              { ...hour, label: name },
            ),
          ),
          { unit: "units an hour" },
        ),
        graph("Checkpoints written", byStage(own, stages, metrics.processor.checkpointMs, "SampleCount"), {
          unit: "a minute, 50 an interval and process at most",
        }),
      ),
    ];
  }

  private ofFunctions(
    metric: "ConcurrentExecutions" | "Duration" | "Errors" | "Invocations" | "Throttles",
    statistic: "Maximum" | "Sum",
    period: Duration = Duration.minutes(1),
  ): readonly Metric[] {
    return this.#props.functions.map(({ name, functionName }) =>
      awsMetric("AWS/Lambda", metric, { FunctionName: functionName }, { statistic, period, label: name }),
    );
  }
}
