/** Every topic of the platform, derived from the catalogue's topics and the pipelines. */
import { maxEnvelopeMessageBytes, maxMessageBytes } from "../../contracts/limits.ts";
import {
  DEAD_LETTERS_PARTITIONS,
  DEAD_LETTERS_TOPIC,
  FORWARDED_RETENTION_MS,
  lateTopic,
  REJECTED_RETENTION_MS,
  RESULTS_RETENTION_MS,
  resultsTopic,
  type TopicDefinition,
  topics,
} from "../../contracts/topics.ts";
import { type DeployedPipeline, seriesOf, stagesOf } from "../processing/pipeline.ts";

export const REPLICATION_FACTOR = 3;
export const MIN_INSYNC_REPLICAS = 2;

export interface DeployedTopic {
  readonly name: string;
  readonly partitions: number;
  /** Kafka's own names and values, in text as Kafka takes them. */
  readonly configs: Readonly<Record<string, string>>;
}

/** A pipeline reads a topic that nothing makes. */
export class UnknownTopicError extends Error {
  override readonly name = "UnknownTopicError";
  readonly code = "UNKNOWN_TOPIC";
}

/** The inputs of a pipeline have different numbers of partitions, so no task could own partition n of each. */
export class UnequalPartitionsError extends Error {
  override readonly name = "UnequalPartitionsError";
  readonly code = "UNEQUAL_PARTITIONS";
}

/** A pipeline looks up a topic that does not keep the newest record of each key. */
export class NotCompactedError extends Error {
  override readonly name = "NotCompactedError";
  readonly code = "NOT_COMPACTED";
}

/**
 * In the order in which a template lists them: catalogue, dead letters, then each pipeline's. Throws
 * {@link UnknownTopicError}, {@link UnequalPartitionsError} or {@link NotCompactedError}.
 */
export function deployedTopics(pipelines: readonly DeployedPipeline[]): readonly DeployedTopic[] {
  // Kept uncompressed whatever a producer sends: kafkajs reads gzip only, so that one batch in another codec would
  // stop every processor, and an inflated one could be a thousand times max.message.bytes.
  const fromCatalogue = Object.entries(topics).map(([name, definition]) =>
    topic(name, definition.partitions, definition.retentionMs, maxMessageBytes, {
      "compression.type": "uncompressed",
      ...cleanupOf(definition),
    }),
  );
  const deadLetters = topic(
    DEAD_LETTERS_TOPIC,
    DEAD_LETTERS_PARTITIONS,
    REJECTED_RETENTION_MS,
    maxEnvelopeMessageBytes,
  );
  return [...fromCatalogue, deadLetters, ...pipelines.flatMap(stagesOf).flatMap(stageTopics)];
}

/** A task that was away for as long as a removal is kept would keep the row. */
function cleanupOf({ compacted = false, retentionMs }: TopicDefinition): Readonly<Record<string, string>> {
  return compacted ? { "cleanup.policy": "compact", "delete.retention.ms": String(retentionMs) } : {};
}

function stageTopics(stage: DeployedPipeline): readonly DeployedTopic[] {
  const partitions = pipelinePartitions(stage);
  return [
    ...outputTopics(stage, partitions),
    topic(lateTopic(stage.name), partitions, REJECTED_RETENTION_MS, maxEnvelopeMessageBytes),
  ];
}

function outputTopics(stage: DeployedPipeline, partitions: number): readonly DeployedTopic[] {
  const { forwards } = stage;
  if (forwards) {
    return [
      topic(forwards.topic, forwards.partitions ?? partitions, FORWARDED_RETENTION_MS, maxMessageBytes),
    ];
  }
  return seriesOf([stage]).map((series) =>
    topic(resultsTopic(series), partitions, RESULTS_RETENTION_MS, maxMessageBytes),
  );
}

/** The number of tasks of a pipeline, or of one stage: a task owns partition n of each input, so all inputs have the same. */
export function pipelinePartitions(pipeline: DeployedPipeline): number {
  requireCompactedTables(pipeline);
  const counts = pipeline.inputs.map(({ topic }) => inputPartitions(topic, pipeline));
  const [first] = counts;
  if (first === undefined || counts.some((count) => count !== first)) {
    const inputs = pipeline.inputs.map(({ topic }, index) => `${topic} ${counts[index]}`).join(", ");
    throw new UnequalPartitionsError(
      `Pipeline ${pipeline.name}: its inputs need one and the same number of partitions (${inputs || "it has none"}). ` +
        "Change contracts/topics.ts or the pipeline's sources.",
    );
  }
  return first;
}

function requireCompactedTables({ name, inputs }: DeployedPipeline): void {
  for (const { topic, role } of inputs) {
    if (role !== "table" || catalogueTopic(topic, name).compacted) continue;
    throw new NotCompactedError(
      `Pipeline ${name} looks up the topic ${topic} as a table, and it forgets records after its retention. ` +
        "Say compacted: true in contracts/topics.ts.",
    );
  }
}

function inputPartitions(topic: string, { name, upstream = [] }: DeployedPipeline): number {
  const writer = upstream.find(({ forwards }) => forwards?.topic === topic);
  if (writer === undefined) return catalogueTopic(topic, name).partitions;
  return writer.forwards?.partitions ?? pipelinePartitions(writer);
}

function catalogueTopic(name: string, pipeline: string): TopicDefinition {
  const definition = (topics as Readonly<Record<string, TopicDefinition>>)[name];
  if (!definition) {
    throw new UnknownTopicError(
      `Pipeline ${pipeline} reads the topic ${name}, which contracts/topics.ts does not list. Add it there.`,
    );
  }
  return definition;
}

function topic(
  name: string,
  partitions: number,
  retentionMs: number,
  maxBytes: number,
  further: Readonly<Record<string, string>> = {},
): DeployedTopic {
  return {
    name,
    partitions,
    configs: {
      "cleanup.policy": "delete",
      "max.message.bytes": String(maxBytes),
      // Arrival, not event time: one event dated far ahead would make Kafka refuse the whole batch it came with.
      "message.timestamp.type": "LogAppendTime",
      "min.insync.replicas": String(MIN_INSYNC_REPLICAS),
      "retention.ms": String(retentionMs),
      "unclean.leader.election.enable": "false",
      ...further,
    },
  };
}
