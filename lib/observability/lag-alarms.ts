/** Alarms on the lag that Kafka sees: between a topic's end and what a group has committed. */
import { LATENCY_TARGET_MS } from "../../contracts/signals.ts";
import type { AlarmDefinition, CompositeDefinition, MissingData, Severity } from "./alarm.ts";
import { lagAlarm } from "./alarm-names.ts";
import { awsMetric } from "./aws-metrics.ts";
import { KAFKA_UNHEALTHY } from "./kafka-alarms.ts";
import type { GroupReading } from "./stages.ts";

/** The field's figure, and thirty times the latency target. */
export const MAX_TIME_LAG_S = 300;

/** MSK emits lag of groups that are stable or empty: https://docs.aws.amazon.com/msk/latest/developerguide/consumer-lag.html */
const REBALANCING: MissingData = {
  treatedAs: "the state before",
  because: "lag is absent while the group rebalances, which makes it neither smaller nor larger",
};

const dimensionsOf = (cluster: string, { group, topic }: GroupReading) => ({
  "Cluster Name": cluster,
  "Consumer Group": group,
  Topic: topic,
});

export const timeLagOf = (cluster: string, reading: GroupReading) =>
  awsMetric("AWS/Kafka", "EstimatedMaxTimeLag", dimensionsOf(cluster, reading), {
    statistic: "Maximum",
    label: reading.topic,
  });

export const offsetLagOf = (cluster: string, reading: GroupReading) =>
  awsMetric("AWS/Kafka", "SumOffsetLag", dimensionsOf(cluster, reading), {
    statistic: "Maximum",
    label: reading.topic,
  });

export const timeLagAlarm = (
  cluster: string,
  reading: GroupReading,
  severity: Severity = "page",
): AlarmDefinition => ({
  name: lagAlarm(reading.reader, reading.topic, "time-lag"),
  about: reading.reader,
  severity,
  metric: timeLagOf(cluster, reading),
  comparison: ">",
  threshold: MAX_TIME_LAG_S,
  unit: "s",
  periods: 5,
  reason: "Thirty times the latency target of 10 s: what scaling could mend it has mended by then.",
  runbook: "pipeline-behind",
  missingData: REBALANCING,
});

/** The sink reads the results of every pipeline, so what holds it up mostly holds up all of them. */
export const sinkBehind = (readings: readonly GroupReading[]): CompositeDefinition => ({
  name: "sink-behind",
  severity: "page",
  reason: "Results are in their topics, and minutes later not in their table; readers see old ones.",
  runbook: "functions",
  members: readings.map(({ reader, topic }) => lagAlarm(reader, topic, "time-lag")),
  suppressedBy: KAFKA_UNHEALTHY,
});

/**
 * `maxBacklogRecords`: of one partition, and what its task works off within the latency target. So it has that share of it
 * processed and not committed, in health, that the checkpoint interval has of the target.
 */
export const offsetLagAlarm = (
  { cluster, checkpointIntervalMs }: { readonly cluster: string; readonly checkpointIntervalMs: number },
  reading: GroupReading,
  maxBacklogRecords: number,
): AlarmDefinition => ({
  name: lagAlarm(reading.reader, reading.topic, "offset-lag"),
  about: reading.reader,
  severity: "page",
  metric: offsetLagOf(cluster, reading),
  comparison: ">",
  threshold:
    reading.partitions * (Math.ceil(maxBacklogRecords * (1 + checkpointIntervalMs / LATENCY_TARGET_MS)) + 1),
  unit: "records",
  periods: 15,
  reason:
    `Each of ${reading.partitions} partitions at its limit of ${maxBacklogRecords}, beside what its task processes in a checkpoint ` +
    `interval of ${checkpointIntervalMs} ms, and one more each: a topic that is written in transactions shows 1 a partition when ` +
    "it is drained, its commit marker.",
  runbook: "pipeline-behind",
  missingData: REBALANCING,
});
