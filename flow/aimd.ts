/**
 * A limit that follows a load which others report: additive increase, multiplicative decrease (D.-M. Chiu and R. Jain,
 * 1989). Many senders that share a receiver come to equal shares by it, since those with more give more away.
 */
export interface AimdOptions {
  readonly min: number;
  /** Where it begins, too: the first answer says whether that is too much. */
  readonly max: number;
  /** What each report of a load up to the target adds. */
  readonly increase: number;
  /** Loads above it lower the limit; 1 is all that the receiver can bear. */
  readonly targetLoad: number;
}

/** One report never lowers it by more: the load may be others' as well. */
const MAX_DECREASE = 0.5;

export class AimdLimit {
  readonly #options: AimdOptions;
  #value: number;

  constructor(options: AimdOptions) {
    this.#options = options;
    this.#value = options.max;
  }

  /** A whole number between min and max. */
  get value(): number {
    return Math.floor(this.#value);
  }

  /** A load was reported for what was sent under the limit: 0 is idle, 1 all that can be borne, more is too much. */
  observe(load: number): void {
    const { targetLoad, increase } = this.#options;
    // If the load were all of one's own making, this would bring it to the target.
    const factor = Math.max(MAX_DECREASE, targetLoad / load);
    this.#set(load > targetLoad ? this.#value * factor : this.#value + increase);
  }

  /** Something other than the load was too much: no more than `value` from now on, and slowly up from there. */
  lowerTo(value: number): void {
    this.#set(Math.min(this.#value, value));
  }

  #set(value: number): void {
    this.#value = Math.min(this.#options.max, Math.max(this.#options.min, value));
  }
}
