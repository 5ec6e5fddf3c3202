/** What is under way, handed out in order of arrival: a binary heap. What arrives at once keeps the order it was put in. */
export class ArrivalQueue<Item> {
  readonly #heap: { readonly arrivalMs: number; readonly order: number; readonly item: Item }[] = [];
  #puts = 0;

  put(arrivalMs: number, item: Item): void {
    const heap = this.#heap;
    const entry = { arrivalMs, order: this.#puts, item };
    this.#puts += 1;
    heap.push(entry);
    let index = heap.length - 1;
    while (index > 0) {
      const parent = (index - 1) >>> 1;
      if (this.#before(heap[parent]!, entry)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = entry;
  }

  /** Takes what arrives first, if that is before `untilMs`. */
  takeBefore(untilMs: number): Item | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.arrivalMs >= untilMs) return undefined;
    const last = this.#heap.pop()!;
    if (this.#heap.length > 0) this.#sink(last);
    return first.item;
  }

  #sink(entry: { readonly arrivalMs: number; readonly order: number; readonly item: Item }): void {
    const heap = this.#heap;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.#before(heap[child + 1]!, heap[child]!)) child += 1;
      if (this.#before(entry, heap[child]!)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = entry;
  }

  #before(
    a: { readonly arrivalMs: number; readonly order: number },
    b: { readonly arrivalMs: number; readonly order: number },
  ): boolean {
    return a.arrivalMs === b.arrivalMs ? a.order < b.order : a.arrivalMs < b.arrivalMs;
  }
}
