/**
 * The windows that changed since they were emitted last, where they are emitted before they close: all of them at the
 * next time that is due, in an order that does not depend on when which of them changed.
 */

import { Heap } from "../../state/heap.ts";

/** Nothing is due before the first event has said what time it is. */
const NOT_SET = -Number.MAX_VALUE;

export interface EarlySchedule<Item> {
  /** The first due time after a watermark, which may be minus infinity. */
  after(watermarkMs: number): number;
  /** The order of emission, as for sort(). */
  compare(a: Item, b: Item): number;
}

export class EarlyEmissions<Item> {
  readonly #schedule: EarlySchedule<Item>;
  readonly #changed = new Set<Item>();
  /** Due when; means something only while there are changed ones. */
  #nextMs = NOT_SET;
  /** Where putting them in order goes on, if an emission was interrupted at that; derived, so not part of a snapshot. */
  #unordered: Iterator<Item> | undefined;
  /** What the emission at hand has put in order. */
  readonly #ordered: Heap<Item>;

  constructor(schedule: EarlySchedule<Item>) {
    this.#schedule = schedule;
    this.#ordered = new Heap((a, b) => schedule.compare(a, b) < 0);
  }

  /** The watermark at which the changed ones are emitted; positive infinity where nothing changed. Part of the state. */
  get dueMs(): number {
    return this.#changed.size === 0 ? Number.POSITIVE_INFINITY : this.#nextMs;
  }

  /** Notes a change. */
  add(item: Item, watermarkMs: number): void {
    if (this.#changed.size === 0) {
      this.#nextMs = this.#after(watermarkMs);
      this.#endEmission();
    }
    this.#changed.add(item);
  }

  /** It was emitted otherwise, or is no more. */
  delete(item: Item): void {
    this.#changed.delete(item);
  }

  /**
   * Emits what is due, at most `maxSteps` steps of it: to put one in its place, and to emit it, are a step each, so that
   * a million of them stop nothing else. Nothing may change before all are emitted.
   * @param emit writes it; it then counts as emitted
   * @returns the steps it did; 0: nothing is due
   */
  fire(watermarkMs: number, maxSteps: number, emit: (item: Item) => void): number {
    if (this.dueMs === NOT_SET) this.#nextMs = this.#after(watermarkMs);
    if (this.dueMs > watermarkMs) return 0;
    this.#unordered ??= this.#changed.values();
    let steps = 0;
    for (; steps < maxSteps; steps++) {
      const next = this.#unordered.next();
      if (next.done) break;
      this.#ordered.push(next.value);
    }
    for (; steps < maxSteps && this.#ordered.size > 0; steps++) {
      const item = this.#ordered.pop()!;
      if (this.#changed.delete(item)) emit(item);
    }
    if (this.#changed.size === 0) this.#endEmission();
    return steps;
  }

  /** Puts back what a snapshot held. */
  restore(nextMs: number, items: Iterable<Item>): void {
    this.#nextMs = nextMs;
    for (const item of items) this.#changed.add(item);
  }

  #endEmission(): void {
    this.#unordered = undefined;
    this.#ordered.clear();
  }

  #after(watermarkMs: number): number {
    return Math.max(NOT_SET, this.#schedule.after(watermarkMs));
  }
}
