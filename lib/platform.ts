import { type App, Tags } from "aws-cdk-lib";
import type { EnvironmentConfig } from "./config/environment.ts";
import { ControlStack } from "./control/control-stack.ts";
import { DeadLettersStack } from "./dead-letters/dead-letters-stack.ts";
import { functionEntries } from "./functions/function-code.ts";
import { IngestionStack } from "./ingestion/ingestion-stack.ts";
import { NetworkStack } from "./network/network-stack.ts";
import { ObservabilityStack } from "./observability/observability-stack.ts";
import type { DeployedPipeline } from "./processing/pipeline.ts";
import { ProcessingStack } from "./processing/processing-stack.ts";
import { PROCESSOR_ENTRY } from "./processing/processor-image.ts";
import { FirewallStack } from "./serving/firewall-stack.ts";
import { ServingStack } from "./serving/serving-stack.ts";
import { TransportStack } from "./transport/transport-stack.ts";

/** Modules to bundle: absolute paths, or ones from the repository's root. */
export type PlatformCode = Readonly<Record<keyof typeof functionEntries | "processor", string>>;

const platformCode: PlatformCode = { ...functionEntries, processor: PROCESSOR_ENTRY };

/** The stacks of an environment. */
export interface Platform {
  readonly network: NetworkStack;
  readonly transport: TransportStack;
  readonly control: ControlStack;
  readonly deadLetters: DeadLettersStack;
  readonly ingestion: IngestionStack;
  readonly processing: ProcessingStack;
  /** Only where the environment's CDN asks for one. */
  readonly firewall: FirewallStack | undefined;
  readonly serving: ServingStack;
  readonly observability: ObservabilityStack;
}

/** Adds the stacks of an environment to the app, for the given pipelines. */
export function addPlatform(
  app: App,
  config: EnvironmentConfig,
  pipelines: readonly DeployedPipeline[],
  code: PlatformCode = platformCode,
): Platform {
  const network = new NetworkStack(app, config);
  const transport = new TransportStack(app, config, { network, pipelines });
  const control = new ControlStack(app, config);
  const shared = { network, transport, signals: control.signals, pipelines };
  const deadLetters = new DeadLettersStack(app, config, {
    ...shared,
    archiveEntry: code.archive,
    redriveEntry: code.redrive,
  });
  const ingestion = new IngestionStack(app, config, {
    ...shared,
    ingestEntry: code.ingest,
    forwardEntry: code.forward,
    doorEntry: code.door,
    control: control.control,
    deadLetters,
    flowControlEntry: code.flowControl,
  });
  const processing = new ProcessingStack(app, config, { ...shared, entry: code.processor });
  const firewall = addFirewall(app, config);
  const serving = new ServingStack(app, config, {
    ...shared,
    sinkEntry: code.sink,
    queryEntry: code.query,
    webhookEntry: code.webhook,
    deadLetters: deadLetters.queue,
    webAclArn: firewall?.webAclArn,
  });
  const watched = { network, transport, control, deadLetters, ingestion, processing, serving };
  const observability = new ObservabilityStack(app, config, {
    transport,
    pipelines,
    stacks: Object.values(watched),
  });
  tag(app, config);
  return { ...watched, firewall, observability };
}

function addFirewall(app: App, config: EnvironmentConfig): FirewallStack | undefined {
  const { firewall } = config.serving.cdn ?? {};
  return firewall && new FirewallStack(app, config, firewall.maxRequestsPerAddress);
}

function tag(app: App, { name, tags }: EnvironmentConfig): void {
  const values = { application: "spillway", environment: name, owner: tags.owner };
  const all = { ...values, "cost-center": tags.costCenter, "data-classification": tags.dataClassification };
  for (const [key, value] of Object.entries(all)) Tags.of(app).add(key, value);
}
