/**
 * Which of a task's inputs is read next (design, section 4, rule 1). Inputs are read side by side in event time: the
 * one that has come least far first, and none far ahead of the others, since what it brings would only wait in the
 * state until they have come as far.
 */

export interface InputProgress {
  /** Whether records of it wait to be applied. */
  readonly waiting: boolean;
  /** The latest event time seen of it; minus infinity before its first event. Null: a table, which has no time. */
  readonly eventTimeMs: number | null;
  /** An idle input holds nobody back. */
  readonly idle: boolean;
}

/**
 * The input to read next; undefined where nothing waits, or what waits is more than `maxInputSkewMs` ahead of an input
 * that is silent and not known to be idle. It goes on when that has a record, or was silent for its idle timeout.
 */
export function nextInput(inputs: readonly InputProgress[], maxInputSkewMs: number): number | undefined {
  let next: number | undefined;
  let [nextMs, slowestMs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (const [input, progress] of inputs.entries()) {
    const cameToMs = knownTime(progress);
    if (!progress.idle && progress.eventTimeMs !== null && cameToMs < slowestMs) slowestMs = cameToMs;
    if (progress.waiting && cameToMs < nextMs) [next, nextMs] = [input, cameToMs];
  }
  return nextMs === Number.NEGATIVE_INFINITY || nextMs - slowestMs <= maxInputSkewMs ? next : undefined;
}

/** A table has no time, and an idle input will have another with its next record: what waits of them comes first. */
const knownTime = ({ eventTimeMs, idle }: InputProgress): number =>
  idle || eventTimeMs === null ? Number.NEGATIVE_INFINITY : eventTimeMs;
