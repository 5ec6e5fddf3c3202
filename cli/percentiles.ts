/** Of latencies, rounded to milliseconds; 0 of none. */
export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

export function percentiles(values: readonly number[]): Percentiles {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.ceil(share * sorted.length) - 1] ?? 0);
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}

export const percentilesText = ({ p50, p95, p99, max }: Percentiles): string =>
  `p50 ${p50} ms, p95 ${p95} ms, p99 ${p99} ms, max ${max} ms`;
