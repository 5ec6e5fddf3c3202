/** What a pipeline's definition amounts to: what it reads, keeps and writes, and what all of that is called. */
import { consumerGroup, transactionalId } from "../../contracts/environment.ts";
import {
  DEAD_LETTERS_TOPIC,
  lateTopic,
  type Priority,
  REJECTED_RETENTION_MS,
  RESULTS_RETENTION_MS,
  resultsTopic,
  type TopicDefinition,
  topics,
} from "../../contracts/topics.ts";
import type { OperatorDefinition } from "../../processors/engine/operators/operator.ts";
import type { InputDefinition, PipelineDefinition } from "../../processors/engine/pipeline/definition.ts";
import { seriesOf } from "../../processors/engine/pipeline/definition.ts";
import type { SectionSchema } from "../../processors/engine/state/section.ts";

/** Stands for the environment's name in those of groups, transactions and checkpoints. */
const ENVIRONMENT = "<environment>";

export interface Topology {
  readonly pipeline: string;
  readonly service: string;
  readonly consumerGroup: string;
  /** Of the task of partition n, which stands there as `<partition>`. */
  readonly transactionalId: string;
  readonly checkpoint: string;
  readonly inputs: readonly InputTopology[];
  readonly operators: readonly OperatorTopology[];
  readonly writes: readonly WrittenTopic[];
}

export interface InputTopology {
  readonly topic: string;
  /** Null, like the next two, where contracts/topics.ts does not list the topic. */
  readonly partitions: number | null;
  readonly priority: Priority | null;
  readonly retentionMs: number | null;
  readonly outOfOrderMs: number;
  readonly idleTimeoutMs: number | null;
  /** How long identities are kept, by event time; null: no dedupe. */
  readonly dedupeHorizonMs: number | null;
  /** The key function's source text. */
  readonly key: string;
}

export interface OperatorTopology extends Pick<SectionSchema, "kind" | "settings" | "aggregates"> {
  readonly series: string;
  /** How long after an event, by event time, its state is kept; null: for as long as the pipeline runs. */
  readonly stateKeptMs: number | null;
}

export interface WrittenTopic {
  readonly topic: string;
  readonly content: "results" | "late events" | "dead letters";
  readonly retentionMs: number;
}

export function topologyOf(definition: PipelineDefinition): Topology {
  const { name, service, inputs, operators } = definition;
  const partition = "<partition>";
  return {
    pipeline: name,
    service,
    consumerGroup: consumerGroup(ENVIRONMENT, name),
    transactionalId: transactionalId(ENVIRONMENT, name, 0).replace(/0$/, partition),
    checkpoint: `${ENVIRONMENT}/${name}/${partition}/<epoch>-<number>-<random>`,
    inputs: inputs.map(inputTopology),
    operators: operators.map(operatorTopology),
    writes: writtenTopics(definition),
  };
}

function inputTopology(input: InputDefinition): InputTopology {
  const known: TopicDefinition | undefined = (topics as Readonly<Record<string, TopicDefinition>>)[
    input.topic
  ];
  return {
    topic: input.topic,
    partitions: known?.partitions ?? null,
    priority: known?.priority ?? null,
    retentionMs: known?.retentionMs ?? null,
    outOfOrderMs: input.outOfOrderMs,
    idleTimeoutMs: input.idleTimeoutMs,
    dedupeHorizonMs: input.dedupeHorizonMs,
    key: input.key.toString().replaceAll(/\s+/g, " "),
  };
}

function operatorTopology({ series, schema, horizonMs }: OperatorDefinition): OperatorTopology {
  const { kind, settings, aggregates } = schema;
  return { series, kind, settings, aggregates, stateKeptMs: Number.isFinite(horizonMs) ? horizonMs : null };
}

function writtenTopics(definition: PipelineDefinition): readonly WrittenTopic[] {
  return [
    ...seriesOf(definition).map((series) => ({
      topic: resultsTopic(series),
      content: "results" as const,
      retentionMs: RESULTS_RETENTION_MS,
    })),
    { topic: lateTopic(definition.name), content: "late events", retentionMs: REJECTED_RETENTION_MS },
    { topic: DEAD_LETTERS_TOPIC, content: "dead letters", retentionMs: REJECTED_RETENTION_MS },
  ];
}
