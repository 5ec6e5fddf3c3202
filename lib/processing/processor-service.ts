import { Duration, Size } from "aws-cdk-lib";
import type { Table } from "aws-cdk-lib/aws-dynamodb";
import type { DockerImageAsset } from "aws-cdk-lib/aws-ecr-assets";
import {
  AlarmBehavior,
  AwsLogDriverMode,
  type CapacityProviderStrategy,
  type Cluster,
  ContainerImage,
  CpuArchitecture,
  FargateService,
  FargateTaskDefinition,
  LogDriver,
  OperatingSystemFamily,
  PropagatedTagSource,
} from "aws-cdk-lib/aws-ecs";
import { Construct } from "constructs";
import {
  consumerGroup,
  environmentVariables,
  serviceUrlVariable,
  transactionalId,
} from "../../contracts/environment.ts";
import { DEAD_LETTERS_TOPIC, lateTopic, resultsTopic } from "../../contracts/topics.ts";
import { formatZones } from "../../contracts/zones.ts";
import { acknowledge, acknowledgeAnyResource } from "../acknowledge.ts";
import { grantSignals } from "../control/signals-access.ts";
import type { NetworkStack } from "../network/network-stack.ts";
import { deploymentAlarmNames } from "../observability/alarm-names.ts";
import { allowTraces, traceVariables } from "../observability/traces.ts";
import type { SpillwayStack } from "../spillway-stack.ts";
import { pipelinePartitions } from "../transport/topics.ts";
import type { TransportStack } from "../transport/transport-stack.ts";
import type { CheckpointStorage } from "./checkpoint-storage.ts";
import { type DeployedPipeline, seriesOf, stagesOf } from "./pipeline.ts";
import { HEALTH_CHECK } from "./processor-image.ts";
import { ServiceScaling } from "./service-scaling.ts";

/** From SIGTERM to SIGKILL; the longest that Fargate grants. */
const STOP_TIMEOUT_SECONDS = 120;
/** What the process itself may take of it: it must have left its group before it is killed. */
const OWN_STOP_TIMEOUT_MS = 110_000;
/** More than an hour of what a process with four stages says of itself. */
const LOG_BUFFER = Size.mebibytes(4);

export interface ProcessorServiceProps {
  readonly name: string;
  /** Those of the service's name. */
  readonly pipelines: readonly DeployedPipeline[];
  readonly cluster: Cluster;
  readonly image: DockerImageAsset;
  readonly checkpoints: CheckpointStorage;
  readonly signals: Table;
  readonly network: NetworkStack;
  readonly transport: TransportStack;
}

/** A Fargate service that runs the pipelines of one name; each of its tasks owns some of their partitions. */
export class ProcessorService extends Construct {
  readonly serviceName: string;
  readonly service: FargateService;
  readonly #stack: SpillwayStack;

  constructor(scope: SpillwayStack, id: string, props: ProcessorServiceProps) {
    super(scope, id);
    this.#stack = scope;
    this.serviceName = props.name;
    const taskDefinition = this.makeTaskDefinition(props);
    this.allowKafka(taskDefinition, props);
    allowTraces(scope, taskDefinition.taskRole);
    props.checkpoints.grantUse(taskDefinition.taskRole);
    const stages = props.pipelines.flatMap(stagesOf).map((stage) => stage.name);
    grantSignals(props.signals, taskDefinition.taskRole, stages);
    this.service = new FargateService(this, "Service", {
      cluster: props.cluster,
      taskDefinition,
      // Without a desired count: a deployment must not undo what the scaling has done.
      capacityProviderStrategies: capacityOf(scope.config.processors.spotShare),
      // New tasks join the group before old ones leave it; the group, not ECS, says who owns a partition.
      minHealthyPercent: 100,
      maxHealthyPercent: 200,
      circuitBreaker: { enable: true, rollback: true },
      deploymentAlarms: {
        alarmNames: [...deploymentAlarmNames(scope.config.name, props.pipelines)],
        behavior: AlarmBehavior.ROLLBACK_ON_ALARM,
      },
      assignPublicIp: false,
      vpcSubnets: { subnets: props.network.vpc.privateSubnets },
      securityGroups: [props.network.processors],
      enableExecuteCommand: false,
      propagateTags: PropagatedTagSource.SERVICE,
    });
    // A task that starts before its role may read Kafka would crash, and the breaker would roll the service back.
    this.service.node.addDependency(taskDefinition.taskRole);
    new ServiceScaling(this, "Scaling", scope, { ...props, serviceName: props.name, service: this.service });
  }

  private makeTaskDefinition(props: ProcessorServiceProps): FargateTaskDefinition {
    const { config } = this.#stack;
    const taskDefinition = new FargateTaskDefinition(this, "Task", {
      cpu: config.processors.cpuUnits,
      memoryLimitMiB: config.processors.memoryMib,
      runtimePlatform: {
        cpuArchitecture: CpuArchitecture.ARM64,
        operatingSystemFamily: OperatingSystemFamily.LINUX,
      },
    });
    const logGroup = this.#stack.logGroup(this, "Logs");
    acknowledge(taskDefinition, "ECS2", "Names of resources; no secret is among them.");
    acknowledgeAnyResource(
      taskDefinition.obtainExecutionRole(),
      "A token for the registry (ecr:GetAuthorizationToken) is of no resource.",
    );
    taskDefinition.addContainer("processor", {
      image: ContainerImage.fromDockerImageAsset(props.image),
      essential: true,
      environment: this.environment(props),
      logging: LogDriver.awsLogs({
        logGroup,
        streamPrefix: props.name,
        // Where CloudWatch takes nothing for a while, lines are lost that do not fit, and no task stands still for them.
        mode: AwsLogDriverMode.NON_BLOCKING,
        maxBufferSize: LOG_BUFFER,
      }),
      readonlyRootFilesystem: true,
      stopTimeout: Duration.seconds(STOP_TIMEOUT_SECONDS),
      // The processor ends itself on what it cannot survive; this finds one that hangs, or gets nowhere.
      healthCheck: {
        command: ["CMD", "node", HEALTH_CHECK],
        interval: Duration.seconds(30),
        timeout: Duration.seconds(5),
        retries: 3,
        startPeriod: Duration.seconds(60),
      },
    });
    return taskDefinition;
  }

  private environment(props: ProcessorServiceProps): Record<string, string> {
    const { pipelines, checkpoints, signals, network, transport } = props;
    return {
      ...this.serviceUrls(pipelines),
      ...traceVariables(this.#stack),
      [environmentVariables.environment]: this.#stack.config.name,
      [environmentVariables.bootstrapServers]: transport.bootstrapServers,
      [environmentVariables.checkpointTable]: checkpoints.table.tableName,
      [environmentVariables.checkpointBucket]: checkpoints.bucket.bucketName,
      [environmentVariables.signalsTable]: signals.tableName,
      [environmentVariables.zones]: formatZones(network.zones),
      [environmentVariables.pipelines]: pipelines.map(({ name }) => name).join(","),
      [environmentVariables.checkpointIntervalMs]: String(this.#stack.config.processors.checkpointIntervalMs),
      [environmentVariables.stopTimeoutMs]: String(OWN_STOP_TIMEOUT_MS),
    };
  }

  /** Of the services that its pipelines ask. */
  private serviceUrls(pipelines: readonly DeployedPipeline[]): Record<string, string> {
    const { serviceUrls } = this.#stack.config.processors;
    const inputs = pipelines.flatMap(stagesOf).flatMap((stage) => stage.inputs);
    const asked = new Set(inputs.flatMap(({ enrich }) => enrich?.service ?? []));
    const known = Object.entries(serviceUrls).filter(([service]) => asked.has(service));
    return Object.fromEntries(known.map(([service, url]) => [serviceUrlVariable(service), url]));
  }

  private allowKafka(
    { taskRole }: FargateTaskDefinition,
    { pipelines, transport }: ProcessorServiceProps,
  ): void {
    const { access } = transport;
    const environment = this.#stack.config.name;
    access.connect(taskRole);
    for (const stage of pipelines.flatMap(stagesOf)) {
      const { name, inputs, forwards } = stage;
      access.consume(
        taskRole,
        inputs.map(({ topic }) => topic),
        [consumerGroup(environment, name)],
      );
      const outputs = forwards ? [forwards.topic] : seriesOf([stage]).map(resultsTopic);
      access.write(taskRole, [...outputs, lateTopic(name), DEAD_LETTERS_TOPIC]);
      access.transact(taskRole, transactionalIdPatterns(environment, stage));
    }
  }
}

/** One task on capacity that nobody takes back, unless all may be; the rest in tenths of each kind. */
function capacityOf(spotShare: number): CapacityProviderStrategy[] {
  const [spot, own] = [Math.round(10 * spotShare), 10 - Math.round(10 * spotShare)];
  return [
    ...(own > 0 ? [{ capacityProvider: "FARGATE", base: 1, weight: own }] : []),
    ...(spot > 0 ? [{ capacityProvider: "FARGATE_SPOT", weight: spot }] : []),
  ];
}

/**
 * Patterns that match the transactional ids of a pipeline's tasks and of no other's: one for each number of
 * digits that a partition has. A `*` would also match the pipeline `<name>-<anything>`.
 */
function transactionalIdPatterns(environment: string, pipeline: DeployedPipeline): readonly string[] {
  const prefix = transactionalId(environment, pipeline.name, 0).slice(0, -1);
  const digits = String(pipelinePartitions(pipeline) - 1).length;
  return Array.from({ length: digits }, (_, index) => prefix + "?".repeat(index + 1));
}
