/** What a pipeline's definition amounts to: what it reads, keeps and writes, and what all of that is called. */
import { consumerGroup, transactionalId } from "../../contracts/environment.ts";
import type { ResultSchema } from "../../contracts/result-schema.ts";
import {
  DEAD_LETTERS_TOPIC,
  FORWARDED_RETENTION_MS,
  lateTopic,
  type Priority,
  REJECTED_RETENTION_MS,
  RESULTS_RETENTION_MS,
  resultsTopic,
  type TopicDefinition,
  topics,
} from "../../contracts/topics.ts";
import { CorrelateDefinition } from "../../processors/engine/operators/correlate/correlate-definition.ts";
import type { OperatorDefinition } from "../../processors/engine/operators/operator.ts";
import {
  type InputDefinition,
  type PipelineDefinition,
  seriesOf,
  stagesOf,
} from "../../processors/engine/pipeline/definition.ts";
import type { Enrichment } from "../../processors/engine/pipeline/enrichment.ts";
import type { SectionSchema } from "../../processors/engine/state/section.ts";

/** Stand for what only a deployment or a task knows. */
const ENVIRONMENT = "<environment>";
const PARTITION = "<partition>";

export interface Topology {
  readonly pipeline: string;
  readonly service: string;
  /** In the order in which records pass through them; the last is the pipeline itself. */
  readonly stages: readonly StageTopology[];
}

/** To the worker a stage is a pipeline of its own. */
export interface StageTopology {
  readonly stage: string;
  readonly consumerGroup: string;
  readonly transactionalId: string;
  readonly checkpoint: string;
  /** What a task may hold before an event that needs more is dead: rows and the like, and ids for dedupe. */
  readonly maxEntriesPerTask: number;
  readonly maxIdsPerTask: number;
  readonly inputs: readonly InputTopology[];
  readonly operators: readonly OperatorTopology[];
  readonly writes: readonly WrittenTopic[];
}

export interface InputTopology extends TopicTopology {
  readonly role: InputDefinition["role"];
  readonly outOfOrderMs: number;
  readonly idleTimeoutMs: number | null;
  /** How long identities are kept, by event time; null: no dedupe. */
  readonly dedupeHorizonMs: number | null;
  /**
   * The key function's source text; null where the stage takes a record in whatever partition it is, and of a table,
   * whose rows are found by their Kafka keys.
   */
  readonly key: string | null;
  /** The service that is asked about each event. */
  readonly enrich: EnrichTopology | null;
}

export type EnrichTopology = Omit<Enrichment, "question" | "ask" | "combine" | "after">;

export interface TopicTopology {
  readonly topic: string;
  /** Null where the topic is not known: contracts/topics.ts does not list it, and no stage writes it. */
  readonly partitions: number | null;
  readonly retentionMs: number | null;
  /** Whether the newest record of each key stays for ever. */
  readonly compacted: boolean;
  /** Of a topic that events arrive on. */
  readonly priority: Priority | null;
}

export interface OperatorTopology extends Pick<SectionSchema, "kind" | "settings" | "aggregates"> {
  readonly series: string;
  /** How long after an event, by event time, its state is kept; null: for as long as the pipeline runs. */
  readonly stateKeptMs: number | null;
  /** JSON Schema of its results; null: the pipeline states none. */
  readonly results: ResultSchema | null;
}

export interface WrittenTopic {
  readonly topic: string;
  readonly content: "results" | "elements under their new key" | "late events" | "dead letters";
  readonly retentionMs: number;
}

export function topologyOf(definition: PipelineDefinition): Topology {
  const { name, service } = definition;
  return { pipeline: name, service, stages: stagesOf(definition).map(stageTopology) };
}

function stageTopology(stage: PipelineDefinition): StageTopology {
  const { name, maxEntriesPerTask, maxIdsPerTask, inputs, operators, resultSchemas } = stage;
  return {
    stage: name,
    consumerGroup: consumerGroup(ENVIRONMENT, name),
    transactionalId: transactionalId(ENVIRONMENT, name, 0).replace(/0$/, PARTITION),
    checkpoint: `${ENVIRONMENT}/${name}/${PARTITION}/<epoch>-<number>-<random>`,
    maxEntriesPerTask,
    maxIdsPerTask,
    inputs: inputs.map((input) => inputTopology(stage, input)),
    operators: operators.map((operator) => operatorTopology(operator, resultSchemas)),
    writes: writtenTopics(stage),
  };
}

function inputTopology(stage: PipelineDefinition, input: InputDefinition): InputTopology {
  const { role, outOfOrderMs, idleTimeoutMs, dedupeHorizonMs, key, enrich } = input;
  return {
    ...topicTopology(stage, input.topic),
    role,
    outOfOrderMs,
    idleTimeoutMs,
    dedupeHorizonMs,
    key: stage.forwards === null && role !== "table" ? key.toString().replaceAll(/\s+/g, " ") : null,
    enrich: enrich && enrichTopology(enrich),
  };
}

function enrichTopology({ question, ask, combine, after, ...topology }: Enrichment): EnrichTopology {
  return topology;
}

function topicTopology({ upstream }: PipelineDefinition, topic: string): TopicTopology {
  const writer = upstream.find(({ forwards }) => forwards?.topic === topic);
  if (writer !== undefined) {
    const partitions = writer.forwards?.partitions ?? partitionsOf(writer);
    return { topic, partitions, retentionMs: FORWARDED_RETENTION_MS, compacted: false, priority: null };
  }
  const known: TopicDefinition | undefined = (topics as Readonly<Record<string, TopicDefinition>>)[topic];
  const { partitions = null, retentionMs = null, compacted = false, priority = null } = known ?? {};
  return { topic, partitions, retentionMs, compacted, priority };
}

const partitionsOf = (stage: PipelineDefinition): number | null =>
  stage.inputs.length === 0 ? null : topicTopology(stage, stage.inputs[0]!.topic).partitions;

function operatorTopology(
  operator: OperatorDefinition,
  resultSchemas: PipelineDefinition["resultSchemas"],
): OperatorTopology {
  const { series, schema, horizonMs } = operator;
  return {
    series,
    kind: schema.kind,
    settings: { ...schema.settings, ...settingsBesideSchema(operator) },
    aggregates: schema.aggregates,
    stateKeptMs: Number.isFinite(horizonMs) ? horizonMs : null,
    results: resultSchemas.get(series) ?? null,
  };
}

/** What may change while the state stays is no part of the state's schema, and is told all the same. */
const settingsBesideSchema = (operator: OperatorDefinition): OperatorTopology["settings"] =>
  operator instanceof CorrelateDefinition ? { onMissing: operator.settings.onMissing } : {};

function writtenTopics(stage: PipelineDefinition): readonly WrittenTopic[] {
  return [
    ...outputTopics(stage),
    { topic: lateTopic(stage.name), content: "late events", retentionMs: REJECTED_RETENTION_MS },
    { topic: DEAD_LETTERS_TOPIC, content: "dead letters", retentionMs: REJECTED_RETENTION_MS },
  ];
}

function outputTopics(stage: PipelineDefinition): readonly WrittenTopic[] {
  const { forwards } = stage;
  if (forwards !== null) {
    const content = "elements under their new key";
    return [{ topic: forwards.topic, content, retentionMs: FORWARDED_RETENTION_MS }];
  }
  return seriesOf(stage).map((series) => ({
    topic: resultsTopic(series),
    content: "results",
    retentionMs: RESULTS_RETENTION_MS,
  }));
}
