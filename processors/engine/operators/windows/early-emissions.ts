/**
 * The windows that changed since they were emitted last, where they are emitted before they close: all of them at the
 * next time that is due, in an order that does not depend on when which of them changed.
 */

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
  /** What an emission that was interrupted has still to emit, last first; derived, so not part of a snapshot. */
  #rest: Item[] = [];

  constructor(schedule: EarlySchedule<Item>) {
    this.#schedule = schedule;
  }

  /** The watermark at which the changed ones are emitted; positive infinity where nothing changed. Part of the state. */
  get dueMs(): number {
    return this.#changed.size === 0 ? Number.POSITIVE_INFINITY : this.#nextMs;
  }

  /** Notes a change. */
  add(item: Item, watermarkMs: number): void {
    if (this.#changed.size === 0) this.#nextMs = this.#after(watermarkMs);
    this.#changed.add(item);
  }

  /** It was emitted otherwise, or is no more. */
  delete(item: Item): void {
    this.#changed.delete(item);
  }

  /** The next one to emit, which then counts as emitted; undefined where none is due. */
  next(watermarkMs: number): Item | undefined {
    if (this.dueMs === NOT_SET) this.#nextMs = this.#after(watermarkMs);
    if (this.dueMs > watermarkMs) return undefined;
    if (this.#rest.length === 0) this.#rest = [...this.#changed].sort((a, b) => this.#schedule.compare(b, a));
    for (let item = this.#rest.pop(); item !== undefined; item = this.#rest.pop()) {
      if (this.#changed.delete(item)) return item;
    }
    return undefined;
  }

  /** Puts back what a snapshot held. */
  restore(nextMs: number, items: Iterable<Item>): void {
    this.#nextMs = nextMs;
    for (const item of items) this.#changed.add(item);
  }

  #after(watermarkMs: number): number {
    return Math.max(NOT_SET, this.#schedule.after(watermarkMs));
  }
}
