/** A pipeline as data: what the DSL makes, the engine runs, and the CDK app derives infrastructure from. */
import type { ResultSchema } from "../../../contracts/result-schema.ts";
import type { Access } from "../../../contracts/served-series.ts";
import type { OperatorDefinition } from "../operators/operator.ts";
import type { Enrichment } from "./enrichment.ts";
import type { ScalingRules } from "./scaling.ts";
import type { Source } from "./source.ts";
import type { StartAt } from "./start-at.ts";

/** What holds for a whole pipeline, and so for each of its stages. */
export interface PipelineSettings {
  /** The Fargate service that runs it; pipelines of the same service share its processes. */
  readonly service: string;
  /** Where its inputs of events begin while it has no state. */
  readonly startAt: StartAt;
  /** Rows, keyed states, timers, held events and rows of tables that a task may hold; see StateLimit. */
  readonly maxEntriesPerTask: number;
  /** Ids that a task may remember for dedupe. */
  readonly maxIdsPerTask: number;
  /** Records that may wait for one task before there is an alarm. */
  readonly maxBacklogRecordsPerTask: number;
  /** How its service's number of tasks follows its load. */
  readonly scaling: ScalingRules;
}

/** They and nothing else of what has them. */
export function settingsOf(settings: PipelineSettings): PipelineSettings {
  const { service, startAt, maxEntriesPerTask, maxIdsPerTask, maxBacklogRecordsPerTask, scaling } = settings;
  return { service, startAt, maxEntriesPerTask, maxIdsPerTask, maxBacklogRecordsPerTask, scaling };
}

export interface PipelineDefinition extends PipelineSettings {
  readonly name: string;
  /** Topics it reads. A task owns partition n of each. */
  readonly inputs: readonly InputDefinition[];
  readonly operators: readonly OperatorDefinition[];
  /** What was stated of the results, by the name that they are written under. Nothing is validated with it. */
  readonly resultSchemas: ResultSchemas;
  /** Who may read its results. */
  readonly access: Access;
  /** Whether each new result is told to others. */
  readonly notify: boolean;
  /** The stages that feed its inputs under another key. To the worker each is a pipeline of its own. */
  readonly upstream: readonly PipelineDefinition[];
  /** Of a stage: where its elements go on to. Null: it ends in results. */
  readonly forwards: ForwardTopic | null;
}

/** By the name that results are written under. */
export type ResultSchemas = ReadonlyMap<string, ResultSchema>;

/** A topic between two stages. */
export interface ForwardTopic {
  readonly topic: string;
  /** Null: as many as the inputs of the stage that writes it have. */
  readonly partitions: number | null;
}

/**
 * What an input is to the task. `events`: its events move the watermark. `forwarded`: a stage upstream writes it, and
 * says in watermark records how far it has come. `table`: its records are rows to be looked up; the events wait until
 * it was read to its end.
 */
export type InputRole = "events" | "forwarded" | "table";

export interface InputDefinition {
  readonly role: InputRole;
  readonly topic: string;
  readonly source: Source<unknown>;
  /** The watermark trails the largest event time seen by this much: how late an event may come and be on time. */
  readonly outOfOrderMs: number;
  /** Without a record for this long, at the end of the log, the clock moves the watermark; null: it waits. */
  readonly idleTimeoutMs: number | null;
  /** How long (source, id) pairs are remembered, by event time; null: no dedupe. */
  readonly dedupeHorizonMs: number | null;
  /** What an event becomes before it is grouped, none or several elements of its time; null: itself. */
  readonly transform: Transform | null;
  /** What a service is asked about each of these elements; null: nothing. */
  readonly enrich: Enrichment | null;
  /** An element's key: must hash to the partition that the record is in, but where the stage only forwards it. */
  readonly key: (element: unknown) => string;
}

export type Transform = (event: unknown) => readonly unknown[];

/** The pipeline's stages, each after those that feed it; the last is the pipeline itself. */
export const stagesOf = (definition: PipelineDefinition): PipelineDefinition[] => [
  ...definition.upstream.flatMap(stagesOf),
  definition,
];

/** The names of everything it writes results under. */
export const seriesOf = ({ operators }: PipelineDefinition): string[] =>
  operators.map(({ series }) => series);
