/** What types cannot say about a definition, checked when the pipeline is made: before anything is consumed. */
import type { Emission } from "../windows/emission.ts";
import { advanceOf, type FixedWindow, type Trigger, type WindowDefinition } from "../windows/window.ts";

/** Windows that one event may be in. A day that advances by the minute is 1,440. */
const MAX_WINDOWS_PER_EVENT = 1_440;

/** A mistake in a pipeline's definition: which pipeline, which setting, what is allowed. */
export class PipelineError extends Error {
  override readonly name = "PipelineError";
  readonly code = "PIPELINE_INVALID";
}

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** A value in a message. A module that is run without its types being checked may have any. */
export function shown(value: unknown): string {
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "a list" : "an object";
  if (typeof value === "function") return "a function";
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

/** Names of pipelines and branches go into topics, groups and routes. */
export function requireName(what: string, name: string): void {
  if (typeof name === "string" && NAME.test(name) && name.length <= 64) return;
  throw new PipelineError(
    `${what} ${shown(name)}: use up to 64 lower-case letters, digits and single hyphens`,
  );
}

/** What Kafka refuses as a topic's name would be known only once the pipeline is deployed. */
const TOPIC = /^(?!\.{1,2}$)[a-zA-Z0-9._-]{1,249}$/;

/** @throws PipelineError where Kafka has no topic of that name */
export function requireTopic(pipeline: string, setting: string, topic: unknown): void {
  if (typeof topic === "string" && TOPIC.test(topic)) return;
  throw new PipelineError(
    `pipeline ${pipeline}: ${setting} is ${shown(topic)}; Kafka takes up to 249 letters a to z and A to Z, digits, ` +
      'periods, underscores and hyphens, but neither "." nor ".."',
  );
}

/** @throws PipelineError where the value is none of these */
export function requireOneOf(
  pipeline: string,
  setting: string,
  value: unknown,
  allowed: readonly unknown[],
): void {
  if (allowed.includes(value)) return;
  throw new PipelineError(
    `pipeline ${pipeline}: ${setting} is ${shown(value)}; it must be ${allowed.map(shown).join(" or ")}`,
  );
}

/** @throws PipelineError where the value is no function */
export function requireFunction(pipeline: string, setting: string, value: unknown): void {
  if (typeof value === "function") return;
  throw new PipelineError(`pipeline ${pipeline}: ${setting} is ${shown(value)}; it must be a function`);
}

/** @throws PipelineError where the value is there, and no function */
export function requireOptionalFunction(pipeline: string, setting: string, value: unknown): void {
  if (value !== undefined) requireFunction(pipeline, setting, value);
}

/** A result's fields are an object's: `__proto__` would be lost without a word. */
export function requireFieldNames(pipeline: string, names: readonly string[]): void {
  if (names.length === 0) throw new PipelineError(`pipeline ${pipeline}: aggregate() needs a field`);
  for (const name of names) {
    if (/^[A-Za-z][A-Za-z0-9_]*$/.test(name) && name.length <= 64) continue;
    throw new PipelineError(
      `pipeline ${pipeline}: the field "${name}" must be a letter, then up to 63 letters, digits and underscores`,
    );
  }
}

export function requireWindow(pipeline: string, window: WindowDefinition): void {
  switch (window?.kind) {
    case "tumbling":
    case "hopping":
      requireDuration(pipeline, "window.sizeMs", window.sizeMs, 1);
      requireDuration(pipeline, "window.advanceMs", advanceOf(window), 1);
      requireWhole(pipeline, "window.offsetMs", window.offsetMs);
      requireOverlap(pipeline, window);
      return;
    case "sliding":
      requireDuration(pipeline, "window.sizeMs", window.sizeMs, 1);
      return;
    case "session":
      requireDuration(pipeline, "window.gapMs", window.gapMs, 1);
      return;
    case "global":
      requireTrigger(pipeline, window.trigger);
      return;
    default:
      throw new PipelineError(
        `pipeline ${pipeline}: window is ${shown(window)}; make it with tumbling(…), hopping(…), sliding(…), ` +
          "session(…) or global(…)",
      );
  }
}

/** A module that is run without its types being checked may have any. */
function requireTrigger(pipeline: string, trigger: Partial<Trigger> | undefined): void {
  switch (trigger?.kind) {
    case "on-update":
      return;
    case "every":
      requireDuration(pipeline, "window.trigger.everyMs", trigger.everyMs ?? Number.NaN, 1);
      return;
    case "every-count":
      requireCount(pipeline, "window.trigger.count", trigger.count ?? Number.NaN);
      return;
    default:
      throw new PipelineError(
        `pipeline ${pipeline}: a global window never closes, so it needs a trigger: ` +
          "everyCount(…), everyEventTimeMs(…) or onUpdate()",
      );
  }
}

export function requireLateness(pipeline: string, window: WindowDefinition, allowedLatenessMs: number): void {
  requireDuration(pipeline, "allowedLatenessMs", allowedLatenessMs, 0);
  if (window.kind !== "global" || allowedLatenessMs === 0) return;
  throw new PipelineError(
    `pipeline ${pipeline}: nothing is late for a global window, which never closes; drop allowedLatenessMs`,
  );
}

export function requireEmission(pipeline: string, window: WindowDefinition, { emit, panes }: Emission): void {
  requireOneOf(pipeline, "emit.kind", emit?.kind, ["on-close", "on-update", "every"]);
  requireOneOf(pipeline, "panes", panes, ["accumulating", "discarding"]);
  if (emit.kind === "every") requireDuration(pipeline, "emit.everyMs", emit.everyMs, 1);
  if (window.kind === "global" && emit.kind !== "on-close") {
    throw new PipelineError(
      `pipeline ${pipeline}: a global window's trigger says when it is emitted; drop emit`,
    );
  }
  if (window.kind === "sliding" && (emit.kind !== "on-close" || panes !== "accumulating")) {
    throw new PipelineError(
      `pipeline ${pipeline}: sliding windows are emitted on close and accumulate; drop emit and panes`,
    );
  }
}

/** A window shorter than its advance would leave events in no window; each overlap costs an update an event. */
function requireOverlap(pipeline: string, window: FixedWindow): void {
  const overlaps = window.sizeMs / advanceOf(window);
  if (overlaps >= 1 && overlaps <= MAX_WINDOWS_PER_EVENT) return;
  throw new PipelineError(
    `pipeline ${pipeline}: window.sizeMs / window.advanceMs is ${overlaps}; it must be 1 to ${MAX_WINDOWS_PER_EVENT}`,
  );
}

/**
 * Half of what a date can hold, like the time of an event: the two together are milliseconds that a number holds.
 * 137,000 years are for ever.
 */
const MAX_DURATION_MS = 4.32e15;

/** @throws PipelineError where it is not a whole number of milliseconds, less than `leastMs`, or more than can be */
export function requireDuration(pipeline: string, setting: string, valueMs: number, leastMs: number): void {
  requireWhole(pipeline, setting, valueMs);
  if (valueMs < leastMs) {
    throw new PipelineError(
      `pipeline ${pipeline}: ${setting} is ${valueMs}; it must be at least ${leastMs} ms`,
    );
  }
}

function requireWhole(pipeline: string, setting: string, valueMs: number): void {
  if (!Number.isSafeInteger(valueMs)) {
    throw new PipelineError(
      `pipeline ${pipeline}: ${setting} is ${shown(valueMs)}; it must be a whole number of milliseconds`,
    );
  }
  if (Math.abs(valueMs) > MAX_DURATION_MS) {
    throw new PipelineError(
      `pipeline ${pipeline}: ${setting} is ${valueMs}; it must be at most ${MAX_DURATION_MS} ms`,
    );
  }
}

/** @throws PipelineError where it is no whole number from 1 */
export function requireCount(pipeline: string, setting: string, value: unknown): void {
  if (Number.isSafeInteger(value) && (value as number) >= 1) return;
  throw new PipelineError(
    `pipeline ${pipeline}: ${setting} is ${shown(value)}; it must be a whole number from 1`,
  );
}

/** @throws PipelineError where the value is no number above 0 */
export function requireRate(pipeline: string, setting: string, value: unknown): void {
  if (Number.isFinite(value) && (value as number) > 0) return;
  throw new PipelineError(`pipeline ${pipeline}: ${setting} is ${shown(value)}; it must be a number above 0`);
}

/** A JavaScript Map ends at 2^24 entries, and a task may need several of them for one entry. */
const MAX_ENTRIES = 16_000_000;

/** More than any heap holds. */
const MAX_IDS = 1_000_000_000;

/** @throws PipelineError where a task cannot hold so many */
export function requireEntries(pipeline: string, entries: number): void {
  requireWithin(pipeline, "maxEntriesPerTask", entries, MAX_ENTRIES);
}

/** @throws PipelineError where a task cannot remember so many */
export function requireIds(pipeline: string, ids: number): void {
  requireWithin(pipeline, "maxIdsPerTask", ids, MAX_IDS);
}

/** @throws PipelineError where it is no number of records */
export function requireBacklog(pipeline: string, records: number): void {
  requireWithin(pipeline, "maxBacklogRecordsPerTask", records, Number.MAX_SAFE_INTEGER);
}

function requireWithin(pipeline: string, setting: string, value: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= 1 && value <= most) return;
  throw new PipelineError(
    `pipeline ${pipeline}: ${setting} is ${shown(value)}; it must be a whole number from 1 to ${most}`,
  );
}
