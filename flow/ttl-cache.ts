/** A cache that forgets what is older than its time to live, and what was not read for longest once it is full. */
export interface TtlCacheOptions {
  /** From when an entry was written, whether it is read or not. */
  readonly ttlMs: number;
  readonly maxEntries: number;
}

interface Entry<Value> {
  readonly value: Value;
  readonly untilMs: number;
}

export class TtlCache<Value> {
  readonly #options: TtlCacheOptions;
  /** The one read or written last is the last. */
  readonly #entries = new Map<string, Entry<Value>>();

  constructor(options: TtlCacheOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string, nowMs: number): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    if (nowMs >= entry.untilMs) return undefined;
    this.#entries.set(key, entry);
    return entry.value;
  }

  set(key: string, value: Value, nowMs: number): void {
    this.#entries.delete(key);
    this.#entries.set(key, { value, untilMs: nowMs + this.#options.ttlMs });
    if (this.#entries.size <= this.#options.maxEntries) return;
    const [oldest] = this.#entries.keys();
    this.#entries.delete(oldest!);
  }
}
