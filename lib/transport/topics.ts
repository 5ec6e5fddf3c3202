/** Every topic of the platform, derived from the catalogue's topics and the pipelines. */
import { maxEnvelopeMessageBytes, maxMessageBytes } from "../../contracts/limits.ts";
import {
  DEAD_LETTERS_PARTITIONS,
  DEAD_LETTERS_TOPIC,
  lateTopic,
  resultsTopic,
  type TopicDefinition,
  topics,
} from "../../contracts/topics.ts";
import { type DeployedPipeline, seriesOf } from "../processing/pipeline.ts";

export const REPLICATION_FACTOR = 3;
export const MIN_INSYNC_REPLICAS = 2;

const DAY_MS = 86_400_000;
/** The sink is seconds behind; a week is what an operator gets to repair it. */
const RESULTS_RETENTION_MS = 7 * DAY_MS;
/** What went wrong waits for a person, who may be on holiday. */
const REJECTED_RETENTION_MS = 14 * DAY_MS;

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

/**
 * In the order in which a template lists them: catalogue, dead letters, then each pipeline's. Throws
 * {@link UnknownTopicError} or {@link UnequalPartitionsError}.
 */
export function deployedTopics(pipelines: readonly DeployedPipeline[]): readonly DeployedTopic[] {
  // Kept uncompressed whatever a producer sends: kafkajs reads gzip only, so that one batch in another codec would
  // stop every processor, and an inflated one could be a thousand times max.message.bytes.
  const fromCatalogue = Object.entries(topics).map(([name, { partitions, retentionMs }]) =>
    topic(name, partitions, retentionMs, maxMessageBytes, { "compression.type": "uncompressed" }),
  );
  const deadLetters = topic(
    DEAD_LETTERS_TOPIC,
    DEAD_LETTERS_PARTITIONS,
    REJECTED_RETENTION_MS,
    maxEnvelopeMessageBytes,
  );
  return [...fromCatalogue, deadLetters, ...pipelines.flatMap(pipelineTopics)];
}

function pipelineTopics(pipeline: DeployedPipeline): readonly DeployedTopic[] {
  const partitions = pipelinePartitions(pipeline);
  return [
    ...seriesOf([pipeline]).map((series) =>
      topic(resultsTopic(series), partitions, RESULTS_RETENTION_MS, maxMessageBytes),
    ),
    topic(lateTopic(pipeline.name), partitions, REJECTED_RETENTION_MS, maxEnvelopeMessageBytes),
  ];
}

/** The number of tasks of a pipeline: a task owns partition n of each input, so all inputs have the same. */
export function pipelinePartitions(pipeline: DeployedPipeline): number {
  const counts = pipeline.inputs.map(({ topic }) => catalogueTopic(topic, pipeline.name).partitions);
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
