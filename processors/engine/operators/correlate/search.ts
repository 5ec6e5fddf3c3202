/** Finds parts that belong together. */
import type { HeldEvent } from "../held-events.ts";
import type { Waiting } from "./correlate-state.ts";

/**
 * The first combination of one event of each part, this one among them, whose times are less than `withinMs` apart
 * and that `matches`. First means: with the earliest event of the first part, then of the second, and so on.
 * @returns the events in the order of the parts; undefined where there is none
 */
export function findMatch(
  waiting: Waiting,
  event: HeldEvent,
  withinMs: number,
  matches: (events: readonly HeldEvent[]) => boolean,
): readonly HeldEvent[] | undefined {
  const chosen: HeldEvent[] = [];
  const choose = (firstMs: number, lastMs: number): boolean => {
    const part = chosen.length;
    if (part === waiting.length) return matches(chosen);
    const candidates = part === event.part ? [event] : waiting[part]!;
    for (const candidate of candidates) {
      const [fromMs, toMs] = [Math.min(firstMs, candidate.timeMs), Math.max(lastMs, candidate.timeMs)];
      if (toMs - fromMs >= withinMs) continue;
      chosen.push(candidate);
      if (choose(fromMs, toMs)) return true;
      chosen.pop();
    }
    return false;
  };
  if (waiting.some((list) => list.length === 0)) return undefined;
  return choose(event.timeMs, event.timeMs) ? chosen : undefined;
}
