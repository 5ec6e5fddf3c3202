import type { Table } from "aws-cdk-lib/aws-dynamodb";
import { Cluster } from "aws-cdk-lib/aws-ecs";
import type { Construct } from "constructs";
import { acknowledge } from "../acknowledge.ts";
import type { EnvironmentConfig } from "../config/environment.ts";
import type { NetworkStack } from "../network/network-stack.ts";
import { SpillwayStack } from "../spillway-stack.ts";
import type { TransportStack } from "../transport/transport-stack.ts";
import { CheckpointStorage } from "./checkpoint-storage.ts";
import { type DeployedPipeline, requireOnePriority } from "./pipeline.ts";
import { processorImage } from "./processor-image.ts";
import { ProcessorService } from "./processor-service.ts";

export interface ProcessingStackProps {
  readonly network: NetworkStack;
  readonly transport: TransportStack;
  readonly signals: Table;
  readonly pipelines: readonly DeployedPipeline[];
  /** Module that runs the pipelines which its environment names. */
  readonly entry: string;
}

/** The stateful processors, a service for each name that the pipelines give, and the storage of their checkpoints. */
export class ProcessingStack extends SpillwayStack {
  constructor(scope: Construct, config: EnvironmentConfig, props: ProcessingStackProps) {
    super(scope, "Processing", config);
    const checkpoints = new CheckpointStorage(this, "Checkpoints");
    const cluster = new Cluster(this, "Cluster", {
      vpc: props.network.vpc,
      enableFargateCapacityProviders: true,
    });
    acknowledge(
      cluster,
      "ECS4",
      "The processors say more of themselves than Container Insights would, which is paid by task and metric.",
    );
    const image = processorImage(this, props.entry);
    const services = Map.groupBy(props.pipelines, ({ service }) => service);
    for (const [name, pipelines] of services) {
      requireOnePriority(name, pipelines);
      new ProcessorService(this, `Service-${name}`, {
        ...props,
        name,
        pipelines,
        cluster,
        image,
        checkpoints,
      });
    }
  }
}
