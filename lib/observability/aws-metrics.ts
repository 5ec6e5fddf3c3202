/** The metrics of AWS that alarms and dashboards use, with the dimensions under which AWS emits them. */
import { Duration } from "aws-cdk-lib";
import { Metric } from "aws-cdk-lib/aws-cloudwatch";
import type { MetricOptions } from "./own-metrics.ts";

const BROKER = ["Cluster Name", "Broker ID"] as const;
const CLUSTER = ["Cluster Name"] as const;
/** Never with a Broker ID: lag is the group's and the topic's, and under other dimensions an alarm sees no data for ever. */
const GROUP = ["Cluster Name", "Consumer Group", "Topic"] as const;
const FUNCTION = ["FunctionName"] as const;
const STREAM = ["StreamName"] as const;
const SERVICE = ["ClusterName", "ServiceName"] as const;
const TABLE = ["TableName"] as const;

/** Each namespace with where its metrics and their dimensions are documented. */
export const awsMetrics = {
  "AWS/Kafka": {
    // The level DEFAULT, which costs nothing.
    source: "https://docs.aws.amazon.com/msk/latest/developerguide/metrics-details.html",
    metrics: {
      ActiveControllerCount: CLUSTER,
      OfflinePartitionsCount: CLUSTER,
      UnderMinIsrPartitionCount: BROKER,
      UnderReplicatedPartitions: BROKER,
      KafkaDataLogsDiskUsed: BROKER,
      CpuSystem: BROKER,
      CpuUser: BROKER,
      HeapMemoryAfterGC: BROKER,
      // ClientConnectionCount has the way of authentication as a third dimension, whose values are not documented.
      ConnectionCount: BROKER,
      EstimatedMaxTimeLag: GROUP,
      SumOffsetLag: GROUP,
    },
  },
  "AWS/Lambda": {
    source: "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html",
    metrics: {
      ClaimedAccountConcurrency: [],
      ConcurrentExecutions: FUNCTION,
      Duration: FUNCTION,
      Errors: FUNCTION,
      Invocations: FUNCTION,
      IteratorAge: FUNCTION,
      Throttles: FUNCTION,
    },
  },
  "AWS/SQS": {
    source:
      "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html",
    metrics: {
      ApproximateAgeOfOldestMessage: ["QueueName"],
      ApproximateNumberOfMessagesVisible: ["QueueName"],
    },
  },
  "AWS/Kinesis": {
    source: "https://docs.aws.amazon.com/streams/latest/dev/monitoring-with-cloudwatch.html",
    metrics: { IncomingBytes: STREAM, IncomingRecords: STREAM, WriteProvisionedThroughputExceeded: STREAM },
  },
  "AWS/ECS": {
    source: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/available-metrics.html",
    metrics: { CPUUtilization: SERVICE, MemoryUtilization: SERVICE },
  },
  "AWS/DynamoDB": {
    source: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html",
    metrics: { ConsumedReadCapacityUnits: TABLE, ConsumedWriteCapacityUnits: TABLE },
  },
} as const satisfies Readonly<
  Record<string, { readonly source: string; readonly metrics: Readonly<Record<string, readonly string[]>> }>
>;

type Namespace = keyof typeof awsMetrics;
type Names<N extends Namespace> = keyof (typeof awsMetrics)[N]["metrics"] & string;
type Dimensions<
  N extends Namespace,
  M extends Names<N>,
> = (typeof awsMetrics)[N]["metrics"][M] extends readonly (infer Name extends string)[]
  ? Readonly<Record<Name, string>>
  : never;

export function awsMetric<N extends Namespace, M extends Names<N>>(
  namespace: N,
  metricName: M,
  dimensions: Dimensions<N, M>,
  { statistic, label, period = Duration.minutes(1) }: MetricOptions,
): Metric {
  return new Metric({
    namespace,
    metricName,
    dimensionsMap: dimensions,
    statistic,
    period,
    ...(label !== undefined && { label }),
  });
}
