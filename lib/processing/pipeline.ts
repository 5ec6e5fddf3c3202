import type { Access } from "../../contracts/served-series.ts";
import { type Priority, type TopicName, topics } from "../../contracts/topics.ts";

export interface DeployedInput {
  readonly topic: string;
  /** `table`: its newest records are looked up by key, so it must be compacted. @default "events" */
  readonly role?: "events" | "forwarded" | "table";
  /** The service that is asked about its events. @default none */
  readonly enrich?: { readonly service: string } | null;
}

export interface DeployedOutput {
  readonly series: string;
  /** See ServedSeries in contracts/served-series.ts. @default nobody can tell when a window is closed */
  readonly closedAfterMs?: number | undefined;
}

/** What the stacks need of a pipeline's definition. */
export interface DeployedPipeline {
  readonly name: string;
  /** The Fargate service that runs it. */
  readonly service: string;
  readonly inputs: readonly DeployedInput[];
  /** What its results are called: its name, or a name for each branch. */
  readonly operators: readonly DeployedOutput[];
  /** Who may read its results. @default "private" */
  readonly access?: Access;
  /** Whether each new result is told to others. @default false */
  readonly notify?: boolean;
  /** The stages that feed it under another key. @default none */
  readonly upstream?: readonly DeployedPipeline[];
  /** Past it there is an alarm. @default 10,000 */
  readonly maxBacklogRecordsPerTask?: number;
  /** How its service's number of tasks follows its load. @default {@link defaultScaling} */
  readonly scaling?: ServiceScalingRules;
  /** Of a stage: where its elements go on to, instead of results. @default it ends in results */
  readonly forwards?: ForwardTopic | null;
}

/** See ScalingOptions of the pipeline DSL. */
export interface ServiceScalingRules {
  readonly targetBacklogSeconds: number;
  readonly schedules: readonly {
    readonly name: string;
    readonly cron: string;
    readonly timeZone: string;
    readonly minTasks: number;
  }[];
}

/** As much as a load factor of 1 stands for. */
export const defaultScaling: ServiceScalingRules = { targetBacklogSeconds: 10, schedules: [] };

/** A topic between two stages of a pipeline. */
export interface ForwardTopic {
  readonly topic: string;
  /** Null: as many as the inputs of the stage that writes it have. */
  readonly partitions: number | null;
}

/** The pipeline's stages, each after those that feed it; the last is the pipeline itself. */
export const stagesOf = (pipeline: DeployedPipeline): readonly DeployedPipeline[] => [
  ...(pipeline.upstream ?? []).flatMap(stagesOf),
  pipeline,
];

/** The names of everything that the pipelines write results under. */
export const seriesOf = (pipelines: readonly DeployedPipeline[]): string[] =>
  pipelines.flatMap(({ operators }) => operators.map(({ series }) => series));

/** The topics of the catalogue whose events end up in a pipeline's results. */
export function sourceTopicsOf(pipeline: DeployedPipeline): readonly string[] {
  const read = stagesOf(pipeline).flatMap(({ inputs }) => inputs.map(({ topic }) => topic));
  return [...new Set(read)].filter((topic) => Object.hasOwn(topics, topic));
}

/** Pipelines of different priorities share a service. */
export class MixedPrioritiesError extends Error {
  override readonly name = "MixedPrioritiesError";
  readonly code = "MIXED_PRIORITIES";
}

const RANKS: readonly Priority[] = ["low", "normal", "high"];

/** The highest of the topics whose events a pipeline reads; undefined where it reads none of the catalogue. */
export function priorityOf(pipeline: DeployedPipeline): Priority | undefined {
  const inputs = stagesOf(pipeline).flatMap((stage) => stage.inputs);
  const read = inputs.filter(
    ({ role = "events", topic }) => role === "events" && Object.hasOwn(topics, topic),
  );
  const ranks = read.map(({ topic }) => RANKS.indexOf(topics[topic as TopicName].priority));
  return RANKS[Math.max(...ranks)];
}

/**
 * What is shed of one pipeline's events must not wait with another's that are not, nor have its processes taken by them.
 * @throws MixedPrioritiesError where the pipelines of a service have different priorities
 */
export function requireOnePriority(service: string, pipelines: readonly DeployedPipeline[]): void {
  const priorities = new Set(pipelines.map(priorityOf));
  priorities.delete(undefined);
  if (priorities.size <= 1) return;
  const all = pipelines.map((pipeline) => `${pipeline.name} (${priorityOf(pipeline)})`).join(", ");
  throw new MixedPrioritiesError(
    `The service ${service} runs pipelines of different priorities: ${all}. ` +
      "Give those of each priority a service of their own: pipeline(name, { service }).",
  );
}
