/** What is paid by the hour or month for what stands there, whatever the load. */
import { assumed } from "./assumptions.ts";
import { type Line, line } from "./line.ts";
import { brokerPrice, instancePrice } from "./prices.ts";
import type { Resource } from "./template.ts";

type Pricing = (resource: Resource) => readonly Line[];

const hours = () => assumed("hoursPerMonth");

const pricings: Readonly<Record<string, Pricing>> = {
  "AWS::MSK::Cluster": ({ Properties }) => {
    const { NumberOfBrokerNodes: brokers, BrokerNodeGroupInfo: node } = Properties;
    const gib = brokers * node.StorageInfo.EBSStorageInfo.VolumeSize;
    return [
      line("Kafka", `${brokers} × ${node.InstanceType}`, brokers * hours(), brokerPrice(node.InstanceType)),
      line("Kafka", `${gib} GiB of disk`, gib, "storageMskGbMonth"),
      line("logs", "brokers' logs", brokers * assumed("brokerLogGb"), "logsGb"),
    ];
  },
  "AWS::EC2::NatGateway": () => [line("network", "NAT gateway", hours(), "natGatewayHour")],
  // The only instance that there is, which says itself how large its disk is.
  "AWS::EC2::Instance": ({ Properties }) => [
    line(
      "network",
      `NAT instance ${Properties.InstanceType}`,
      hours(),
      instancePrice(Properties.InstanceType),
    ),
    line(
      "network",
      "disk of the NAT instance",
      Properties.BlockDeviceMappings[0].Ebs.VolumeSize,
      "storageGp3GbMonth",
    ),
    ...(Properties.NetworkInterfaces[0].AssociatePublicIpAddress
      ? [line("network", "public address", hours(), "publicIpv4Hour")]
      : []),
  ],
  "AWS::EC2::EIP": () => [line("network", "public address", hours(), "publicIpv4Hour")],
  "AWS::EC2::VPCEndpoint": ({ Properties }) =>
    Properties.VpcEndpointType === "Interface"
      ? [
          line(
            "network",
            "interface endpoint",
            hours() * Properties.SubnetIds.length,
            "interfaceEndpointHour",
          ),
        ]
      : [],
  "AWS::EC2::FlowLog": () => [line("logs", "flow logs", assumed("flowLogGb"), "logsGb")],
  "AWS::Kinesis::Stream": ({ Properties }) => streamLines(Properties),
  "AWS::KMS::Key": () => [line("the rest", "key", 1, "kmsKeyMonth")],
  "AWS::SecretsManager::Secret": () => [line("the rest", "secret", 1, "secretMonth")],
  "AWS::CloudWatch::Alarm": ({ Properties }) => [
    line("metrics, alarms, dashboards", "metrics of alarms", alarmMetrics(Properties), "alarmMetricMonth"),
  ],
  "AWS::CloudWatch::CompositeAlarm": () => [
    line("metrics, alarms, dashboards", "composite alarms", 1, "compositeAlarmMonth"),
  ],
  "AWS::CloudWatch::Dashboard": () => [
    line("metrics, alarms, dashboards", "dashboards", 1, "dashboardMonth"),
  ],
  "AWS::WAFv2::WebACL": ({ Properties }) => [
    line("network", "firewall", 1, "webAclMonth"),
    line("network", "rules of the firewall", Properties.Rules.length, "webAclRuleMonth"),
  ],
  "AWS::ECS::Cluster": () => [line("processors", "images", 3 * assumed("imageGb"), "imageGbMonth")],
};

/** By its use, and counted in cli/cost/traffic.ts, or of no price. A type that is in neither list is reported. */
const withoutStandingPrice: readonly string[] = [
  "AWS::ApiGatewayV2::Api",
  "AWS::ApiGatewayV2::Authorizer",
  "AWS::ApiGatewayV2::Integration",
  "AWS::ApiGatewayV2::Route",
  "AWS::ApiGatewayV2::Stage",
  "AWS::ApplicationAutoScaling::ScalableTarget",
  "AWS::ApplicationAutoScaling::ScalingPolicy",
  "AWS::CDK::Metadata",
  "AWS::CloudFront::CachePolicy",
  "AWS::CloudFront::Distribution",
  "AWS::CloudFront::OriginAccessControl",
  "AWS::CloudFront::OriginRequestPolicy",
  "AWS::CloudFront::ResponseHeadersPolicy",
  "AWS::DynamoDB::Table",
  "AWS::EC2::InternetGateway",
  "AWS::EC2::Route",
  "AWS::EC2::RouteTable",
  "AWS::EC2::SecurityGroup",
  "AWS::EC2::SecurityGroupEgress",
  "AWS::EC2::SecurityGroupIngress",
  "AWS::EC2::Subnet",
  "AWS::EC2::SubnetRouteTableAssociation",
  "AWS::EC2::VPC",
  "AWS::EC2::VPCGatewayAttachment",
  "AWS::ECS::ClusterCapacityProviderAssociations",
  "AWS::ECS::Service",
  "AWS::ECS::TaskDefinition",
  "AWS::Events::ApiDestination",
  "AWS::Events::Connection",
  "AWS::Events::EventBus",
  "AWS::Events::EventBusPolicy",
  "AWS::Events::Rule",
  "AWS::IAM::InstanceProfile",
  "AWS::IAM::ManagedPolicy",
  "AWS::IAM::Policy",
  "AWS::IAM::Role",
  "AWS::Kinesis::ResourcePolicy",
  "AWS::Lambda::EventInvokeConfig",
  "AWS::Lambda::EventSourceMapping",
  "AWS::Lambda::Function",
  "AWS::Lambda::Permission",
  "AWS::Lambda::Url",
  "AWS::Logs::LogGroup",
  "AWS::Logs::ResourcePolicy",
  "AWS::MSK::Configuration",
  "AWS::MSK::Topic",
  "AWS::S3::Bucket",
  "AWS::S3::BucketPolicy",
  "AWS::SNS::Subscription",
  "AWS::SNS::Topic",
  "AWS::SNS::TopicPolicy",
  "AWS::SQS::Queue",
  "AWS::SQS::QueuePolicy",
];

const RETENTION_INCLUDED_HOURS = 24;

// biome-ignore lint/suspicious/noExplicitAny: a template has no types.
function streamLines(stream: any): readonly Line[] {
  if (stream.StreamModeDetails?.StreamMode === "ON_DEMAND") {
    return [line("spillway and doors", "stream on demand", hours(), "kinesisOnDemandStreamHour")];
  }
  const shardHours = stream.ShardCount * hours();
  const shards = line("spillway and doors", "shards", shardHours, "kinesisShardHour");
  if (stream.RetentionPeriodHours <= RETENTION_INCLUDED_HOURS) return [shards];
  return [shards, line("spillway and doors", "retention above 24 h", shardHours, "kinesisExtendedShardHour")];
}

/** An alarm on an expression is paid for each metric that the expression reads. */
// biome-ignore lint/suspicious/noExplicitAny: a template has no types.
function alarmMetrics(alarm: any): number {
  const queries: readonly { readonly MetricStat?: unknown }[] = alarm.Metrics ?? [{ MetricStat: alarm }];
  return queries.filter(({ MetricStat }) => MetricStat !== undefined).length;
}

/** Lines of one item, summed over its resources. */
export function standingLines(resources: readonly Resource[]): readonly Line[] {
  const lines = resources.flatMap((resource) => pricings[resource.Type]?.(resource) ?? []);
  const items = Map.groupBy(lines, ({ group, item, price }) => `${group}/${item}/${price.unit}`);
  return [...items.values()].map((same) => {
    const { group, item, price } = same[0]!;
    const quantity = same.reduce((sum, each) => sum + each.quantity, 0);
    return line(group, item, quantity, price);
  });
}

/** Types of which this command does not know whether they cost anything. */
export function unknownTypes(resources: readonly Resource[]): readonly string[] {
  const known = (type: string): boolean =>
    type in pricings || withoutStandingPrice.includes(type) || type.startsWith("Custom::");
  return [...new Set(resources.map(({ Type }) => Type))].filter((type) => !known(type)).toSorted();
}
