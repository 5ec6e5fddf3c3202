/**
 * Windows that overlap, cut where one of them begins or ends: all times within a slice are in the same windows. So an
 * event is added to one slice, and what a window holds is put together of its slices when it fires (J. Li et al., "No
 * Pane, No Gain", SIGMOD Record 34, 2005).
 */
import { firstWindowStart, type HoppingWindow, lastWindowStart } from "../../windows/window.ts";

/** Start of the slice that holds `timeMs`: there are one or two between the starts of two windows. */
export function sliceStart(window: HoppingWindow, timeMs: number): number {
  const startMs = lastWindowStart(window, timeMs);
  const endsMs = startMs + (window.sizeMs % window.advanceMs);
  return timeMs >= endsMs ? endsMs : startMs;
}

/** End of the last window that the slice is part of. */
export const lastEnd = (window: HoppingWindow, startMs: number): number =>
  lastWindowStart(window, startMs) + window.sizeMs;

/** End of the first window after `afterMs` that the slice is part of; beyond {@link lastEnd} there is none. */
export function endAfter(window: HoppingWindow, startMs: number, afterMs: number): number {
  const firstMs = firstWindowStart(window, startMs) + window.sizeMs;
  if (firstMs > afterMs) return firstMs;
  return firstMs + (Math.floor((afterMs - firstMs) / window.advanceMs) + 1) * window.advanceMs;
}
