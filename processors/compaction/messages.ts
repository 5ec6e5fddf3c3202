/** What the main thread and the compaction thread say to each other. */

export interface CompactionRequest {
  readonly id: number;
  /** Name of the pipeline, or of the stage, whose state it is. */
  readonly pipeline: string;
  readonly base: Uint8Array;
  readonly deltas: readonly Uint8Array[];
}

export type CompactionAnswer =
  | { readonly id: number; readonly base: Uint8Array }
  | { readonly id: number; readonly problem: string };
