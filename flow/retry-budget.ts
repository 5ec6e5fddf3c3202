/**
 * A budget of retries: at most a share of the calls, and a few each second so that a trickle of calls can be tried
 * again at all. Without it every layer that tries three times makes three times the load just when there is too much.
 * The budget is that of Finagle's RetryBudget, but who is over it waits instead of failing: a record must not die for
 * the failures of others.
 */
export interface RetryBudgetOptions {
  /** 0 to 1: retries for each call. */
  readonly maxRetryShare: number;
  /** Retries that are always allowed. */
  readonly minRetriesPerSecond: number;
  /** Retries that are saved; also what there is at the beginning. */
  readonly maxSavedRetries: number;
}

export class RetryBudget {
  readonly #options: RetryBudgetOptions;
  /** Below zero: retries that were promised, and are not due yet. */
  #retries: number;
  #atMs: number;

  constructor(options: RetryBudgetOptions, nowMs: number) {
    this.#options = options;
    this.#retries = options.maxSavedRetries;
    this.#atMs = nowMs;
  }

  /** A call is made that is no retry. */
  called(): void {
    this.#add(this.#options.maxRetryShare);
  }

  /** Takes a retry, and tells how long it must wait until it may be made. */
  take(nowMs: number): number {
    const { minRetriesPerSecond } = this.#options;
    this.#add(((nowMs - this.#atMs) / 1_000) * minRetriesPerSecond);
    this.#atMs = nowMs;
    this.#retries -= 1;
    return this.#retries >= 0 ? 0 : (-this.#retries / minRetriesPerSecond) * 1_000;
  }

  #add(retries: number): void {
    this.#retries = Math.min(this.#retries + retries, this.#options.maxSavedRetries);
  }
}
