import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { Key } from "aws-cdk-lib/aws-kms";
import { CfnCluster, CfnConfiguration, CfnTopic } from "aws-cdk-lib/aws-msk";
import { AwsCustomResource, AwsCustomResourcePolicy, PhysicalResourceId } from "aws-cdk-lib/custom-resources";
import type { Construct } from "constructs";
import { maxEnvelopeMessageBytes, sessionTimeoutMs } from "../../contracts/limits.ts";
import { acknowledge } from "../acknowledge.ts";
import type { EnvironmentConfig } from "../config/environment.ts";
import type { NetworkStack } from "../network/network-stack.ts";
import type { DeployedPipeline } from "../processing/pipeline.ts";
import { SpillwayStack } from "../spillway-stack.ts";
import { KafkaAccess } from "./kafka-access.ts";
import { type DeployedTopic, deployedTopics, MIN_INSYNC_REPLICAS, REPLICATION_FACTOR } from "./topics.ts";

const DAY_MS = 86_400_000;

export interface TransportStackProps {
  readonly network: NetworkStack;
  readonly pipelines: readonly DeployedPipeline[];
}

/** The Kafka cluster, its topics, and how a client finds it and may use it. */
export class TransportStack extends SpillwayStack {
  readonly clusterArn: string;
  readonly clusterName: string;
  readonly access: KafkaAccess;
  /** Comma-separated `host:port`, where clients sign in with IAM over TLS. */
  readonly bootstrapServers: string;

  constructor(scope: Construct, config: EnvironmentConfig, { network, pipelines }: TransportStackProps) {
    super(scope, "Transport", config);
    this.clusterName = `spillway-${config.name}`;
    const cluster = this.makeCluster(network);
    this.clusterArn = cluster.attrArn;
    this.access = new KafkaAccess(cluster.attrArn);
    for (const topic of deployedTopics(pipelines)) this.makeTopic(cluster, topic);
    this.bootstrapServers = this.lookUpBootstrapServers(cluster);
  }

  private makeCluster(network: NetworkStack): CfnCluster {
    const { kafka } = this.config;
    const key = new Key(this, "KafkaKey", {
      description: `Spillway (${this.config.name}): Kafka's data at rest`,
      enableKeyRotation: true,
      removalPolicy: this.dataRemovalPolicy,
    });
    const configuration = this.makeConfiguration();
    const brokerLogs = this.logGroup(this, "BrokerLogs");
    const cluster = new CfnCluster(this, "Cluster", {
      clusterName: this.clusterName,
      kafkaVersion: kafka.version,
      numberOfBrokerNodes: this.brokerCount,
      brokerNodeGroupInfo: {
        instanceType: kafka.instanceType,
        clientSubnets: network.vpc.privateSubnets.map(({ subnetId }) => subnetId),
        securityGroups: [network.brokers.securityGroupId],
        storageInfo: { ebsStorageInfo: { volumeSize: kafka.volumeGib } },
      },
      configurationInfo: {
        arn: configuration.attrArn,
        revision: configuration.attrLatestRevisionRevision,
      },
      clientAuthentication: { sasl: { iam: { enabled: true } }, unauthenticated: { enabled: false } },
      encryptionInfo: {
        encryptionAtRest: { dataVolumeKmsKeyId: key.keyArn },
        encryptionInTransit: { clientBroker: "TLS", inCluster: true },
      },
      loggingInfo: { brokerLogs: { cloudWatchLogs: { enabled: true, logGroup: brokerLogs.logGroupName } } },
    });
    cluster.applyRemovalPolicy(this.dataRemovalPolicy);
    return cluster;
  }

  get brokerCount(): number {
    return this.config.availabilityZoneCount * this.config.kafka.brokersPerZone;
  }

  /** Topics say all of this for themselves; the cluster says it again for Kafka's own topics and for strays. */
  private makeConfiguration(): CfnConfiguration {
    const properties: Readonly<Record<string, string | number | boolean>> = {
      "auto.create.topics.enable": false,
      "default.replication.factor": REPLICATION_FACTOR,
      // A group that was empty starts with its first member, and not after 3 s: a lone processor that is replaced leaves one.
      "group.initial.rebalance.delay.ms": 0,
      // Kafka's default; with a higher one processors could not join their groups.
      "group.min.session.timeout.ms": sessionTimeoutMs,
      "log.message.timestamp.type": "LogAppendTime",
      "message.max.bytes": maxEnvelopeMessageBytes,
      "min.insync.replicas": MIN_INSYNC_REPLICAS,
      // Kafka's defaults, of which MSK documents nothing; those that it changes depend on the number of zones. With two
      // copies, both in sync, a broker away would stop every transaction.
      "offsets.topic.replication.factor": REPLICATION_FACTOR,
      "transaction.state.log.replication.factor": REPLICATION_FACTOR,
      "transaction.state.log.min.isr": MIN_INSYNC_REPLICAS,
      // Both outlive the daily commit that idle tasks make (design, section 4, rule 8).
      "offsets.retention.minutes": (7 * DAY_MS) / 60_000,
      "transactional.id.expiration.ms": 7 * DAY_MS,
      // A follower must be able to fetch the largest record in one response.
      "replica.fetch.max.bytes": maxEnvelopeMessageBytes,
      // Who says its zone reads from a replica there. MSK sets each broker's rack to its zone's id:
      // https://docs.aws.amazon.com/msk/latest/developerguide/msk-configuration-properties.html
      "replica.selector.class": "org.apache.kafka.common.replica.RackAwareReplicaSelector",
      "unclean.leader.election.enable": false,
    };
    return new CfnConfiguration(this, "Configuration", {
      name: `spillway-${this.config.name}`,
      kafkaVersionsList: [this.config.kafka.version],
      serverProperties: Object.entries(properties)
        .map(([name, value]) => `${name}=${value}\n`)
        .join(""),
    });
  }

  private makeTopic(cluster: CfnCluster, { name, partitions, configs }: DeployedTopic): void {
    const topic = new CfnTopic(this, `Topic-${name}`, {
      clusterArn: cluster.attrArn,
      topicName: name,
      partitionCount: partitions,
      replicationFactor: REPLICATION_FACTOR,
      // Base64, the reference says, and not of what. The acceptance test of Terraform's provider and Pulumi's manual
      // encode a JSON object of strings; AWS's example of describe-topic shows lines of key=value. A deploy will tell.
      configs: Buffer.from(JSON.stringify(configs)).toString("base64"),
    });
    topic.applyRemovalPolicy(this.dataRemovalPolicy);
  }

  /** CloudFormation knows a cluster's ARN but not its brokers' addresses: one call of MSK's API gets them. */
  private lookUpBootstrapServers(cluster: CfnCluster): string {
    const lookup = new AwsCustomResource(this, "BootstrapServers", {
      resourceType: "Custom::KafkaBootstrapServers",
      onUpdate: {
        service: "Kafka",
        action: "getBootstrapBrokers",
        parameters: { ClusterArn: cluster.attrArn },
        outputPaths: ["BootstrapBrokerStringSaslIam"],
        // Another number of brokers is another answer, so it must be asked again.
        physicalResourceId: PhysicalResourceId.of(`bootstrap-of-${this.brokerCount}-brokers`),
      },
      policy: AwsCustomResourcePolicy.fromStatements([
        new PolicyStatement({ actions: ["kafka:GetBootstrapBrokers"], resources: [cluster.attrArn] }),
      ]),
      installLatestAwsSdk: false,
      logGroup: this.logGroup(this, "BootstrapServersLogs"),
    });
    acknowledge(
      this,
      "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]",
      "CDK makes the role of the function that asks; the policy lets it write its log.",
    );
    return lookup.getResponseField("BootstrapBrokerStringSaslIam");
  }
}
