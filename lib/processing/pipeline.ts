/** What the stacks need of a pipeline's definition. */
export interface DeployedPipeline {
  readonly name: string;
  /** The Fargate service that runs it. */
  readonly service: string;
  readonly inputs: readonly { readonly topic: string }[];
}
