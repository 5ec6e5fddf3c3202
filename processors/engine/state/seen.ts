/**
 * The events a task has seen, for dedupe (design, section 4, rule 13). Ids are kept in buckets of event time and
 * forgotten a bucket at a time. When exactly a bucket goes does not matter to results: an event older than the
 * horizon is late before anyone asks whether it was seen.
 */

import type { ByteReader, ByteWriter } from "./bytes.ts";
import { LargeMap } from "./large-map.ts";

const BUCKETS_PER_HORIZON = 16;

/** A bucket may hold a million ids. They leave memory a few at each that is added: no step takes long. */
const MAX_CLEANED_PER_ADD = 8;

interface Bucket {
  readonly identities: string[];
  readonly keyHashes: number[];
  /** How many of them the last write had. */
  written: number;
  /** Its ids count as not seen, also while they are still in memory. */
  forgotten: boolean;
}

const bucketMsOf = (horizonMs: number): number => Math.max(1, Math.ceil(horizonMs / BUCKETS_PER_HORIZON));

/**
 * The latest time, in whole milliseconds, that an id of a bucket may have. Where the horizon is another one now, the
 * bucket's start would have ids forgotten before their time.
 * @param horizonMs of whoever made the bucket
 */
export const latestInBucket = (startMs: number, horizonMs: number): number =>
  startMs + bucketMsOf(horizonMs) - 1;

export class SeenEvents {
  readonly #bucketMs: number;
  readonly #horizonMs: number;
  /** The bucket of each id. */
  readonly #identities = new LargeMap<Bucket>();
  readonly #buckets = new Map<number, Bucket>();
  #oldestBucket = Number.POSITIVE_INFINITY;
  /** Forgotten ones with ids that are still in memory. */
  #leaving: Bucket[] = [];
  #size = 0;

  constructor(horizonMs: number) {
    this.#horizonMs = horizonMs;
    this.#bucketMs = bucketMsOf(horizonMs);
  }

  /** How many ids it remembers. */
  get size(): number {
    return this.#size;
  }

  has(identity: string): boolean {
    return this.#identities.get(identity)?.forgotten === false;
  }

  /** Remembers an event. The key's hash goes with it, so that a repartitioning can tell whose it is. */
  add(identity: string, timeMs: number, keyHash: number): void {
    const index = Math.floor(timeMs / this.#bucketMs);
    let bucket = this.#buckets.get(index);
    if (bucket === undefined) {
      bucket = { identities: [], keyHashes: [], written: 0, forgotten: false };
      this.#buckets.set(index, bucket);
      if (index < this.#oldestBucket) this.#oldestBucket = index;
    }
    bucket.identities.push(identity);
    bucket.keyHashes.push(keyHash);
    this.#identities.set(identity, bucket);
    this.#size += 1;
    if (this.#leaving.length > 0) this.#clean();
  }

  /** Forgets the buckets that lie wholly before the horizon. */
  expire(watermarkMs: number): void {
    const keepFrom = Math.floor((watermarkMs - this.#horizonMs) / this.#bucketMs);
    if (keepFrom <= this.#oldestBucket) return;
    this.#oldestBucket = Number.POSITIVE_INFINITY;
    for (const [index, bucket] of this.#buckets) {
      if (index < keepFrom) {
        this.#forget(index, bucket);
      } else if (index < this.#oldestBucket) {
        this.#oldestBucket = index;
      }
    }
    if (this.#size > 0) return;
    this.#identities.clear();
    this.#leaving = [];
  }

  /** Every bucket, whole. */
  writeBase(writer: ByteWriter): void {
    this.#write(writer, () => 0);
  }

  /** What was added since the last write. Buckets that went are known from the watermark. */
  writeDelta(writer: ByteWriter): void {
    this.#write(writer, ({ written }) => written);
  }

  /**
   * Adds what was written, whole or in part.
   * @param horizonMs of whoever wrote it
   */
  read(reader: ByteReader, horizonMs = this.#horizonMs): void {
    for (let buckets = reader.varint(); buckets > 0; buckets--) {
      const timeMs = latestInBucket(reader.float64(), horizonMs);
      for (let events = reader.varint(); events > 0; events--) {
        const identity = reader.text();
        this.add(identity, timeMs, reader.varint());
      }
    }
  }

  restored(): void {
    for (const bucket of this.#buckets.values()) bucket.written = bucket.identities.length;
  }

  #forget(index: number, bucket: Bucket): void {
    bucket.forgotten = true;
    this.#buckets.delete(index);
    this.#leaving.push(bucket);
    this.#size -= bucket.identities.length;
  }

  #clean(): void {
    const bucket = this.#leaving.at(-1)!;
    for (let left = MAX_CLEANED_PER_ADD; left > 0; left--) {
      const identity = bucket.identities.pop();
      if (identity === undefined) {
        this.#leaving.pop();
        return;
      }
      // It may have been seen again since, and be another bucket's.
      if (this.#identities.get(identity) === bucket) this.#identities.delete(identity);
    }
  }

  #write(writer: ByteWriter, firstOf: (bucket: Bucket) => number): void {
    const changed = [...this.#buckets].filter(([, bucket]) => firstOf(bucket) < bucket.identities.length);
    writer.varint(changed.length);
    for (const [index, bucket] of changed) {
      const first = firstOf(bucket);
      writer.float64(index * this.#bucketMs);
      writer.varint(bucket.identities.length - first);
      for (let i = first; i < bucket.identities.length; i++) {
        writer.text(bucket.identities[i]!);
        writer.varint(bucket.keyHashes[i]!);
      }
      bucket.written = bucket.identities.length;
    }
  }
}
