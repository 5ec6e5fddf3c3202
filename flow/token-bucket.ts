/**
 * A token bucket: a call takes a token, tokens come at a steady rate, and at most `burst` of them are saved. Over any
 * span of T seconds at most burst + rate × T calls are made. It holds no timer and reads no clock.
 */
export interface TokenBucketLimits {
  readonly ratePerSecond: number;
  /** Tokens that are saved while nobody takes any; 1 or more. */
  readonly burst: number;
}

/** The part of a limit that may be spent at once; the rest paces the calls. */
const BURST_SHARE = 0.03;
/** The part that is left: what is sent evenly may arrive bunched, and a call that is refused costs more than this. */
const UNUSED_SHARE = 0.03;

/**
 * Limits that keep calls within `maxPerSecond` over any one second, its start included and its end not: a burst of b
 * and a rate of r admit b + ceil(r) − 1 calls. Below one call a second it is at most one call in a second. In the long
 * run 94 % of a large limit are used.
 */
export function limitsWithin(maxPerSecond: number): TokenBucketLimits {
  if (maxPerSecond < 1) return { ratePerSecond: maxPerSecond, burst: 1 };
  const whole = Math.floor(maxPerSecond);
  const burst = Math.max(1, Math.floor(whole * BURST_SHARE));
  return { ratePerSecond: whole * (1 - UNUSED_SHARE) - burst + 1, burst };
}

export class TokenBucket {
  #limits: TokenBucketLimits;
  /** When the bucket was, or will be, empty: every token is a call's time from then on, so nothing adds up rounding. */
  #emptyMs: number;

  /** It begins empty: who starts anew may follow one who has just spent what he had. */
  constructor(limits: TokenBucketLimits, nowMs: number) {
    this.#limits = limits;
    this.#emptyMs = nowMs;
  }

  /** How long until there is a token; 0 where there is one. */
  waitMs(nowMs: number): number {
    return Math.max(0, this.#emptyMs + this.#tokenMs - nowMs);
  }

  /**
   * @param tokens more than there are leave a debt, which is paid before there is a token again
   * @throws RangeError where there is no token; ask {@link waitMs} first
   */
  take(nowMs: number, tokens = 1): void {
    if (this.waitMs(nowMs) > 0) throw new RangeError("the bucket has no token");
    this.#emptyMs = this.#from(nowMs) + tokens * this.#tokenMs;
  }

  /** Other limits from now on. Tokens that were saved stay, as many as may be. */
  change(limits: TokenBucketLimits, nowMs: number): void {
    const tokens = (nowMs - this.#from(nowMs)) / this.#tokenMs;
    this.#limits = limits;
    this.#emptyMs = nowMs - Math.min(tokens, limits.burst) * this.#tokenMs;
  }

  get #tokenMs(): number {
    return 1_000 / this.#limits.ratePerSecond;
  }

  /** When it was empty, had it never been given more than may be saved. */
  #from(nowMs: number): number {
    return Math.max(this.#emptyMs, nowMs - this.#limits.burst * this.#tokenMs);
  }
}
