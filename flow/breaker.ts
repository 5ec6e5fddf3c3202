/**
 * A circuit breaker: keeps calls from a dependency that fails or has become slow, and lets a few through after a while
 * to see whether it is back. It holds no timer and reads no clock: every call tells the time.
 *
 * closed: every call is made, and its outcome counted over a sliding window. Once the window holds enough calls, and
 * too large a share of them failed or was slow, it opens.
 * open: no call is made for `openMs`; then it is half-open.
 * half-open: `trialCalls` calls are made. One that fails, or is slow, opens it again; when all were well it closes,
 * with an empty window.
 *
 * The states are those of M. Nygard's "Release It!"; the two shares over one window are Resilience4j's.
 */
export type BreakerState = "closed" | "open" | "half-open";

export interface BreakerOptions {
  /** How far back outcomes count. */
  readonly windowMs: number;
  /** Below so many calls in the window a share says nothing. */
  readonly minCalls: number;
  /** 0 to 1: it opens when a larger share failed. */
  readonly maxErrorShare: number;
  /** A call that took longer is slow, whether it failed or not. */
  readonly slowCallMs: number;
  /** 0 to 1: it opens when a larger share was slow. */
  readonly maxSlowShare: number;
  readonly openMs: number;
  readonly trialCalls: number;
}

export interface CallOutcome {
  readonly failed: boolean;
  readonly tookMs: number;
}

/** The window moves on by this part of itself. */
const SLICES = 10;

interface Slice {
  /** Number of the slice since the epoch. */
  number: number;
  calls: number;
  failed: number;
  slow: number;
}

export class CircuitBreaker {
  readonly #options: BreakerOptions;
  #slices: Slice[] = [];
  /** Undefined while it is closed. */
  #openedMs: number | undefined;
  #trialsStarted = 0;
  #trialsWell = 0;
  #halfOpenMs = 0;

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  state(nowMs: number): BreakerState {
    if (this.#openedMs === undefined) return "closed";
    return nowMs - this.#openedMs < this.#options.openMs ? "open" : "half-open";
  }

  /** Whether a call may be made now. One that may must be recorded once; when half-open it is one of the trials. */
  tryAcquire(nowMs: number): boolean {
    const state = this.state(nowMs);
    if (state !== "half-open") return state === "closed";
    const { trialCalls, openMs } = this.#options;
    // Trials that were never recorded, since whoever made them is gone, must not keep it half-open for ever.
    if (this.#trialsStarted === trialCalls && nowMs - this.#halfOpenMs >= openMs) this.#forgetTrials();
    if (this.#trialsStarted === trialCalls) return false;
    if (this.#trialsStarted === 0) this.#halfOpenMs = nowMs;
    this.#trialsStarted += 1;
    return true;
  }

  record({ failed, tookMs }: CallOutcome, nowMs: number): void {
    const slow = tookMs > this.#options.slowCallMs;
    const state = this.state(nowMs);
    if (state === "closed") this.#count(failed, slow, nowMs);
    // What was begun before it opened says nothing about now.
    else if (state === "half-open" && this.#trialsStarted > 0) this.#try(failed || slow, nowMs);
  }

  /** Opens it, or keeps it open from now on: somebody else has seen that the dependency is away. */
  trip(nowMs: number): void {
    this.#openedMs = nowMs;
    this.#slices = [];
    this.#forgetTrials();
  }

  #count(failed: boolean, slow: boolean, nowMs: number): void {
    const slice = this.#slice(nowMs);
    slice.calls += 1;
    if (failed) slice.failed += 1;
    if (slow) slice.slow += 1;
    const { minCalls, maxErrorShare, maxSlowShare } = this.#options;
    const sum = (field: "calls" | "failed" | "slow") =>
      this.#slices.reduce((total, one) => total + one[field], 0);
    const calls = sum("calls");
    if (calls < minCalls) return;
    if (sum("failed") > maxErrorShare * calls || sum("slow") > maxSlowShare * calls) this.trip(nowMs);
  }

  #slice(nowMs: number): Slice {
    const number = Math.floor((nowMs * SLICES) / this.#options.windowMs);
    this.#slices = this.#slices.filter((slice) => slice.number > number - SLICES && slice.number <= number);
    const last = this.#slices.at(-1);
    if (last?.number === number) return last;
    const slice = { number, calls: 0, failed: 0, slow: 0 };
    this.#slices.push(slice);
    return slice;
  }

  #try(bad: boolean, nowMs: number): void {
    if (bad) {
      this.trip(nowMs);
      return;
    }
    this.#trialsWell += 1;
    if (this.#trialsWell < this.#options.trialCalls) return;
    this.#openedMs = undefined;
    this.#forgetTrials();
  }

  #forgetTrials(): void {
    this.#trialsStarted = 0;
    this.#trialsWell = 0;
  }
}
