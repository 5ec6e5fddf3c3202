import type { Aggregate } from "./aggregate.ts";
import { BucketMapping, DDSketch } from "./dd-sketch.ts";
import { AggregateOptionError, requireWhole } from "./errors.ts";
import { refuseNumber } from "./numbers.ts";

const DEFAULT_RELATIVE_ERROR = 0.01;
const LEAST_RELATIVE_ERROR = 0.0001;
const MOST_RELATIVE_ERROR = 0.5;
const DEFAULT_MAX_BUCKETS = 2_048;
const MOST_BUCKETS = 65_536;

export interface QuantilesOptions {
  /** Which quantiles, each from 0 (the smallest value) to 1 (the largest): `[0.5, 0.99]`. At least one. */
  readonly probabilities: readonly number[];
  /** How far from the true quantile a result may be, as a share of it. 0.0001 to 0.5. Default 0.01: 1 %. */
  readonly relativeError?: number;
  /** Buckets for values above zero, and as many for those below. 1 to 65,536. Default 2,048. */
  readonly maxBuckets?: number;
}

/** By name: `p50` for 0.5, `p99_9` for 0.999. Null where there is no value. */
export type Quantiles = Readonly<Record<string, number | null>>;

/**
 * Quantiles by DDSketch. Each is within `relativeError` of the true one: the value of rank ⌊p × (n - 1)⌋ of the
 * sorted values, counted from 0. Values may be negative; nearer to zero than 2.3e-308 counts as zero. The result
 * names each by its percentage: `{ p50: 12.1, p99: 80.3, p99_9: 140 }`.
 *
 * The error holds for values within a factor of ((1 + e) / (1 - e))^(maxBuckets - 1) of the largest magnitude of
 * their sign, 6 × 10^17 by default (1 µs to 19,000 years). Smaller ones are counted in the lowest bucket, so
 * quantiles that fall there come out too far from zero; the others keep their error.
 *
 * State: 16 bytes for each bucket in use, at most 2 × maxBuckets × 16 bytes: 64 KiB by default. Merging loses
 * nothing. `relativeError` and `maxBuckets` are part of its meaning, `probabilities` may change.
 * @throws AggregateOptionError
 */
export function quantiles<Event>(
  select: (event: Event) => number,
  {
    probabilities,
    relativeError = DEFAULT_RELATIVE_ERROR,
    maxBuckets = DEFAULT_MAX_BUCKETS,
  }: QuantilesOptions,
): Aggregate<Event, Quantiles, number> {
  requireRelativeError(relativeError);
  requireWhole("maxBuckets", maxBuckets, 1, MOST_BUCKETS);
  const names = namesOf(probabilities);
  const mapping = new BucketMapping(relativeError, maxBuckets);
  const sketchOf = (slot: unknown) => (slot as DDSketch | undefined) ?? new DDSketch(mapping);
  return {
    kind: `quantiles(relativeError=${relativeError},maxBuckets=${maxBuckets})`,
    slots: 1,
    select,
    refuse: refuseNumber,
    create: (row, at) => {
      row[at] = undefined;
    },
    add: (row, at, value) => {
      const sketch = sketchOf(row[at]);
      sketch.add(value);
      row[at] = sketch;
    },
    merge: (into, from, at) => {
      if (from[at] === undefined) return;
      const sketch = sketchOf(into[at]);
      sketch.merge(from[at] as DDSketch);
      into[at] = sketch;
    },
    result: (row, at) => {
      const sketch = row[at] as DDSketch | undefined;
      return Object.fromEntries(names.map(([name, p]) => [name, sketch ? sketch.quantile(p) : null]));
    },
    write: (writer, row, at) => sketchOf(row[at]).write(writer),
    read: (reader, row, at) => {
      const sketch = DDSketch.read(reader, mapping);
      row[at] = sketch.count === 0 ? undefined : sketch;
    },
  };
}

function requireRelativeError(value: number): void {
  if (value >= LEAST_RELATIVE_ERROR && value <= MOST_RELATIVE_ERROR) return;
  throw new AggregateOptionError(
    `relativeError is ${value}; it must be from ${LEAST_RELATIVE_ERROR} to ${MOST_RELATIVE_ERROR}`,
  );
}

function namesOf(probabilities: readonly number[]): readonly (readonly [string, number])[] {
  if (probabilities.length === 0) throw new AggregateOptionError("probabilities is empty; name at least one");
  const names = probabilities.map((probability) => [nameOf(probability), probability] as const);
  const twice = names.find(([name], index) => names.findIndex((other) => other[0] === name) !== index);
  if (twice === undefined) return names;
  throw new AggregateOptionError(`probabilities has two that would both be called ${twice[0]}`);
}

function nameOf(probability: number): string {
  if (!(probability >= 0 && probability <= 1)) {
    throw new AggregateOptionError(`probabilities has ${probability}; each must be from 0 to 1`);
  }
  // Rounded, since 0.57 × 100 is 56.99999999999999.
  return `p${String(Number((probability * 100).toPrecision(12))).replace(".", "_")}`;
}
