/** What of an environment's templates decides how its cost grows with the load. */
import { environmentVariables } from "../../contracts/environment.ts";
import { DEAD_LETTERS_TOPIC, lateTopic } from "../../contracts/topics.ts";
import { ofType, type Resource } from "./template.ts";

export interface Shape {
  readonly services: readonly ServiceShape[];
  /** Of pipelines; each has a group of tasks. */
  readonly stages: number;
  /** Of all stages: one for each partition. */
  readonly tasks: number;
  /** Of a task with events; one without makes none. */
  readonly checkpointIntervalMs: number;
  /** Results topics, each of which the sink reads through a mapping of its own. */
  readonly series: number;
  readonly sinkBatchRecords: number;
  readonly sinkWindowSeconds: number;
  /** By the function's logical id's beginning; 0 where there is none. */
  memoryMib(function_: string): number;
  readonly hasCdn: boolean;
  /** Whether processors read from replicas in their own zones. */
  readonly readsStayInZone: boolean;
  /** Whether what leaves the VPC goes through NAT gateways, which are paid by the GB too. */
  readonly hasNatGateway: boolean;
  /** Of the door's requests, those that are recorded as traces: 0 to 1. */
  readonly traceSampleRate: number;
  /** Days that the longest-kept topic of the catalogue keeps its events. */
  readonly retentionDays: number;
  readonly diskGib: number;
}

export interface ServiceShape {
  readonly vcpus: number;
  readonly memoryGb: number;
  readonly desiredCount: number;
  /** Of its tasks, on Fargate Spot: 0 to 1. */
  readonly spotShare: number;
}

const DAY_MS = 86_400_000;

export function shapeOf(resources: readonly Resource[]): Shape {
  const topics = ofType(resources, "AWS::MSK::Topic").map(({ Properties }) => ({
    name: Properties.TopicName as string,
    partitions: Properties.PartitionCount as number,
    retentionMs: Number(JSON.parse(Buffer.from(Properties.Configs, "base64").toString())["retention.ms"]),
  }));
  const late = topics.filter(({ name }) => name.endsWith(lateTopic("")));
  const catalogue = topics.filter(({ name }) => !name.includes(".") && name !== DEAD_LETTERS_TOPIC);
  const functions = ofType(resources, "AWS::Lambda::Function");
  const sink = sinkMappings(resources);
  const cluster = ofType(resources, "AWS::MSK::Cluster")[0]!.Properties;
  return {
    services: ofType(resources, "AWS::ECS::Service").map((service) => serviceShape(service, resources)),
    stages: late.length,
    tasks: late.reduce((sum, { partitions }) => sum + partitions, 0),
    checkpointIntervalMs: Number(containerVariable(resources, environmentVariables.checkpointIntervalMs)),
    series: sink.length,
    sinkBatchRecords: sink[0]!.Properties.BatchSize,
    sinkWindowSeconds: sink[0]!.Properties.MaximumBatchingWindowInSeconds,
    memoryMib: (name) =>
      functions.find(({ logicalId }) => logicalId.startsWith(name))?.Properties.MemorySize ?? 0,
    traceSampleRate: Number(
      functions.find(({ logicalId }) => logicalId.startsWith("Ingest"))?.Properties.Environment.Variables[
        environmentVariables.traceSampleRate
      ] ?? 0,
    ),
    readsStayInZone:
      ofType(resources, "AWS::MSK::Configuration")[0]!.Properties.ServerProperties.includes(
        "RackAwareReplicaSelector",
      ) && containerVariable(resources, environmentVariables.zones) !== undefined,
    hasNatGateway: ofType(resources, "AWS::EC2::NatGateway").length > 0,
    hasCdn: ofType(resources, "AWS::CloudFront::Distribution").length > 0,
    retentionDays: Math.max(...catalogue.map(({ retentionMs }) => retentionMs)) / DAY_MS,
    diskGib: cluster.NumberOfBrokerNodes * cluster.BrokerNodeGroupInfo.StorageInfo.EBSStorageInfo.VolumeSize,
  };
}

const sinkMappings = (resources: readonly Resource[]): readonly Resource[] =>
  ofType(resources, "AWS::Lambda::EventSourceMapping").filter(({ Properties }) =>
    Properties.Topics?.[0]?.endsWith(".results"),
  );

/** As the first of the services has it; all have the environment's. */
const containerVariable = (resources: readonly Resource[], name: string): unknown =>
  ofType(resources, "AWS::ECS::TaskDefinition")[0]!.Properties.ContainerDefinitions[0].Environment.find(
    ({ Name }: { readonly Name: string }) => Name === name,
  )?.Value;

interface CapacityStrategy {
  readonly CapacityProvider: string;
  /** Tasks that it has first of all. */
  readonly Base?: number;
  /** Its share of the others. */
  readonly Weight?: number;
}

function serviceShape({ logicalId, Properties }: Resource, resources: readonly Resource[]): ServiceShape {
  const id = Properties.TaskDefinition.Ref;
  const task = resources.find((each) => each.logicalId === id)!.Properties;
  const desiredCount = Properties.DesiredCount ?? leastTasks(logicalId, resources) ?? 1;
  return {
    vcpus: Number(task.Cpu) / 1024,
    memoryGb: Number(task.Memory) / 1024,
    desiredCount,
    spotShare: spotShare(Properties.CapacityProviderStrategy ?? [], desiredCount),
  };
}

/** Of a service whose tasks are counted by a scaling target. */
const leastTasks = (service: string, resources: readonly Resource[]): number | undefined =>
  ofType(resources, "AWS::ApplicationAutoScaling::ScalableTarget").find(({ Properties }) =>
    JSON.stringify(Properties.ResourceId).includes(`"${service}"`),
  )?.Properties.MinCapacity;

function spotShare(strategies: readonly CapacityStrategy[], tasks: number): number {
  const weight = (of: readonly CapacityStrategy[]) => of.reduce((sum, { Weight = 0 }) => sum + Weight, 0);
  const spot = strategies.filter(({ CapacityProvider }) => CapacityProvider === "FARGATE_SPOT");
  if (weight(spot) === 0 || tasks === 0) return 0;
  const first = strategies.reduce((sum, { Base = 0 }) => sum + Base, 0);
  return (Math.max(0, tasks - first) / tasks) * (weight(spot) / weight(strategies));
}
