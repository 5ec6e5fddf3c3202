/** What the stacks need of a pipeline's definition. */
export interface DeployedPipeline {
  readonly name: string;
  /** The Fargate service that runs it. */
  readonly service: string;
  readonly inputs: readonly { readonly topic: string }[];
  /** What its results are called: its name, or a name for each branch. */
  readonly operators: readonly { readonly series: string }[];
}

/** The names of everything that the pipelines write results under. */
export const seriesOf = (pipelines: readonly DeployedPipeline[]): string[] =>
  pipelines.flatMap(({ operators }) => operators.map(({ series }) => series));
