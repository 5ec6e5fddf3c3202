/** How the watermarks of a task's inputs become one (design, section 4, rules 1 and 3). */

/** An input of a task, or a task of the stage upstream. */
export interface WatermarkSource {
  /** Minus infinity before the first event. */
  readonly watermarkMs: number;
  /** An idle source holds nobody back. */
  readonly idle: boolean;
}

/**
 * The smallest watermark of the inputs that are not idle. Where all are idle, the smallest of those that ever had a
 * record: the clock moves each of them on.
 */
export function combinedWatermark(inputs: readonly WatermarkSource[]): number {
  if (inputs.length === 1) return inputs[0]!.watermarkMs;
  const awake = inputs.filter(({ idle }) => !idle);
  const counting =
    awake.length > 0 ? awake : inputs.filter(({ watermarkMs }) => Number.isFinite(watermarkMs));
  return counting.reduce(
    (least, { watermarkMs }) => Math.min(least, watermarkMs),
    counting.length === 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY,
  );
}

/**
 * The watermark that an input's records gave, moved on by as much as has passed since the last one arrived; minus
 * infinity where there was none. It stays where it is while that arrival is not known: format 1 did not keep it.
 */
export function clockWatermark({ recordWatermarkMs, lastArrivalMs }: RecordWatermark, nowMs: number): number {
  const isKnown = Number.isFinite(recordWatermarkMs) && Number.isFinite(lastArrivalMs);
  return isKnown ? recordWatermarkMs + Math.max(0, nowMs - lastArrivalMs) : recordWatermarkMs;
}

interface RecordWatermark {
  readonly recordWatermarkMs: number;
  readonly lastArrivalMs: number;
}
