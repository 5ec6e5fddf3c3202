/** Alarms on the stages of a pipeline, by what its processors say of themselves and what Kafka says of their groups. */
import { Duration } from "aws-cdk-lib";
import { type IMetric, MathExpression } from "aws-cdk-lib/aws-cloudwatch";
import { metrics } from "../../contracts/metrics.ts";
import type { DeployedPipeline } from "../processing/pipeline.ts";
import type { AlarmDefinition, CompositeDefinition, MissingData } from "./alarm.ts";
import { behindAlarm, lagAlarm, type StageAlarm, stageAlarm } from "./alarm-names.ts";
import { KAFKA_UNHEALTHY } from "./kafka-alarms.ts";
import { offsetLagAlarm, timeLagAlarm } from "./lag-alarms.ts";
import { baselineMs, LATENCY_FACTOR, stageBaselineMs } from "./latency-baseline.ts";
import { idOf, type OwnMetrics } from "./own-metrics.ts";
import { type DeployedStage, deployedStages, readingsOf } from "./stages.ts";

const names = metrics.processor;

const SILENT: MissingData = {
  treatedAs: "not breaching",
  because: "a stage that says nothing has an alarm for that alone",
};
const NOTHING_TO_SAY: MissingData = {
  treatedAs: "not breaching",
  because: "it is emitted where it happens only, so silence is health",
};

export interface PipelineSurroundings {
  readonly environment: string;
  /** Name of the Kafka cluster. */
  readonly cluster: string;
  /** Of every task; what is processed waits so long for its commit. */
  readonly checkpointIntervalMs: number;
  readonly own: OwnMetrics;
}

export const pipelineAlarms = (
  pipeline: DeployedPipeline,
  surroundings: PipelineSurroundings,
): readonly AlarmDefinition[] => [
  ...deployedStages(pipeline).flatMap((stage) => [
    ...progressAlarms(stage, surroundings),
    ...correctnessAlarms(stage, surroundings),
    ...sizingAlarms(stage, surroundings),
    ...readingsOf(surroundings.environment, stage).flatMap((reading) => [
      timeLagAlarm(surroundings.cluster, reading),
      offsetLagAlarm(surroundings, reading, stage.maxBacklogRecordsPerTask),
    ]),
  ]),
  endToEndAlarm(pipeline, surroundings),
];

/** Whichever of the stages it is, and whatever shows it: that results are missing is one thing to look at. */
export const pipelineBehind = (pipeline: DeployedPipeline): CompositeDefinition => ({
  name: behindAlarm(pipeline.name),
  about: pipeline.name,
  severity: "page",
  reason:
    "Its results are minutes late, or do not come: its members say by which measure, and in which stage.",
  runbook: "pipeline-behind",
  members: deployedStages(pipeline).flatMap(({ stage, topics }) => [
    stageAlarm(stage, "no-data"),
    stageAlarm(stage, "checkpoint-age"),
    stageAlarm(stage, "backlog-seconds"),
    ...topics.flatMap((topic) => [lagAlarm(stage, topic, "time-lag"), lagAlarm(stage, topic, "offset-lag")]),
  ]),
  suppressedBy: KAFKA_UNHEALTHY,
});

type Part = Omit<AlarmDefinition, "name" | "comparison" | "missingData"> &
  Partial<Pick<AlarmDefinition, "comparison" | "missingData">>;

/** Most are too much of something, of which silence is none. */
const alarmOf = ({ stage }: DeployedStage, kind: StageAlarm, part: Part): AlarmDefinition => ({
  comparison: ">",
  missingData: SILENT,
  ...part,
  name: stageAlarm(stage, kind),
  about: stage,
});

function progressAlarms(
  stage: DeployedStage,
  { own, checkpointIntervalMs }: PipelineSurroundings,
): readonly AlarmDefinition[] {
  const max = (name: (typeof names)[keyof typeof names]) =>
    own.ofStage(name, stage, { statistic: "Maximum" });
  return [
    alarmOf(stage, "backlog-seconds", {
      severity: "page",
      metric: max(names.backlogSeconds),
      threshold: 120,
      unit: "s",
      periods: 5,
      reason: "Twelve times the latency target of 10 s, for longer than new tasks take to come to help.",
      runbook: "pipeline-behind",
    }),
    alarmOf(stage, "queue-depth", {
      severity: "ticket",
      metric: max(names.backlogRecords),
      threshold: stage.maxBacklogRecordsPerTask,
      unit: "records",
      periods: 5,
      reason:
        "The pipeline's limit for one task (maxBacklogRecordsPerTask), for five minutes: no burst, but a trend.",
      runbook: "pipeline-behind",
    }),
    alarmOf(stage, "latency", {
      severity: "ticket",
      metric: own.ofStage(names.latencyMs, stage, { statistic: "p95" }),
      threshold: LATENCY_FACTOR * stageBaselineMs(stage.stage, checkpointIntervalMs),
      unit: "ms",
      periods: 5,
      reason: "Twice the recorded baseline of its 95th percentile (lib/observability/latency-baseline.ts).",
      runbook: "pipeline-behind",
      missingData: { treatedAs: "not breaching", because: "without records there is no latency" },
    }),
    alarmOf(stage, "watermark-stalled", {
      severity: "ticket",
      metric: watermarkStalled(stage, own),
      threshold: 0,
      unit: "records",
      periods: 15,
      reason:
        "Records are processed and the watermark falls behind the clock all the same: windows do not close.",
      runbook: "watermark-stalled",
    }),
    alarmOf(stage, "no-data", {
      severity: "page",
      metric: own.ofStage(names.tasksRunning, stage, { statistic: "Sum" }),
      comparison: "<",
      threshold: 1,
      unit: "tasks",
      periods: 5,
      reason:
        "Every process says every ten seconds how many tasks it runs; five minutes are longer than a recovery.",
      runbook: "pipeline-silent",
      missingData: {
        treatedAs: "breaching",
        because: "a stage that is away says nothing: silence is the fault",
      },
    }),
  ];
}

/** Records that were processed in minutes after which the watermark is further behind the clock than before. */
function watermarkStalled(stage: DeployedStage, own: OwnMetrics): IMetric {
  const period = Duration.minutes(1);
  return new MathExpression({
    // A watermark that stands still falls behind by 60,000 ms a minute; less is noise of when it is measured.
    expression: "IF(DIFF(delay) >= 50000, records, 0)",
    usingMetrics: {
      delay: own.ofStage(names.watermarkDelayMs, stage, { statistic: "Maximum" }),
      records: own.ofStage(names.recordsProcessed, stage, { statistic: "Sum" }),
    },
    period,
  });
}

function correctnessAlarms(
  stage: DeployedStage,
  { own, checkpointIntervalMs }: PipelineSurroundings,
): readonly AlarmDefinition[] {
  const max = (name: (typeof names)[keyof typeof names]) =>
    own.ofStage(name, stage, { statistic: "Maximum" });
  const sum = (name: (typeof names)[keyof typeof names]) => own.ofStage(name, stage, { statistic: "Sum" });
  return [
    alarmOf(stage, "errors", {
      severity: "ticket",
      metric: errorPercent(stage, own),
      threshold: 1,
      unit: "%",
      periods: 5,
      reason: "The field's figure: more than one event in a hundred is a change of code or of a producer.",
      runbook: "pipeline-errors",
      missingData: { treatedAs: "not breaching", because: "without records none is in error" },
    }),
    alarmOf(stage, "crashes", {
      severity: "ticket",
      metric: sum(names.crashes),
      threshold: 0,
      unit: "processes",
      periods: 1,
      reason: "A process ends itself only on what nobody expected: each is a bug, or Kafka away for long.",
      runbook: "pipeline-errors",
      missingData: NOTHING_TO_SAY,
    }),
    alarmOf(stage, "checkpoint-failures", {
      severity: "ticket",
      metric: sum(names.checkpointFailures),
      threshold: 0,
      unit: "attempts",
      periods: 5,
      reason:
        "An attempt that fails is made again at once; five minutes of them are no broker that restarts.",
      runbook: "checkpoints",
      missingData: NOTHING_TO_SAY,
    }),
    alarmOf(stage, "checkpoint-age", {
      severity: "page",
      metric: max(names.checkpointAgeMs),
      threshold: maxCheckpointAgeMs(checkpointIntervalMs),
      unit: "ms",
      periods: 5,
      reason: `${maxCheckpointAgeMs(checkpointIntervalMs) / checkpointIntervalMs} intervals of ${checkpointIntervalMs} ms: results wait, and after a crash everything since is done again.`,
      runbook: "checkpoints",
    }),
    alarmOf(stage, "parked", {
      severity: "page",
      metric: sum(names.tasksParked),
      threshold: 0,
      unit: "tasks",
      periods: 1,
      reason: "A parked task has lost its state or its position and does not come back by itself.",
      runbook: "task-parked",
    }),
  ];
}

/** A minute, and as many intervals that no retry, nor a slow one, is an alarm. */
const maxCheckpointAgeMs = (checkpointIntervalMs: number): number =>
  Math.max(60_000, 12 * checkpointIntervalMs);

/** Of the records that it read. */
export function errorPercent(stage: DeployedStage, own: OwnMetrics): MathExpression {
  const [dead, processed] = [idOf("dead", stage.stage), idOf("processed", stage.stage)];
  return new MathExpression({
    expression: `100 * ${dead} / ${processed}`,
    usingMetrics: {
      [dead]: own.ofStage(names.eventsDead, stage, { statistic: "Sum" }),
      [processed]: own.ofStage(names.recordsProcessed, stage, { statistic: "Sum" }),
    },
    label: stage.stage,
    period: Duration.minutes(1),
  });
}

function sizingAlarms(stage: DeployedStage, { own }: PipelineSurroundings): readonly AlarmDefinition[] {
  return [
    ...skewAlarm(stage, own),
    alarmOf(stage, "state-limit", {
      severity: "ticket",
      metric: own.ofStage(names.stateLimitPercent, stage, { statistic: "Maximum" }),
      threshold: 80,
      unit: "%",
      periods: 5,
      reason: "At 100 % events go to the dead letters as `state-full`; a fifth is left to raise the limit.",
      runbook: "pipeline-sizing",
    }),
    alarmOf(stage, "underused", {
      severity: "notice",
      metric: own.ofStage(names.busyPercent, stage, { statistic: "Average", period: Duration.hours(1) }),
      comparison: "<",
      threshold: 20,
      unit: "%",
      periods: 24,
      reason:
        "A day in which its tasks worked for less than a fifth of the time: fewer or smaller ones would do.",
      runbook: "pipeline-sizing",
      missingData: SILENT,
    }),
  ];
}

/** A stage with one partition is never uneven. */
function skewAlarm(stage: DeployedStage, own: OwnMetrics): readonly AlarmDefinition[] {
  const { partitions, maxBacklogRecordsPerTask } = stage;
  if (partitions === 1) return [];
  const of = (statistic: "Maximum" | "Average") => own.ofStage(names.backlogRecords, stage, { statistic });
  const worthwhile = maxBacklogRecordsPerTask / 10;
  return [
    alarmOf(stage, "skew", {
      severity: "ticket",
      metric: new MathExpression({
        expression: `IF(most > ${worthwhile}, most / mean, 1)`,
        usingMetrics: { most: of("Maximum"), mean: of("Average") },
        period: Duration.minutes(1),
      }),
      // The most that is possible is the number of partitions: all of the backlog in one.
      threshold: Math.min(4, 0.75 * partitions),
      unit: "times",
      periods: 15,
      reason: `One task has far more to do than the mean of ${partitions}, and no small backlog: a hot key, which more tasks do not help.`,
      runbook: "pipeline-behind",
    }),
  ];
}

/** The sum of the stages' 95th percentiles: never less than nearly all events need, and mostly more. */
export function endToEndLatency(pipeline: DeployedPipeline, own: OwnMetrics): MathExpression {
  const stages = deployedStages(pipeline).map((stage, index) => [
    `stage${index}`,
    own.ofStage(names.latencyMs, stage, { statistic: "p95" }),
  ]);
  const usingMetrics = {
    door: own.ofFunction(metrics.ingest.produceMs, "ingest", { statistic: "p95" }),
    ...(Object.fromEntries(stages) as Record<string, IMetric>),
    store: own.ofFunction(metrics.sink.storedMs, "sink", { statistic: "p95" }),
  };
  // Events come and results are stored in different minutes: what has no value in one adds nothing to it.
  const terms = Object.keys(usingMetrics).map((id) => `FILL(${id}, 0)`);
  return new MathExpression({
    expression: terms.join(" + "),
    usingMetrics,
    label: "end to end",
    period: Duration.minutes(1),
  });
}

const endToEndAlarm = (
  pipeline: DeployedPipeline,
  { own, checkpointIntervalMs }: PipelineSurroundings,
): AlarmDefinition => {
  const stages = deployedStages(pipeline).map(({ stage }) => stageBaselineMs(stage, checkpointIntervalMs));
  const parts = [baselineMs("ingest"), ...stages, baselineMs("sink")];
  return {
    name: `pipeline-${pipeline.name}-end-to-end-latency`,
    about: pipeline.name,
    severity: "ticket",
    metric: endToEndLatency(pipeline, own),
    comparison: ">",
    threshold: LATENCY_FACTOR * parts.reduce((sum, each) => sum + each, 0),
    unit: "ms",
    periods: 5,
    reason: "Twice the sum of the recorded baselines of the door, its stages and the sink.",
    runbook: "pipeline-behind",
    missingData: { treatedAs: "not breaching", because: "without events there is no latency" },
  };
};
