/** Records that wait to become a batch: full at a count or a size, or when the oldest has waited long enough. */

export interface BatchLimits {
  readonly maxRecords: number;
  readonly maxBytes: number;
  readonly windowMs: number;
}

export class BatchQueue<T> {
  readonly #limits: BatchLimits;
  readonly #bytesOf: (item: T) => number;
  #items: T[] = [];
  #bytes = 0;
  #oldestMs = 0;
  #wake: (() => void) | undefined;

  constructor(limits: BatchLimits, bytesOf: (item: T) => number) {
    this.#limits = limits;
    this.#bytesOf = bytesOf;
  }

  get length(): number {
    return this.#items.length;
  }

  push(items: readonly T[], nowMs: number): void {
    if (items.length === 0) return;
    if (this.#items.length === 0) this.#oldestMs = nowMs;
    for (const item of items) {
      this.#items.push(item);
      this.#bytes += this.#bytesOf(item);
    }
    this.#wake?.();
  }

  /** Milliseconds until a batch is due: 0 means now, Infinity that nothing waits. */
  dueInMs(nowMs: number): number {
    const { maxRecords, maxBytes, windowMs } = this.#limits;
    if (this.#items.length === 0) return Number.POSITIVE_INFINITY;
    if (this.#items.length >= maxRecords || this.#bytes >= maxBytes) return 0;
    return Math.max(0, this.#oldestMs + windowMs - nowMs);
  }

  /** The next batch: at least one record, as many as the limits hold. What is left has begun to wait now. */
  take(nowMs: number): T[] {
    const { maxRecords, maxBytes } = this.#limits;
    let count = 0;
    let bytes = 0;
    while (count < this.#items.length && count < maxRecords) {
      bytes += this.#bytesOf(this.#items[count]!);
      if (count > 0 && bytes > maxBytes) {
        bytes -= this.#bytesOf(this.#items[count]!);
        break;
      }
      count++;
    }
    this.#bytes -= bytes;
    this.#oldestMs = nowMs;
    return this.#items.splice(0, count);
  }

  /** Resolves with the next batch as soon as it is due; undefined when `signal` aborts. */
  async next(signal: AbortSignal): Promise<T[] | undefined> {
    for (;;) {
      if (signal.aborted) return undefined;
      const dueMs = this.dueInMs(Date.now());
      if (dueMs === 0) return this.take(Date.now());
      await this.#change(dueMs, signal);
    }
  }

  #change(afterMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const timer = Number.isFinite(afterMs) ? setTimeout(finish, afterMs) : undefined;
      const done = finish;
      signal.addEventListener("abort", done, { once: true });
      this.#wake = done;
      function finish(): void {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        resolve();
      }
    });
  }
}
