/** How event time is cut into windows. A window is [start, end): its end is exclusive, in milliseconds. */

export interface TumblingWindow {
  readonly kind: "tumbling";
  readonly sizeMs: number;
  readonly offsetMs: number;
}

export type WindowDefinition = TumblingWindow;

/**
 * Fixed windows side by side: each event is in exactly one.
 * @param options.sizeMs length of a window, a positive whole number of milliseconds
 * @param options.offsetMs shifts the windows' starts from the epoch; default 0
 */
export function tumbling({ sizeMs, offsetMs = 0 }: { sizeMs: number; offsetMs?: number }): TumblingWindow {
  return { kind: "tumbling", sizeMs, offsetMs };
}

/** Start of the window that holds `timeMs`. Rounds towards minus infinity: times before 1970 fall right too. */
export function windowStart({ sizeMs, offsetMs }: TumblingWindow, timeMs: number): number {
  return Math.floor((timeMs - offsetMs) / sizeMs) * sizeMs + offsetMs;
}
