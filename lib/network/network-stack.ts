import {
  type CfnSubnet,
  FlowLogDestination,
  GatewayVpcEndpointAwsService,
  IpAddresses,
  Peer,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
} from "aws-cdk-lib/aws-ec2";
import type { Construct } from "constructs";
import type { Zone } from "../../contracts/zones.ts";
import { acknowledge } from "../acknowledge.ts";
import type { EnvironmentConfig } from "../config/environment.ts";
import { SpillwayStack } from "../spillway-stack.ts";
import { NatInstance } from "./nat-instance.ts";

/** Where MSK's brokers take IAM-authenticated TLS connections. */
const KAFKA_IAM_PORT = Port.tcp(9098);
const VPC_CIDR = "10.0.0.0/16";

/**
 * The VPC and who may talk to whom in it. Everything runs in private subnets; the public ones hold the NAT.
 *
 * NAT or interface endpoints: image pulls (ecr.api, ecr.dkr), logs, and the event source mapping's pollers
 * (lambda, sts) need five interface endpoints, at $0.01 an hour each and zone: $36.50 a month in one zone, $109.50
 * in three. One NAT gateway is $32.85, and reaches whatever is added later. Checkpoints, results and image layers
 * are the traffic that would make a NAT dear: S3 and DynamoDB go through gateway endpoints, which are free. An instance
 * instead of the gateway is some $7, and nothing replaces it while it is away: {@link NatInstance}.
 * (us-east-1 list prices.)
 */
export class NetworkStack extends SpillwayStack {
  readonly vpc: Vpc;
  readonly brokers: SecurityGroup;
  readonly ingest: SecurityGroup;
  readonly forward: SecurityGroup;
  readonly sink: SecurityGroup;
  readonly processors: SecurityGroup;
  readonly redrive: SecurityGroup;

  constructor(scope: Construct, config: EnvironmentConfig) {
    super(scope, "Network", config);
    this.vpc = this.makeVpc();
    this.brokers = this.group("BrokersGroup", "Kafka brokers and the pollers of event source mappings");
    this.ingest = this.group("IngestGroup", "Ingest function");
    this.forward = this.group("ForwardGroup", "Forward and door functions");
    this.sink = this.group("SinkGroup", "Sink function");
    this.processors = this.group("ProcessorsGroup", "Stateful processors");
    this.redrive = this.group("RedriveGroup", "Redrive function");
    this.allowKafka();
    this.allowAwsApis();
  }

  /** Those of the brokers, and of everything else. */
  get zones(): readonly Zone[] {
    return this.vpc.privateSubnets.map(({ availabilityZone, node }) => ({
      name: availabilityZone,
      id: (node.defaultChild as CfnSubnet).attrAvailabilityZoneId,
    }));
  }

  private makeVpc(): Vpc {
    const { availabilityZoneCount, natGateways } = this.config;
    const instance = natGateways === "instance" ? new NatInstance() : undefined;
    const vpc = new Vpc(this, "Vpc", {
      ipAddresses: IpAddresses.cidr(VPC_CIDR),
      maxAzs: availabilityZoneCount,
      natGateways: natGateways === "instance" ? 1 : natGateways,
      ...(instance && { natGatewayProvider: instance.provider }),
      subnetConfiguration: [
        { name: "public", subnetType: SubnetType.PUBLIC, cidrMask: 24, mapPublicIpOnLaunch: false },
        { name: "private", subnetType: SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 20 },
      ],
      gatewayEndpoints: {
        S3: { service: GatewayVpcEndpointAwsService.S3 },
        DynamoDB: { service: GatewayVpcEndpointAwsService.DYNAMODB },
      },
    });
    instance?.serve(VPC_CIDR);
    if (this.config.flowLogs) {
      const destination = FlowLogDestination.toCloudWatchLogs(this.logGroup(this, "FlowLogGroup"));
      vpc.addFlowLog("FlowLog", { destination });
    } else {
      acknowledge(vpc, "VPC7", "The environment's configuration does without flow logs.");
    }
    return vpc;
  }

  private group(id: string, description: string): SecurityGroup {
    return new SecurityGroup(this, id, { vpc: this.vpc, description, allowAllOutbound: false });
  }

  private allowKafka(): void {
    const clients = [
      [this.ingest, "the ingest function"],
      [this.forward, "the forward and door functions"],
      [this.sink, "the sink function"],
      [this.processors, "the processors"],
      [this.redrive, "the redrive function"],
      // A mapping's pollers have network interfaces in the brokers' subnets, with the brokers' own group.
      [this.brokers, "event source mappings"],
    ] as const;
    for (const [client, name] of clients) {
      this.brokers.addIngressRule(client, KAFKA_IAM_PORT, `Kafka from ${name}`);
      client.addEgressRule(this.brokers, KAFKA_IAM_PORT, `Kafka for ${name}`);
    }
  }

  private allowAwsApis(): void {
    const callers = [
      [this.brokers, "Lambda and STS for the pollers of event source mappings"],
      [this.ingest, "Kinesis and DynamoDB"],
      [this.forward, "DynamoDB"],
      [this.sink, "DynamoDB and EventBridge"],
      [this.processors, "S3, DynamoDB, ECR and CloudWatch Logs"],
      [this.redrive, "S3 and DynamoDB"],
    ] as const;
    for (const [caller, apis] of callers) {
      caller.addEgressRule(Peer.anyIpv4(), Port.tcp(443), `HTTPS to ${apis}`);
    }
  }
}
