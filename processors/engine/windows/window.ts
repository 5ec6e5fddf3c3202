/** How event time is cut into windows. A window is [start, end): its end is exclusive, in milliseconds. */

export interface TumblingWindow {
  readonly kind: "tumbling";
  readonly sizeMs: number;
  readonly offsetMs: number;
}

export interface HoppingWindow {
  readonly kind: "hopping";
  readonly sizeMs: number;
  readonly advanceMs: number;
  readonly offsetMs: number;
}

export type WindowDefinition = TumblingWindow | HoppingWindow;

/**
 * Fixed windows side by side: each event is in exactly one.
 * @param options.sizeMs length of a window, a positive whole number of milliseconds
 * @param options.offsetMs shifts the windows' starts from the epoch; default 0
 */
export function tumbling({ sizeMs, offsetMs = 0 }: { sizeMs: number; offsetMs?: number }): TumblingWindow {
  return { kind: "tumbling", sizeMs, offsetMs };
}

/**
 * Fixed windows that overlap, one starting every `advanceMs`: "the last hour, every five minutes". An event is in
 * each window that spans it, `sizeMs / advanceMs` of them, and costs as many updates.
 * @param options.sizeMs length of a window, a positive whole number of milliseconds
 * @param options.advanceMs distance of their starts, at most `sizeMs`
 * @param options.offsetMs shifts the windows' starts from the epoch; default 0
 */
export function hopping({
  sizeMs,
  advanceMs,
  offsetMs = 0,
}: {
  sizeMs: number;
  advanceMs: number;
  offsetMs?: number;
}): HoppingWindow {
  return { kind: "hopping", sizeMs, advanceMs, offsetMs };
}

/** The distance between the starts of two windows that follow each other. */
export const advanceOf = (window: WindowDefinition): number =>
  window.kind === "hopping" ? window.advanceMs : window.sizeMs;

/** Start of the last window that holds `timeMs`. Rounds towards minus infinity: times before 1970 fall right too. */
export function lastWindowStart(window: WindowDefinition, timeMs: number): number {
  const advanceMs = advanceOf(window);
  return Math.floor((timeMs - window.offsetMs) / advanceMs) * advanceMs + window.offsetMs;
}

/** Start of the first window that ends after `timeMs`; with {@link lastWindowStart} it bounds the windows that hold it. */
export function firstWindowStart(window: WindowDefinition, timeMs: number): number {
  return lastWindowStart(window, timeMs - window.sizeMs) + advanceOf(window);
}
