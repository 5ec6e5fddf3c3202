/**
 * What is due when: a binary heap by time, then by a second time (a window's start), then by key, so that the order
 * is the same after recovery, whatever the order of insertion was. Derived from the state, never written. Whoever
 * queues several of one key for one time says how they follow each other.
 */

export interface Due {
  readonly dueMs: number;
  readonly startMs: number;
  readonly key: string;
}

export class DueQueue<Item extends Due = Due> {
  readonly #precedes: (a: Item, b: Item) => boolean;
  #heap: Item[] = [];

  /** @param precedes whether `a` comes before `b`; default: by the three fields of {@link Due} */
  constructor(precedes: (a: Item, b: Item) => boolean = isBefore) {
    this.#precedes = precedes;
  }

  get size(): number {
    return this.#heap.length;
  }

  /** Positive infinity where nothing is queued. */
  get dueMs(): number {
    return this.#heap.length === 0 ? Number.POSITIVE_INFINITY : this.#heap[0]!.dueMs;
  }

  peek(): Item | undefined {
    return this.#heap[0];
  }

  push(due: Item): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(due);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#precedes(due, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = due;
  }

  pop(): Item | undefined {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (heap.length > 0) this.#sink(last!);
    return first;
  }

  clear(): void {
    this.#heap = [];
  }

  #sink(due: Item): void {
    const heap = this.#heap;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && this.#precedes(heap[child + 1]!, heap[child]!)) child += 1;
      if (!this.#precedes(heap[child]!, due)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = due;
  }
}

export function isBefore(a: Due, b: Due): boolean {
  if (a.dueMs !== b.dueMs) return a.dueMs < b.dueMs;
  if (a.startMs !== b.startMs) return a.startMs < b.startMs;
  return a.key < b.key;
}
