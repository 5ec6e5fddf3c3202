/** How event time is cut into windows. A window is [start, end): its end is exclusive, in milliseconds. */
import type { EmitEvery, EmitOnUpdate } from "./emission.ts";

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

/** A window for every distinct set of events that lie within `sizeMs` of each other, both ends inclusive. */
export interface SlidingWindow {
  readonly kind: "sliding";
  readonly sizeMs: number;
}

export interface SessionWindow {
  readonly kind: "session";
  readonly gapMs: number;
}

/** One window for all time: only its trigger says when it is emitted. */
export interface GlobalWindow {
  readonly kind: "global";
  readonly trigger: Trigger;
}

export type Trigger = EmitEvery | EmitOnUpdate | CountTrigger;

export interface CountTrigger {
  readonly kind: "every-count";
  readonly count: number;
}

export type FixedWindow = TumblingWindow | HoppingWindow;
export type WindowDefinition = FixedWindow | SlidingWindow | SessionWindow | GlobalWindow;

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
 * each window that spans it, `sizeMs / advanceMs` of them. Where they are emitted when they close, at most 100 of
 * them overlap, and no aggregate is of your own code, it costs one update, and a window is put together when it fires; else
 * as many updates.
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

/**
 * As Kafka Streams has them: for each event one window that ends with it, and one that begins right after it where
 * that holds anything. Both ends are inclusive, so a window that ends with an event at t is printed, and fires, with
 * end = t + 1. "More than five payments within any minute" is a question for these.
 * @param options.sizeMs how far apart two events of a window may be, a positive whole number of milliseconds
 */
export const sliding = ({ sizeMs }: { sizeMs: number }): SlidingWindow => ({ kind: "sliding", sizeMs });

/**
 * Events of a key that follow each other with no more than `gapMs` between two of them are one session; exactly one
 * gap apart is still one. A session is [first event, last event + gap).
 * @param options.gapMs the longest pause within a session, a positive whole number of milliseconds
 */
export const session = ({ gapMs }: { gapMs: number }): SessionWindow => ({ kind: "session", gapMs });

/**
 * One window for all time and each key. It never closes, so its trigger says when it is emitted: {@link everyCount},
 * `everyEventTimeMs` or `onUpdate`. Its state stays for as long as the pipeline runs.
 */
export const global = ({ trigger }: { trigger: Trigger }): GlobalWindow => ({ kind: "global", trigger });

/** A trigger: at every nth event of a key. */
export const everyCount = (count: number): CountTrigger => ({ kind: "every-count", count });

/** What the results of a global window say: all time that a date can hold, from the epoch on. */
export const GLOBAL_WINDOW = { start: 0, end: 8_640_000_000_000_000 } as const;

/** The distance between the starts of two windows that follow each other. */
export const advanceOf = (window: FixedWindow): number =>
  window.kind === "hopping" ? window.advanceMs : window.sizeMs;

/** Start of the last window that holds `timeMs`. Rounds towards minus infinity: times before 1970 fall right too. */
export function lastWindowStart(window: FixedWindow, timeMs: number): number {
  const advanceMs = advanceOf(window);
  return Math.floor((timeMs - window.offsetMs) / advanceMs) * advanceMs + window.offsetMs;
}

/** Start of the first window that ends after `timeMs`; with {@link lastWindowStart} it bounds the windows that hold it. */
export function firstWindowStart(window: FixedWindow, timeMs: number): number {
  return lastWindowStart(window, timeMs - window.sizeMs) + advanceOf(window);
}
