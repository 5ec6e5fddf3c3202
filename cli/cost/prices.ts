/**
 * What AWS asks: list prices in USD, on demand, in us-east-1, without free tiers, discounts and tax. A price that no source
 * was at hand for when this was written says `from memory`: look it up before a budget depends on it.
 */

export interface Price {
  readonly usd: number;
  /** What the price is for one of. */
  readonly unit: string;
  readonly source: string;
  /** When the source was read, or the price recalled. */
  readonly asOf: string;
}

const aws = (page: string): string => `https://aws.amazon.com/${page}/pricing/, from memory`;
const recalled = (usd: number, unit: string, page: string): Price => ({
  usd,
  unit,
  source: aws(page),
  asOf: "November 2026",
});

export const prices = {
  storageMskGbMonth: recalled(0.1, "GB-month", "msk"),
  fargateArmVcpuHour: {
    usd: 0.03238,
    unit: "vCPU-hour",
    source: "https://www.vantage.sh/blog/fargate-pricing",
    asOf: "November 2026",
  },
  fargateArmGbHour: {
    usd: 0.00356,
    unit: "GB-hour",
    source: "https://www.vantage.sh/blog/fargate-pricing",
    asOf: "November 2026",
  },
  instanceT4gNanoHour: recalled(0.0042, "hour", "ec2/on-demand"),
  storageGp3GbMonth: recalled(0.08, "GB-month", "ebs"),
  natGatewayHour: recalled(0.045, "hour", "vpc"),
  natGatewayGb: recalled(0.045, "GB", "vpc"),
  publicIpv4Hour: recalled(0.005, "hour", "vpc"),
  interfaceEndpointHour: recalled(0.01, "hour and zone", "privatelink"),
  crossZoneGb: recalled(0.02, "GB, both sides together", "ec2/on-demand"),
  internetGb: recalled(0.09, "GB", "ec2/on-demand"),
  kinesisShardHour: {
    usd: 0.015,
    unit: "shard-hour",
    source: "https://c3x.dev/resources/aws/aws_kinesis_stream",
    asOf: "November 2026",
  },
  kinesisExtendedShardHour: {
    usd: 0.02,
    unit: "shard-hour with more than 24 h of retention",
    source: "https://c3x.dev/resources/aws/aws_kinesis_stream",
    asOf: "November 2026",
  },
  kinesisOnDemandStreamHour: recalled(0.04, "stream-hour", "kinesis/data-streams"),
  lambdaRequest: recalled(0.2 / 1e6, "request", "lambda"),
  lambdaArmGbSecond: recalled(0.0000133334, "GB-second", "lambda"),
  httpApiRequest: recalled(1 / 1e6, "request of up to 512 KB", "api-gateway"),
  dynamodbWrite: recalled(0.625 / 1e6, "write of up to 1 KB", "dynamodb/on-demand"),
  dynamodbRead: recalled(0.125 / 1e6, "read of up to 4 KB", "dynamodb/on-demand"),
  dynamodbGbMonth: recalled(0.25, "GB-month", "dynamodb/on-demand"),
  dynamodbRecoveryGbMonth: recalled(0.2, "GB-month", "dynamodb/on-demand"),
  s3Put: recalled(0.005 / 1e3, "PUT", "s3"),
  s3GbMonth: recalled(0.023, "GB-month", "s3"),
  kmsKeyMonth: recalled(1, "key and month", "kms"),
  secretMonth: recalled(0.4, "secret and month", "secrets-manager"),
  logsGb: recalled(0.5, "GB written", "cloudwatch"),
  logsGbMonth: recalled(0.03, "GB-month, compressed", "cloudwatch"),
  alarmMetricMonth: recalled(0.1, "metric of an alarm and month", "cloudwatch"),
  compositeAlarmMonth: recalled(0.5, "alarm and month", "cloudwatch"),
  dashboardMonth: recalled(3, "dashboard and month", "cloudwatch"),
  trace: recalled(5 / 1e6, "recorded trace", "xray"),
  metricMonth: recalled(0.3, "metric and month", "cloudwatch"),
  eventBridgeEvent: recalled(1 / 1e6, "event of up to 64 KB", "eventbridge"),
  cloudFrontGb: recalled(0.085, "GB", "cloudfront"),
  cloudFrontRequest: recalled(0.01 / 1e4, "HTTPS request", "cloudfront"),
  webAclMonth: recalled(5, "web ACL and month", "waf"),
  webAclRuleMonth: recalled(1, "rule and month", "waf"),
  imageGbMonth: recalled(0.1, "GB-month", "ecr"),
} as const satisfies Readonly<Record<string, Price>>;

export type PriceName = keyof typeof prices;

const brokerHours: Readonly<Record<string, number>> = {
  "kafka.t3.small": 0.0456,
  "kafka.m5.large": 0.21,
  "kafka.m5.xlarge": 0.42,
  "kafka.m7g.large": 0.204,
  "kafka.m7g.xlarge": 0.408,
  "kafka.m7g.2xlarge": 0.816,
  "kafka.m7g.4xlarge": 1.632,
};

/** Of one broker of an instance type. Throws where the list does not have it. */
export function brokerPrice(instanceType: string): Price {
  const usd = brokerHours[instanceType];
  if (usd !== undefined) return recalled(usd, "broker-hour", "msk");
  throw new Error(
    `cli/cost/prices.ts has no price of ${instanceType}; add it from https://aws.amazon.com/msk/pricing/`,
  );
}

/** Of an EC2 instance. Throws where the list does not have its type. */
export function instancePrice(instanceType: string): Price {
  if (instanceType === "t4g.nano") return prices.instanceT4gNanoHour;
  throw new Error(
    `cli/cost/prices.ts has no price of ${instanceType}; add it from https://aws.amazon.com/ec2/pricing/on-demand/`,
  );
}

/** Spot's price moves; this is what AWS calls its largest discount (https://aws.amazon.com/fargate/pricing/, from memory). */
export const FARGATE_SPOT_DISCOUNT = 0.7;
