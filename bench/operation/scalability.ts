/**
 * The Universal Scalability Law (N. J. Gunther, "A General Theory of Computational Scalability Based on Rational
 * Functions", 2008): n workers do C(n) = n / (1 + σ(n − 1) + κn(n − 1)) times the work of one, where σ is what they wait
 * for each other, and κ what each pays for every other.
 */

export interface Scalability {
  readonly sigma: number;
  readonly kappa: number;
  /** The number of workers beyond which more of them do less; infinite where κ is 0. */
  readonly mostAt: number;
}

export interface Measured {
  readonly workers: number;
  /** Work of all of them, as a multiple of what one alone does. */
  readonly capacity: number;
}

/** Least squares on n/C − 1 = σ(n − 1) + κn(n − 1), neither of them below 0. Needs two points of more than one worker. */
export function fit(measured: readonly Measured[]): Scalability {
  const rows = measured
    .filter(({ workers }) => workers > 1)
    .map(({ workers: n, capacity }) => ({ x: n - 1, y: n * (n - 1), z: n / capacity - 1 }));
  const sum = (of: (row: { x: number; y: number; z: number }) => number): number =>
    rows.reduce((total, row) => total + of(row), 0);
  const [xx, xy, yy] = [sum(({ x }) => x * x), sum(({ x, y }) => x * y), sum(({ y }) => y * y)];
  const [xz, yz] = [sum(({ x, z }) => x * z), sum(({ y, z }) => y * z)];
  const determinant = xx * yy - xy * xy;
  let sigma = (xz * yy - yz * xy) / determinant;
  let kappa = (yz * xx - xz * xy) / determinant;
  if (kappa < 0) [sigma, kappa] = [xz / xx, 0];
  if (sigma < 0) [sigma, kappa] = [0, Math.max(0, yz / yy)];
  return { sigma, kappa, mostAt: kappa === 0 ? Number.POSITIVE_INFINITY : Math.sqrt((1 - sigma) / kappa) };
}

export const capacityAt = ({ sigma, kappa }: Scalability, n: number): number =>
  n / (1 + sigma * (n - 1) + kappa * n * (n - 1));
