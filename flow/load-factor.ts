/**
 * How loaded a stage is: the time that what waits will take, at the pace of late, by the time that it may take.
 * 0 is nothing waiting, 1 is as late as it may be; it has no upper end but {@link MAX_LOAD}.
 */
export interface LoadFactorOptions {
  /** How long work may wait. */
  readonly targetMs: number;
  /** The pace is an average over about this long; what is older counts less and less (exponentially). */
  readonly paceMs: number;
}

/** What stands still has a pace of 0; a number that text and tables can hold says as much as infinity. */
export const MAX_LOAD = 99;

export class LoadFactor {
  readonly #options: LoadFactorOptions;
  #observedMs: number;
  #cleared = 0;
  #elapsedMs = 0;
  #waiting = 0;

  /** `nowMs`: from any origin, never set back. */
  constructor(options: LoadFactorOptions, nowMs: number) {
    this.#options = options;
    this.#observedMs = nowMs;
  }

  /** `cleared`: since the last observation. `waiting`: now. In the same unit. */
  observe(cleared: number, waiting: number, nowMs: number): void {
    const elapsedMs = nowMs - this.#observedMs;
    const kept = Math.exp(-elapsedMs / this.#options.paceMs);
    this.#cleared = this.#cleared * kept + cleared;
    this.#elapsedMs = this.#elapsedMs * kept + elapsedMs;
    this.#waiting = waiting;
    this.#observedMs = nowMs;
  }

  /** A stage that stops observing while work waits becomes more and more loaded. */
  value(nowMs: number): number {
    if (this.#waiting === 0) return 0;
    const silentMs = nowMs - this.#observedMs;
    const kept = Math.exp(-silentMs / this.#options.paceMs);
    const perMs = (this.#cleared * kept) / (this.#elapsedMs * kept + silentMs);
    return Math.min(MAX_LOAD, this.#waiting / perMs / this.#options.targetMs || MAX_LOAD);
  }
}
