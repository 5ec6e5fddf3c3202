/** Alarms on the brokers: https://docs.aws.amazon.com/msk/latest/developerguide/bestpractices.html. */
import { Duration } from "aws-cdk-lib";
import { MathExpression, type Metric } from "aws-cdk-lib/aws-cloudwatch";
import type { AlarmDefinition, CompositeDefinition, MissingData } from "./alarm.ts";
import { awsMetric } from "./aws-metrics.ts";
import { INGEST_CIRCUIT_OPEN } from "./ingest-alarms.ts";
import { idOf } from "./own-metrics.ts";

export const KAFKA_UNHEALTHY = "kafka-unhealthy";

const OFFLINE_PARTITIONS = "kafka-offline-partitions";
const NO_CONTROLLER = "kafka-no-controller";
const UNDER_MIN_IN_SYNC = "kafka-under-min-in-sync";

/** https://docs.aws.amazon.com/msk/latest/developerguide/limits.html: with IAM, a broker. */
const MAX_CONNECTIONS = 3_000;

const SILENT_BROKER: MissingData = {
  treatedAs: "not breaching",
  because: "a broker that restarts says nothing for minutes; what that does to others has alarms of its own",
};

export const kafkaUnhealthy: CompositeDefinition = {
  name: KAFKA_UNHEALTHY,
  severity: "page",
  reason: "Any of its members alone means that events do not reach their readers.",
  runbook: "kafka",
  members: [OFFLINE_PARTITIONS, NO_CONTROLLER, UNDER_MIN_IN_SYNC, INGEST_CIRCUIT_OPEN],
};

/** `brokers`: MSK numbers them from 1. */
export function kafkaAlarms(cluster: string, brokers: number): readonly AlarmDefinition[] {
  const ids = Array.from({ length: brokers }, (_, index) => String(index + 1));
  return [...clusterAlarms(cluster, ids), ...ids.flatMap((id) => brokerAlarms(cluster, id))];
}

function clusterAlarms(cluster: string, brokerIds: readonly string[]): readonly AlarmDefinition[] {
  const dimensions = { "Cluster Name": cluster };
  return [
    {
      name: OFFLINE_PARTITIONS,
      severity: "page",
      metric: awsMetric("AWS/Kafka", "OfflinePartitionsCount", dimensions, { statistic: "Maximum" }),
      comparison: ">",
      threshold: 0,
      unit: "partitions",
      periods: 2,
      reason:
        "A partition without a leader takes no write; an election takes seconds, so two minutes are none.",
      runbook: "kafka",
      missingData: {
        treatedAs: "the state before",
        because: "a cluster whose metrics come late is neither worse nor better than it was",
      },
    },
    {
      name: UNDER_MIN_IN_SYNC,
      severity: "page",
      metric: underMinInSync(cluster, brokerIds),
      comparison: ">",
      threshold: 0,
      unit: "partitions",
      periods: 3,
      reason:
        "Such a partition has a leader and takes no write: two of its three copies are away or behind, which no restart of one broker does.",
      runbook: "kafka",
      missingData: SILENT_BROKER,
    },
    {
      name: NO_CONTROLLER,
      severity: "page",
      metric: awsMetric("AWS/Kafka", "ActiveControllerCount", dimensions, { statistic: "Maximum" }),
      comparison: "<",
      threshold: 1,
      unit: "controllers",
      periods: 5,
      reason: "Exactly one controller is active in health; without one no leader is elected.",
      runbook: "kafka",
      missingData: {
        treatedAs: "breaching",
        because: "a cluster that says nothing for five minutes is away, or nobody watches it",
      },
    },
  ];
}

/** Of each broker, those that it leads. */
function underMinInSync(cluster: string, brokerIds: readonly string[]): MathExpression {
  const each = brokerIds.map((id) => [
    idOf("broker", id),
    awsMetric(
      "AWS/Kafka",
      "UnderMinIsrPartitionCount",
      { "Cluster Name": cluster, "Broker ID": id },
      { statistic: "Maximum" },
    ),
  ]);
  return new MathExpression({
    expression: `MAX([${each.map(([id]) => id).join(",")}])`,
    usingMetrics: Object.fromEntries(each) as Record<string, Metric>,
    period: Duration.minutes(1),
  });
}

function brokerAlarms(cluster: string, id: string): readonly AlarmDefinition[] {
  const dimensions = { "Cluster Name": cluster, "Broker ID": id };
  const common = { comparison: ">", runbook: "kafka", missingData: SILENT_BROKER } as const;
  return [
    {
      ...common,
      name: `kafka-broker-${id}-under-replicated`,
      severity: "ticket",
      metric: awsMetric("AWS/Kafka", "UnderReplicatedPartitions", dimensions, { statistic: "Maximum" }),
      threshold: 0,
      unit: "partitions",
      periods: 30,
      reason:
        "Copies that stay behind for half an hour are no restart for maintenance; one more broker away stops writes.",
    },
    {
      ...common,
      name: `kafka-broker-${id}-disk`,
      severity: "page",
      metric: awsMetric("AWS/Kafka", "KafkaDataLogsDiskUsed", dimensions, { statistic: "Maximum" }),
      comparison: ">=",
      threshold: 85,
      unit: "%",
      periods: 5,
      reason:
        "AWS asks to act at 85 %; a broker whose disk is full stops, and volumes here do not grow by themselves.",
    },
    {
      ...common,
      name: `kafka-broker-${id}-cpu`,
      severity: "ticket",
      metric: cpuOf(dimensions),
      threshold: 60,
      unit: "%",
      periods: 15,
      reason:
        "AWS asks to keep user and system CPU below 60 %, so that the others can carry a broker that is away.",
    },
    {
      ...common,
      name: `kafka-broker-${id}-heap`,
      severity: "ticket",
      metric: awsMetric("AWS/Kafka", "HeapMemoryAfterGC", dimensions, { statistic: "Maximum" }),
      threshold: 60,
      unit: "%",
      periods: 15,
      reason: "AWS asks to act above 60 %: with many transactional ids the heap is what runs out first.",
    },
    {
      ...common,
      name: `kafka-broker-${id}-connections`,
      severity: "ticket",
      metric: awsMetric("AWS/Kafka", "ConnectionCount", dimensions, { statistic: "Maximum" }),
      threshold: 0.8 * MAX_CONNECTIONS,
      unit: "connections",
      periods: 5,
      reason: `A broker admits ${MAX_CONNECTIONS} connections with IAM; at 80 % there is time to find who holds them.`,
    },
  ];
}

export function cpuOf(dimensions: { "Cluster Name": string; "Broker ID": string }): MathExpression {
  const part = (name: "CpuUser" | "CpuSystem"): Metric =>
    awsMetric("AWS/Kafka", name, dimensions, { statistic: "Average" });
  const id = dimensions["Broker ID"];
  const [user, system] = [idOf("user", id), idOf("system", id)];
  return new MathExpression({
    expression: `${user} + ${system}`,
    usingMetrics: { [user]: part("CpuUser"), [system]: part("CpuSystem") },
    label: `broker ${id}`,
    period: part("CpuUser").period,
  });
}
