/**
 * How many records a batch has: where the mean time per record of a minute is 20 % above that of the minute before, the
 * batch shrinks by 10 %; else it grows by 2 % of the largest size, so much more slowly. Minutes do not overlap: after a
 * change the next one is measured anew. A batch that is 10 % smaller costs 11 % more per record where a call costs the
 * same whatever it holds, so a shrinking alone is no reason for the next one.
 */
export interface AdaptiveBatchOptions {
  readonly maxSize: number;
}

const WINDOW_MS = 60_000;
const TOLERATED_RISE = 1.2;
const SHRINK = 0.9;
const GROW_SHARE = 0.02;

export class AdaptiveBatch {
  readonly #maxSize: number;
  #size: number;
  #startedMs: number | undefined;
  #records = 0;
  #tookMs = 0;
  /** Mean time per record of the last minute in which there was any. */
  #before: number | undefined;

  constructor({ maxSize }: AdaptiveBatchOptions) {
    this.#maxSize = maxSize;
    this.#size = maxSize;
  }

  /** From 1 to the largest. */
  get size(): number {
    return this.#size;
  }

  /** A batch of the present size was done. One that was not full tells nothing: its cost per record is its emptiness. */
  record({ records, tookMs }: { readonly records: number; readonly tookMs: number }, nowMs: number): void {
    if (records < this.#size) return;
    this.#startedMs ??= nowMs;
    this.#records += records;
    this.#tookMs += tookMs;
    if (nowMs - this.#startedMs >= WINDOW_MS) this.#judge(nowMs);
  }

  #judge(nowMs: number): void {
    const meanMs = this.#tookMs / this.#records;
    if (this.#before !== undefined && meanMs > TOLERATED_RISE * this.#before) {
      this.#size = Math.max(1, Math.floor(this.#size * SHRINK));
    } else {
      this.#size = Math.min(this.#maxSize, this.#size + Math.ceil(this.#maxSize * GROW_SHARE));
    }
    this.#before = meanMs;
    this.#startedMs = nowMs;
    this.#records = 0;
    this.#tookMs = 0;
  }
}
