/**
 * How long to wait before the next attempt: exponential backoff with full jitter. Whoever failed at the same moment
 * comes back spread over the whole delay, not together (M. Brooker, "Exponential Backoff And Jitter", AWS
 * Architecture Blog, 2015).
 */
export interface BackoffOptions {
  /** The longest delay after the first failure; it doubles with each further one. */
  readonly baseMs: number;
  /** What it never exceeds. */
  readonly maxMs: number;
}

/**
 * The delay after `failures` failures in a row, from 1.
 * @param random uniform in [0, 1)
 */
export const fullJitterMs = (
  failures: number,
  { baseMs, maxMs }: BackoffOptions,
  random: () => number,
): number => random() * Math.min(maxMs, baseMs * 2 ** (failures - 1));
