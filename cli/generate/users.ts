/** Who comes when: visits over the day, and the users that make them. */
import type { Random } from "../chaos/random.ts";
import { exponential, Zipf } from "./distributions.ts";

const DAY_MS = 86_400_000;

/** When generated time begins: a Monday. */
export const START_MS = Date.UTC(2026, 2, 2);

/** The rate swings by this share around its mean; the least is at 04:00 UTC, the most at 16:00. */
const DIURNAL_SWING = 0.8;
const QUIETEST_MS = 4 * 3_600_000;

/** How uneven users are: YCSB's constant (Cooper et al., SoCC 2010). */
const ZIPF_EXPONENT = 0.99;

/** Users that are drawn for a visit before it is dropped because all of them are busy. */
const MAX_DRAWS = 20;

/** Rises and falls once a day around a mean of 1. */
const diurnal = (timeMs: number): number =>
  1 - DIURNAL_SWING * Math.cos((2 * Math.PI * (timeMs - QUIETEST_MS)) / DAY_MS);

/** Times at which visits begin, in order, without end: a Poisson process whose rate follows the day (by thinning). */
export function* visitTimes(random: Random, visitsPerDay: number): Generator<number, never> {
  const meanGapMs = DAY_MS / (visitsPerDay * (1 + DIURNAL_SWING));
  for (let timeMs = START_MS; ; ) {
    timeMs += exponential(random, meanGapMs);
    if (random.next() * (1 + DIURNAL_SWING) < diurnal(timeMs)) yield Math.floor(timeMs);
  }
}

/** The hot user's number: every other visit is made by another. */
const HOT_USER = 0;

export const userId = (user: number): string => `user-${String(user).padStart(6, "0")}`;
export const HOT_USER_ID = userId(HOT_USER);

/** Users from number 1 on, Zipf-distributed. One is at one place at a time: its visits do not overlap. */
export class Users {
  readonly #random: Random;
  readonly #ranks: Zipf;
  readonly #busyUntilMs: Float64Array;

  constructor(random: Random, count: number) {
    this.#random = random;
    this.#ranks = new Zipf(count, ZIPF_EXPONENT);
    this.#busyUntilMs = new Float64Array(count + 1);
  }

  /** A user who is not busy at `timeMs`; undefined where none is found. */
  free(timeMs: number): number | undefined {
    for (let draw = 0; draw < MAX_DRAWS; draw++) {
      const user = HOT_USER + 1 + this.#ranks.sample(this.#random);
      if (this.#busyUntilMs[user]! < timeMs) return user;
    }
    return undefined;
  }

  /** The user makes no other visit that starts up to `untilMs`. */
  occupy(user: number, untilMs: number): void {
    this.#busyUntilMs[user] = untilMs;
  }
}
