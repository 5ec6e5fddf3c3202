/** How the watermarks of a task's inputs become one (design, section 4, rules 1 and 3). */
import type { InputState } from "../state/input-state.ts";

/**
 * The smallest watermark of the inputs that are not idle. Where all are idle, the smallest of those that ever had a
 * record: the clock moves each of them on.
 */
export function combinedWatermark(inputs: readonly InputState[]): number {
  if (inputs.length === 1) return inputs[0]!.watermarkMs;
  const awake = inputs.filter(({ idle }) => !idle);
  const counting =
    awake.length > 0 ? awake : inputs.filter(({ watermarkMs }) => Number.isFinite(watermarkMs));
  return counting.reduce(
    (least, { watermarkMs }) => Math.min(least, watermarkMs),
    counting.length === 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY,
  );
}
