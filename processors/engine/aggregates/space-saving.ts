/**
 * Space-Saving (A. Metwally, D. Agrawal, A. El Abbadi, "Efficient Computation of Frequent and Top-k Elements in
 * Data Streams", ICDT 2005), with weights. A value that comes when all counters are taken takes over the smallest
 * and what it has counted, which is then how much its own count may be too high.
 *
 * Merged as in M. Cafaro, M. Pulimeno, P. Tempesta, "A parallel space saving algorithm for frequent items and the
 * Hurwitz zeta distribution" (2016), a form of P. K. Agarwal et al., "Mergeable Summaries" (2012): a value that one
 * side does not know may have been as frequent there as its smallest counter says. With m the smallest counter of
 * a full sketch, c counters and the total weight N, adding and merging both keep Σ (count - m) <= N - c m; so m is
 * at most N / c after any of them.
 */
import type { ByteReader, ByteWriter } from "../state/bytes.ts";
import { compareScalars, readScalar, type Scalar, writeScalar } from "./scalar.ts";

export interface Counter {
  readonly value: Scalar;
  /** At least the true weight. */
  readonly count: number;
  /** The true weight is at least count - maxError. */
  readonly maxError: number;
}

interface Entry extends Counter {
  value: Scalar;
  count: number;
  maxError: number;
  /** Its place in the heap. */
  at: number;
}

/** Most frequent first; of equal counts the surer one, then by value. Total: two values never tie. */
function byRank(a: Counter, b: Counter): number {
  return b.count - a.count || a.maxError - b.maxError || compareScalars(a.value, b.value);
}

export class SpaceSaving {
  readonly #capacity: number;
  readonly #entries = new Map<Scalar, Entry>();
  /** A binary heap, the last by rank on top. Ranks are total, so which is on top does not depend on its history. */
  readonly #heap: Entry[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#heap.length;
  }

  add(value: Scalar, weight: number): void {
    if (weight === 0) return;
    const entry = this.#entries.get(value);
    if (entry !== undefined) {
      entry.count += weight;
      this.#sink(entry);
    } else if (this.#heap.length < this.#capacity) {
      this.#insert({ value, count: weight, maxError: 0 });
    } else {
      this.#replaceLast(value, weight);
    }
  }

  merge(from: SpaceSaving): void {
    const [mine, theirs] = [this.#unknown, from.#unknown];
    const merged: Counter[] = [];
    for (const { value, count, maxError } of this.#heap) {
      const other = from.#entries.get(value) ?? theirs;
      merged.push({ value, count: count + other.count, maxError: maxError + other.maxError });
    }
    for (const { value, count, maxError } of from.#heap) {
      if (this.#entries.has(value)) continue;
      merged.push({ value, count: count + mine.count, maxError: maxError + mine.maxError });
    }
    this.#entries.clear();
    this.#heap.length = 0;
    for (const counter of merged.sort(byRank).slice(0, this.#capacity)) this.#insert(counter);
  }

  /** All counters, by rank. */
  ranked(): Counter[] {
    return this.#heap.toSorted(byRank).map(({ value, count, maxError }) => ({ value, count, maxError }));
  }

  write(writer: ByteWriter): void {
    writer.varint(this.#heap.length);
    for (const { value, count, maxError } of this.ranked()) {
      writeScalar(writer, value);
      writer.float64(count);
      writer.float64(maxError);
    }
  }

  static read(reader: ByteReader, capacity: number): SpaceSaving {
    const sketch = new SpaceSaving(capacity);
    for (let left = reader.varint(); left > 0; left--) {
      const value = readScalar(reader);
      sketch.#insert({ value, count: reader.float64(), maxError: reader.float64() });
    }
    return sketch;
  }

  /** What a value without a counter may have had: nothing while there are free ones. */
  get #unknown(): { readonly count: number; readonly maxError: number } {
    const count = this.#heap.length < this.#capacity ? 0 : this.#heap[0]!.count;
    return { count, maxError: count };
  }

  #replaceLast(value: Scalar, weight: number): void {
    const last = this.#heap[0]!;
    this.#entries.delete(last.value);
    last.maxError = last.count;
    last.value = value;
    last.count += weight;
    this.#entries.set(value, last);
    this.#sink(last);
  }

  #insert({ value, count, maxError }: Counter): void {
    const entry: Entry = { value, count, maxError, at: this.#heap.length };
    this.#entries.set(value, entry);
    this.#heap.push(entry);
    this.#rise(entry);
  }

  /** Moves an entry towards the top while it ranks after the one above it. */
  #rise(entry: Entry): void {
    while (entry.at > 0) {
      const above = this.#heap[(entry.at - 1) >>> 1]!;
      if (byRank(entry, above) < 0) return;
      this.#swap(above, entry);
    }
  }

  /** Moves an entry away from the top while one below it ranks after it. */
  #sink(entry: Entry): void {
    for (;;) {
      const left = this.#heap[2 * entry.at + 1];
      const right = this.#heap[2 * entry.at + 2];
      if (left === undefined) return;
      const below = right !== undefined && byRank(right, left) > 0 ? right : left;
      if (byRank(below, entry) < 0) return;
      this.#swap(entry, below);
    }
  }

  #swap(above: Entry, below: Entry): void {
    [above.at, below.at] = [below.at, above.at];
    this.#heap[above.at] = above;
    this.#heap[below.at] = below;
  }
}
