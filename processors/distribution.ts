/**
 * Gathers values with weights, and tells them in a bounded number: CloudWatch makes percentiles of what a line of the
 * embedded metric format lists, and takes 100 values of a metric at most.
 */
export class Distribution {
  #values: { readonly value: number; readonly weight: number }[] = [];

  add(value: number, weight = 1): void {
    this.#values.push({ value, weight });
  }

  /**
   * At most `count` values that stand for all of them, and forgets them: those at equal steps of rank by weight, and the
   * largest for the last. Percentiles are right within half a step; sums and means are not those of all.
   */
  take(count: number): readonly number[] {
    const sorted = this.#values.toSorted((a, b) => a.value - b.value);
    this.#values = [];
    const total = sorted.reduce((sum, { weight }) => sum + weight, 0);
    if (total <= count) return sorted.flatMap(({ value, weight }) => Array<number>(weight).fill(value));
    const taken: number[] = [];
    let passed = 0;
    for (const { value, weight } of sorted) {
      passed += weight;
      while (taken.length < count && ((taken.length + 0.5) * total) / count <= passed) taken.push(value);
    }
    taken[count - 1] = sorted.at(-1)!.value;
    return taken;
  }
}
