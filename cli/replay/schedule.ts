/** When a replay does what must make no difference: how large batches and slices are, and where checkpoints fall. */
import { Random } from "../chaos/random.ts";

export interface Schedule {
  /** Lines in the next batch, at most. */
  batchLines(): number;
  /** Records and fired rows that a task takes in one go. */
  stepsPerSlice(): number;
  /** Whether a partition makes a checkpoint of its own now: between two records, or inside a firing. */
  checkpointsAlone(): boolean;
}

const STEPS_PER_SLICE = 4_096;

/** Batches of one size. */
export const regular = (batch: number): Schedule => ({
  batchLines: () => batch,
  stepsPerSlice: () => STEPS_PER_SLICE,
  checkpointsAlone: () => false,
});

const MAX_STEPS = 64;
const CHECKPOINTS_ALONE = 0.05;

/** Batches of 1 to `batch` lines in slices of 1 to 64 steps, and now and then a checkpoint; a seed decides. */
export function seeded(batch: number, seed: number): Schedule {
  const random = new Random(seed);
  return {
    batchLines: () => random.between(1, batch),
    stepsPerSlice: () => random.between(1, MAX_STEPS),
    checkpointsAlone: () => random.next() < CHECKPOINTS_ALONE,
  };
}
