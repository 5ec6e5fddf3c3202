/** Percentiles of what was measured. */

/** The smallest value that at least the share of all do not exceed; null of none. */
export function percentile(values: readonly number[], share: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null;
}

/**
 * How long at most an event that comes at any moment has to wait for the end of a pause, for the share of all moments. A
 * pause of d ms makes the moments in it wait for up to d, so that longer pauses count for more than their number; a mere
 * percentile of pauses, or of turns, would leave out those who wait (https://hdrhistogram.github.io/HdrHistogram/, on
 * coordinated omission).
 * @param pausesMs lengths of the pauses
 * @param spanMs of the time in which they were
 */
export function waitAt(pausesMs: readonly number[], spanMs: number, share: number): number {
  const budgetMs = spanMs * (1 - share);
  const sorted = pausesMs.toSorted((a, b) => b - a);
  let [longerMs, count] = [0, 0];
  for (const pauseMs of sorted) {
    // Moments that wait for longer than this pause lie in the longer ones, and leave so much of each.
    if (longerMs - count * pauseMs >= budgetMs) break;
    longerMs += pauseMs;
    count += 1;
  }
  return Math.max(0, count === 0 ? 0 : (longerMs - budgetMs) / count);
}
