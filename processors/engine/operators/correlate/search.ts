/** Finds parts that belong together. */
import type { HeldEvent } from "../held-events.ts";
import type { Waiting } from "./correlate-state.ts";

/**
 * The first combination of one waiting event of each part, this one among them, that `matches`. First means: with the
 * earliest event of the first part, then of the second, and so on. Whoever waits at the same time is near enough in
 * time, since the deadline of each is when others begin to be too far from it.
 * @returns the events in the order of the parts; undefined where there is none
 */
export function findMatch(
  waiting: Waiting,
  event: HeldEvent,
  matches: (events: readonly HeldEvent[]) => boolean,
): readonly HeldEvent[] | undefined {
  const chosen: HeldEvent[] = [];
  const choose = (part: number): boolean => {
    if (part === waiting.length) return matches(chosen);
    const candidates = part === event.part ? [event] : waiting[part]!;
    return candidates.some((candidate) => {
      chosen[part] = candidate;
      return choose(part + 1);
    });
  };
  if (waiting.some((list) => list.length === 0)) return undefined;
  return choose(0) ? chosen : undefined;
}
