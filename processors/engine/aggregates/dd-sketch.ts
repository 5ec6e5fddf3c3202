/**
 * DDSketch (C. Masson, J. E. Rim, H. K. Lee, "DDSketch: A fast and fully-mergeable quantile sketch with
 * relative-error guarantees", PVLDB 12, 2019): values are counted in buckets that grow by a constant factor, so
 * that a bucket's middle is within a relative error of each value in it. It does not depend on the order of the
 * values, nor on how they were split and merged.
 *
 * Logarithms are V8's own in software (fdlibm), so the same on every machine.
 */
import type { ByteReader, ByteWriter } from "../state/bytes.ts";

/** Below it (2^-1022) float64s lose digits; nearer to zero counts as zero. */
const LEAST_MAGNITUDE = 2.2250738585072014e-308;

export class BucketMapping {
  readonly #logGamma: number;
  readonly #gamma: number;
  readonly maxBuckets: number;

  /** @param maxBuckets for each sign */
  constructor(relativeError: number, maxBuckets: number) {
    this.#gamma = (1 + relativeError) / (1 - relativeError);
    this.#logGamma = Math.log(this.#gamma);
    this.maxBuckets = maxBuckets;
  }

  /** The bucket of a magnitude in (γ^(i-1), γ^i] is i. */
  bucketOf(magnitude: number): number {
    return Math.ceil(Math.log(magnitude) / this.#logGamma);
  }

  /** The value that is as far, relatively, from both ends of the bucket: 2γ^i / (γ + 1). */
  middleOf(bucket: number): number {
    return Math.exp(bucket * this.#logGamma) * (2 / (this.#gamma + 1));
  }
}

export class DDSketch {
  readonly #mapping: BucketMapping;
  readonly #negative: Buckets;
  readonly #positive: Buckets;
  #zeros = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;

  constructor(mapping: BucketMapping) {
    this.#mapping = mapping;
    this.#negative = new Buckets(mapping.maxBuckets);
    this.#positive = new Buckets(mapping.maxBuckets);
  }

  get count(): number {
    return this.#zeros + this.#negative.total + this.#positive.total;
  }

  add(value: number): void {
    if (value >= LEAST_MAGNITUDE) this.#positive.add(this.#mapping.bucketOf(value), 1);
    else if (value <= -LEAST_MAGNITUDE) this.#negative.add(this.#mapping.bucketOf(-value), 1);
    else this.#zeros += 1;
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
  }

  merge(from: DDSketch): void {
    this.#positive.merge(from.#positive);
    this.#negative.merge(from.#negative);
    this.#zeros += from.#zeros;
    this.#min = Math.min(this.#min, from.#min);
    this.#max = Math.max(this.#max, from.#max);
  }

  /**
   * About the value of rank ⌊probability × (count - 1)⌋, counted from 0: the paper's lower quantile. The smallest
   * and the largest are exact. There must be a value.
   */
  quantile(probability: number): number {
    const rank = Math.floor(probability * (this.count - 1));
    const value = this.#valueAt(rank);
    // No estimate is better for being beyond the ends; the middle of the last bucket may even be infinite.
    return Math.min(Math.max(value, this.#min), this.#max);
  }

  #valueAt(rank: number): number {
    const { total } = this.#negative;
    if (rank === 0) return this.#min;
    if (rank === this.count - 1) return this.#max;
    if (rank < total) return -this.#mapping.middleOf(this.#negative.bucketAt(total - 1 - rank));
    if (rank < total + this.#zeros) return 0;
    return this.#mapping.middleOf(this.#positive.bucketAt(rank - total - this.#zeros));
  }

  write(writer: ByteWriter): void {
    writer.varint(this.#zeros);
    writer.float64(this.#min);
    writer.float64(this.#max);
    this.#negative.write(writer);
    this.#positive.write(writer);
  }

  static read(reader: ByteReader, mapping: BucketMapping): DDSketch {
    const sketch = new DDSketch(mapping);
    sketch.#zeros = reader.varint();
    sketch.#min = reader.float64();
    sketch.#max = reader.float64();
    sketch.#negative.read(reader);
    sketch.#positive.read(reader);
    return sketch;
  }
}

/**
 * Counts by bucket, only those that are not 0, in order. They span at most `maxBuckets`: whatever is lower than
 * that below the highest is counted in the lowest. The highest only rises, so the order of additions is no matter.
 */
class Buckets {
  readonly #maxBuckets: number;
  readonly #buckets: number[] = [];
  readonly #counts: number[] = [];
  total = 0;

  constructor(maxBuckets: number) {
    this.#maxBuckets = maxBuckets;
  }

  add(bucket: number, count: number): void {
    this.total += count;
    const highest = this.#buckets.at(-1);
    if (highest === undefined || bucket > highest) {
      this.#buckets.push(bucket);
      this.#counts.push(count);
      this.#collapse(bucket - this.#maxBuckets + 1);
    } else {
      this.#addBelow(Math.max(bucket, highest - this.#maxBuckets + 1), count);
    }
  }

  #addBelow(bucket: number, count: number): void {
    const at = this.#lowerBound(bucket);
    if (this.#buckets[at] === bucket) {
      this.#counts[at]! += count;
    } else {
      this.#buckets.splice(at, 0, bucket);
      this.#counts.splice(at, 0, count);
    }
  }

  #collapse(lowest: number): void {
    if (this.#buckets[0]! >= lowest) return;
    const below = this.#lowerBound(lowest);
    const count = this.#counts.splice(0, below).reduce((sum, each) => sum + each, 0);
    this.#buckets.splice(0, below);
    this.#addBelow(lowest, count);
  }

  merge(from: Buckets): void {
    for (let i = 0; i < from.#buckets.length; i++) this.add(from.#buckets[i]!, from.#counts[i]!);
  }

  /** The bucket of the value of this rank, counted from 0 at the lowest. */
  bucketAt(rank: number): number {
    let at = 0;
    for (let below = this.#counts[0]!; below <= rank; below += this.#counts[at]!) at += 1;
    return this.#buckets[at]!;
  }

  write(writer: ByteWriter): void {
    writer.varint(this.#buckets.length);
    let before = this.#buckets[0] ?? 0;
    writer.float64(before);
    this.#buckets.forEach((bucket, i) => {
      writer.varint(bucket - before);
      writer.varint(this.#counts[i]!);
      before = bucket;
    });
  }

  read(reader: ByteReader): void {
    let left = reader.varint();
    for (let bucket = reader.float64(); left > 0; left--) {
      bucket += reader.varint();
      this.add(bucket, reader.varint());
    }
  }

  /** Index of the first bucket that is not below `bucket`. */
  #lowerBound(bucket: number): number {
    let low = 0;
    let high = this.#buckets.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#buckets[middle]! < bucket) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
