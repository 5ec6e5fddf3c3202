/**
 * Whether a source is paused or runs, decided in runs of about a minute from how loaded those are that work on what it
 * gives. Hysteresis by level and by time; it never pauses for what it does not know, and never past what the source
 * can keep. It holds no timer and reads no clock: what it remembers goes in and comes out.
 */
export interface PausingOptions {
  /** Above it, twice in a row, the source is paused. */
  readonly pauseAboveLoad: number;
  /** Below it, twice in a row, the source is resumed. */
  readonly resumeBelowLoad: number;
  readonly runsInARow: number;
  /** Of two runs nearer to each other than this, only the first counts: it came twice, or somebody asked for it. */
  readonly minRunGapMs: number;
  /** Runs further apart than this are not in a row. */
  readonly maxRunGapMs: number;
  /**
   * What was resumed runs for so long at least, before a load pauses it again. By then it is known what waits: until
   * then what is known from before the pause counts.
   */
  readonly minRunningMs: number;
}

export interface PausingObservation {
  readonly nowMs: number;
  readonly source: "running" | "paused";
  /** The highest load of anybody concerned; undefined: nobody says anything. */
  readonly load: number | undefined;
  /** While it runs: since when the oldest of what waits has waited, as far as is known. */
  readonly waitingSinceMs: number | undefined;
  /** When the source was changed last, by whomever; needed where somebody else has paused it. */
  readonly modifiedMs: number;
  /** How old what waits may become while the source is paused. */
  readonly maxPausedAgeMs: number;
  /** What a person has ordered. */
  readonly override: "hold" | "drain" | undefined;
}

export interface PausingMemory {
  /** The last run; absent before the first. */
  readonly observedMs?: number;
  /** Runs in a row in which the load was above the higher level, and below the lower one. */
  readonly highRuns: number;
  readonly lowRuns: number;
  /** While it is paused: since when. */
  readonly pausedMs?: number;
  /** While it runs: since when, where it was paused before. */
  readonly resumedMs?: number;
  /** The earliest moment at which anything that waits arrived; absent while nothing is known to wait. */
  readonly oldestMs?: number;
}

export type PausingReason =
  | "load-high"
  | "load-low"
  | "no-signals"
  | "held"
  | "ordered-to-run"
  | "waited-too-long";

export interface PausingDecision {
  readonly memory: PausingMemory;
  readonly change?: {
    readonly to: "running" | "paused";
    readonly reason: PausingReason;
    /** To be remembered in place of `memory` once the change is made. */
    readonly memory: PausingMemory;
  };
  /** An order to hold that cannot be followed any more, and must not come into force again by itself. */
  readonly endsHold: boolean;
}

export const FIRST_MEMORY: PausingMemory = { highRuns: 0, lowRuns: 0 };

/** A pause that could only be short is not begun: what waits must be younger than this share of its limit. */
const MAX_AGE_SHARE_AT_START = 0.5;

export function decidePausing(
  observation: PausingObservation,
  memory: PausingMemory,
  options: PausingOptions,
): PausingDecision {
  const next = { ...countRuns(observation, memory, options), ...timesOf(observation, memory, options) };
  return observation.source === "paused"
    ? whilePaused(observation, next, options)
    : whileRunning(observation, next, options);
}

type Runs = Pick<PausingMemory, "observedMs" | "highRuns" | "lowRuns">;

function countRuns(
  { nowMs, load }: PausingObservation,
  { observedMs = Number.NEGATIVE_INFINITY, highRuns, lowRuns }: PausingMemory,
  { minRunGapMs, maxRunGapMs, pauseAboveLoad, resumeBelowLoad }: PausingOptions,
): Runs {
  const gapMs = nowMs - observedMs;
  if (gapMs < minRunGapMs) return { observedMs, highRuns, lowRuns };
  const inARow = gapMs <= maxRunGapMs;
  return {
    observedMs: nowMs,
    highRuns: load !== undefined && load > pauseAboveLoad ? (inARow ? highRuns : 0) + 1 : 0,
    lowRuns: load !== undefined && load < resumeBelowLoad ? (inARow ? lowRuns : 0) + 1 : 0,
  };
}

type Times = Pick<PausingMemory, "pausedMs" | "resumedMs" | "oldestMs">;

function timesOf(
  { nowMs, source, waitingSinceMs = nowMs, modifiedMs }: PausingObservation,
  { pausedMs, resumedMs, oldestMs }: PausingMemory,
  { minRunningMs }: PausingOptions,
): Times {
  if (source === "paused") {
    if (pausedMs !== undefined) return { pausedMs, oldestMs: oldestMs ?? pausedMs };
    // Somebody else paused it, when it was changed last.
    return { pausedMs: modifiedMs, oldestMs: Math.min(modifiedMs, waitingSinceMs, oldestMs ?? nowMs) };
  }
  // Remembered as paused: somebody else resumed it.
  const sinceMs = pausedMs === undefined ? resumedMs : modifiedMs;
  const since: Times = sinceMs === undefined ? {} : { resumedMs: sinceMs };
  if (waitingSinceMs < nowMs) return { ...since, oldestMs: waitingSinceMs };
  const unheard = sinceMs !== undefined && nowMs - sinceMs < minRunningMs;
  return unheard && oldestMs !== undefined ? { ...since, oldestMs } : since;
}

function whilePaused(
  { nowMs, load, maxPausedAgeMs, override }: PausingObservation,
  memory: PausingMemory,
  { runsInARow }: PausingOptions,
): PausingDecision {
  const { pausedMs = nowMs, oldestMs = pausedMs } = memory;
  const resume = (reason: PausingReason, endsHold = false): PausingDecision => ({
    memory,
    change: {
      to: "running",
      reason,
      memory: { highRuns: 0, lowRuns: 0, observedMs: nowMs, resumedMs: nowMs, oldestMs },
    },
    endsHold,
  });
  if (nowMs - oldestMs >= maxPausedAgeMs) return resume("waited-too-long", override === "hold");
  if (override === "drain") return resume("ordered-to-run");
  if (override === "hold") return { memory, endsHold: false };
  if (load === undefined) return resume("no-signals");
  return memory.lowRuns >= runsInARow ? resume("load-low") : { memory, endsHold: false };
}

function whileRunning(
  { nowMs, maxPausedAgeMs, override }: PausingObservation,
  memory: PausingMemory,
  { runsInARow, minRunningMs }: PausingOptions,
): PausingDecision {
  const { oldestMs = nowMs, resumedMs = Number.NEGATIVE_INFINITY } = memory;
  const ageMs = nowMs - oldestMs;
  const pause = (reason: PausingReason): PausingDecision => ({
    memory,
    change: {
      to: "paused",
      reason,
      memory: { highRuns: 0, lowRuns: 0, observedMs: nowMs, pausedMs: nowMs, oldestMs },
    },
    endsHold: false,
  });
  if (override === "drain") return { memory, endsHold: false };
  if (override === "hold") {
    return ageMs < maxPausedAgeMs ? pause("held") : { memory, endsHold: true };
  }
  const settled = nowMs - resumedMs >= minRunningMs;
  const young = ageMs < MAX_AGE_SHARE_AT_START * maxPausedAgeMs;
  return memory.highRuns >= runsInARow && settled && young ? pause("load-high") : { memory, endsHold: false };
}
