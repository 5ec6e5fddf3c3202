/**
 * A sum in two slots, the second for what rounding took from the first (A. Neumaier, "Rundungsfehleranalyse
 * einiger Verfahren zur Summation endlicher Summen", ZAMM 54, 1974). For n values the error is that of one
 * rounding of the exact sum, plus 2^-106 n^2 times the sum of the magnitudes: it does not grow with the sum.
 */
export function addCompensated(row: number[], at: number, value: number): void {
  const before = row[at]!;
  const after = before + value;
  const lost = Math.abs(before) >= Math.abs(value) ? before - after + value : value - after + before;
  row[at] = after;
  row[at + 1]! += lost;
}

/** Adds one such sum to another. */
export function mergeCompensated(into: number[], from: readonly number[], at: number): void {
  addCompensated(into, at, from[at]!);
  into[at + 1]! += from[at + 1]!;
}
