/** Visits of users who come a number of times a day each, one after another, and are not in two visits at once. */
import type { Random } from "../chaos/random.ts";
import { type GenerateOptions, type Visit, visitsRandom } from "./traffic.ts";
import { Users, visitTimes } from "./users.ts";

export interface Habits {
  readonly visitsPerUserAndDay: number;
  /** From a visit's end to the same user's next, at least. */
  readonly quietMs: number;
}

/** `make`: a user's visit that begins at this time. */
export function* visitsOfUsers(
  { seed, users: count }: GenerateOptions,
  { visitsPerUserAndDay, quietMs }: Habits,
  make: (random: Random, user: number, startMs: number) => Visit,
): Generator<Visit, never> {
  const random = visitsRandom(seed);
  const users = new Users(random, count);
  const times = visitTimes(random, count * visitsPerUserAndDay);
  for (;;) {
    const startMs = times.next().value;
    const user = users.free(startMs);
    if (user === undefined) continue;
    const visit = make(random, user, startMs);
    users.occupy(user, visit.at(-1)!.timeMs + quietMs);
    yield visit;
  }
}
