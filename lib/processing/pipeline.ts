export interface DeployedInput {
  readonly topic: string;
  /** `table`: its newest records are looked up by key, so it must be compacted. @default "events" */
  readonly role?: "events" | "forwarded" | "table";
  /** The service that is asked about its events. @default none */
  readonly enrich?: { readonly service: string } | null;
}

/** What the stacks need of a pipeline's definition. */
export interface DeployedPipeline {
  readonly name: string;
  /** The Fargate service that runs it. */
  readonly service: string;
  readonly inputs: readonly DeployedInput[];
  /** What its results are called: its name, or a name for each branch. */
  readonly operators: readonly { readonly series: string }[];
  /** The stages that feed it under another key. @default none */
  readonly upstream?: readonly DeployedPipeline[];
  /** Of a stage: where its elements go on to, instead of results. @default it ends in results */
  readonly forwards?: ForwardTopic | null;
}

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
