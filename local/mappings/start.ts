import type { KinesisClient } from "@aws-sdk/client-kinesis";
import type { S3Client } from "@aws-sdk/client-s3";
import type { SQSClient } from "@aws-sdk/client-sqs";
import { objectOf, textOf } from "../assembly/json.ts";
import type { Resource } from "../assembly/load.ts";
import type { LambdaFunction } from "../functions/function.ts";
import { displayNames, type Plan } from "../plan/plan.ts";
import { type SendToDestination, toBucket, toQueue } from "./destination.ts";
import { EventSourceMapping } from "./event-source-mapping.ts";
import { KafkaPoller } from "./kafka-poller.ts";
import { KinesisPoller, type KinesisPollerOptions } from "./kinesis-poller.ts";
import { type MappingSettings, mappingSettings, type Poller, type PollerOptions } from "./mapping.ts";
import { SqsPoller } from "./sqs-poller.ts";

export interface MappingSources {
  readonly plan: Plan;
  readonly functions: ReadonlyMap<Resource, LambdaFunction>;
  readonly bootstrapServers: string;
  readonly sqs: SQSClient;
  readonly s3: S3Client;
  readonly kinesis: KinesisClient;
  /** How long it takes until a mapping is enabled or disabled. */
  readonly changeMs: number;
  readonly warn: (line: string) => void;
}

/** Every event source mapping; one of a source or function that is not run here is named in `warn`, and does nothing. */
export function makeMappings(sources: MappingSources): ReadonlyMap<string, EventSourceMapping> {
  const resources = sources.plan.resources("AWS::Lambda::EventSourceMapping");
  const labels = displayNames(resources);
  return new Map(
    resources.map((resource) => {
      const name = labels.get(resource)!;
      return [name, makeMapping(sources, resource, name)];
    }),
  );
}

function makeMapping(sources: MappingSources, resource: Resource, name: string): EventSourceMapping {
  const { plan, functions, changeMs, warn } = sources;
  const properties = plan.resolver.properties(resource);
  const settings = mappingSettings(properties);
  const lambda = plan.need(resource, functionOf(textOf(properties.FunctionName)), "AWS::Lambda::Function");
  const target = functions.get(lambda);
  if (target === undefined) {
    warn(`${name}: its function is not run locally, so that nothing reads ${settings.sourceArn}.`);
  }
  return new EventSourceMapping({
    uuid: plan.identities.name(resource),
    sourceArn: settings.sourceArn,
    functionArn: plan.identities.arn(lambda),
    batchSize: settings.batchSize,
    enabled: settings.enabled,
    makePoller:
      target && pollerOf(sources, resource, { name, region: plan.assembly.region, settings, target, warn }),
    changeMs,
    warn,
  });
}

/** What makes the mapping's poller, each of which begins where the one before it ended. */
function pollerOf(
  sources: MappingSources,
  resource: Resource,
  options: PollerOptions,
): (() => Poller) | undefined {
  const { plan } = sources;
  const { name, settings, warn } = options;
  const properties = plan.resolver.properties(resource);
  if (objectOf(properties.FilterCriteria).Filters !== undefined) {
    warn(`${name}: its filter is not applied locally; the function gets every record.`);
  }
  for (const property of ["TumblingWindowInSeconds", "ParallelizationFactor"]) {
    if (Number(properties[property] ?? 0) > 1) warn(`${name}: its ${property} has no effect locally.`);
  }
  switch (settings.sourceArn.split(":")[2]) {
    case "kafka":
      if (settings.onFailureArn !== undefined) {
        warn(`${name}: its on-failure destination is not used locally; failed batches are retried for ever.`);
      }
      return () => new KafkaPoller({ ...options, bootstrapServers: sources.bootstrapServers });
    case "sqs": {
      const queue = plan.need(resource, settings.sourceArn, "AWS::SQS::Queue");
      return () => new SqsPoller({ ...options, client: sources.sqs, queueUrl: queueUrl(plan, queue) });
    }
    case "kinesis": {
      const stream = plan.need(resource, settings.sourceArn, "AWS::Kinesis::Stream");
      const kinesisOptions: KinesisPollerOptions = {
        ...options,
        client: sources.kinesis,
        streamName: plan.identities.name(stream),
        onFailure: destination(sources, name, settings),
        positions: new Map(),
      };
      return () => new KinesisPoller(kinesisOptions);
    }
    default:
      warn(`${name}: ${settings.sourceArn} is no source that runs locally.`);
      return undefined;
  }
}

function destination(
  { plan, sqs, s3, warn }: MappingSources,
  name: string,
  { onFailureArn }: MappingSettings,
): SendToDestination | undefined {
  if (onFailureArn === undefined) return undefined;
  const queue = plan.find(onFailureArn, "AWS::SQS::Queue");
  if (queue !== undefined) return toQueue(sqs, queueUrl(plan, queue));
  const bucket = plan.find(onFailureArn, "AWS::S3::Bucket");
  if (bucket !== undefined) return toBucket(s3, plan.identities.name(bucket), name);
  warn(
    `${name}: the destination ${onFailureArn} is no queue or bucket of this assembly; discarded records go nowhere.`,
  );
  return undefined;
}

const queueUrl = (plan: Plan, queue: Resource): string => textOf(plan.identities.identify(queue)) ?? "";

/** A mapping names its function by name or ARN, or by an ARN with a version or alias. */
const functionOf = (name: string | undefined): string | undefined =>
  name?.startsWith("arn:") ? name.split(":").slice(0, 7).join(":") : name;
