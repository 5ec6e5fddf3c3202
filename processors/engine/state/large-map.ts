/**
 * A map from text without an end: a JavaScript Map ends at 2^24 entries, with a RangeError. It is a list of Maps of
 * which only the last one grows, so a look-up costs one of theirs for each 4 million entries, and growing one moves no
 * more than that at once.
 */

const MAX_ENTRIES_PER_MAP = 2 ** 22;

export class LargeMap<Value> {
  readonly #maxEntriesPerMap: number;
  #maps: Map<string, Value>[] = [new Map()];

  /** @param maxEntriesPerMap when the next Map begins */
  constructor(maxEntriesPerMap = MAX_ENTRIES_PER_MAP) {
    this.#maxEntriesPerMap = maxEntriesPerMap;
  }

  get size(): number {
    return this.#maps.reduce((size, map) => size + map.size, 0);
  }

  get(key: string): Value | undefined {
    for (const map of this.#maps) {
      const value = map.get(key);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  set(key: string, value: Value): void {
    const last = this.#maps.length - 1;
    for (let i = 0; i < last; i++) {
      const map = this.#maps[i]!;
      if (map.has(key)) {
        map.set(key, value);
        return;
      }
    }
    if (this.#maps[last]!.size >= this.#maxEntriesPerMap && !this.#maps[last]!.has(key)) {
      this.#maps.push(new Map([[key, value]]));
    } else {
      this.#maps[last]!.set(key, value);
    }
  }

  delete(key: string): void {
    const at = this.#maps.findIndex((map) => map.delete(key));
    if (at >= 0 && this.#maps.length > 1 && this.#maps[at]!.size === 0) this.#maps.splice(at, 1);
  }

  clear(): void {
    this.#maps = [new Map()];
  }
}
