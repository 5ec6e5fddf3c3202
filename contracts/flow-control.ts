/**
 * The slow outer loop of the flow control: once a minute it pauses or resumes the event source mappings of streams,
 * and people may override it. The control table keeps what it remembers, the overrides, and a record of each change.
 */
import type { LoadSignal } from "./signals.ts";

/** Names of the control table's attributes. An item's content is JSON, in `value`. */
export const controlTable = {
  /** A mapping's name. */
  partitionKey: "mapping",
  /** `override`, `state`, or `change#<ISO time>#<random>`: changes sort by time, and before what stays. */
  sortKey: "item",
  value: "value",
  timeToLive: "expiresAt",
} as const;

/** A mapping that is controlled: one of a function that moves a stream's records to Kafka. */
export interface ControlledMapping {
  /** `forward`, `door-<producer>`: the function's signals go by the same name. */
  readonly name: string;
  readonly uuid: string;
  /** How old a record may become before the mapping gives it up: the stream's retention less a margin for filing it. */
  readonly maxAgeHours: number;
  /** Those whose loads pause it: its function's, but for topics of high priority, which nothing holds back. */
  readonly topics: readonly string[];
}

/** The mapping that drains the spillway, and that of the spillway of high priority, which no load pauses. */
export const FORWARD_MAPPING = "forward";
export const FORWARD_HIGH_MAPPING = "forward-high";
export const doorMapping = (producer: string): string => `door-${producer}`;

/** Neither is part of a name, of Lambda's UUIDs, or of what Kafka allows in a topic's name. */
const [FIELD, TOPIC] = [":", "+"];

export const formatMappings = (mappings: readonly ControlledMapping[]): string =>
  mappings
    .map(({ name, uuid, maxAgeHours, topics }) => [name, uuid, maxAgeHours, topics.join(TOPIC)].join(FIELD))
    .join(",");

/** The reverse of {@link formatMappings}; undefined where the text is none of its kind. */
export function parseMappings(text: string): readonly ControlledMapping[] | undefined {
  const mappings = text.split(",").map((part) => {
    const [name = "", uuid = "", hours = "", topics, ...more] = part.split(FIELD);
    const maxAgeHours = topics !== undefined && more.length === 0 ? Number(hours) : Number.NaN;
    return { name, uuid, maxAgeHours, topics: topics ? topics.split(TOPIC) : [] };
  });
  const valid = mappings.every(
    ({ name, uuid, maxAgeHours, topics }) =>
      name !== "" && uuid !== "" && maxAgeHours > 0 && topics.every((topic) => topic !== ""),
  );
  return valid ? mappings : undefined;
}

/**
 * A pause is the slow answer: from 0.9 on the stream's function waits by itself, and at 1.5 the door refuses normal
 * events, so that above it nothing that waits in a stream is on its way soon. It resumes well below 0.9, as a drain
 * adds load of its own. An update takes up to 90 s: less than five minutes of running would be mostly updates. The options
 * of flow/pausing.ts.
 */
export const flowPausing = {
  pauseAboveLoad: 1.5,
  resumeBelowLoad: 0.7,
  runsInARow: 2,
  minRunGapMs: 30_000,
  maxRunGapMs: 180_000,
  minRunningMs: 300_000,
} as const;

const HOUR_MS = 3_600_000;
/** From a decision to its effect: a run's interval, an update that takes up to 90 s, and one run that fails. */
const EFFECT_MS = 5 * 60_000;

/**
 * How old the oldest record that waits may be while its mapping is paused: half of what the stream allows, so that the
 * other half is left for the drain. Nobody can hold it for longer.
 */
export const maxPausedAgeMs = ({ maxAgeHours }: Pick<ControlledMapping, "maxAgeHours">): number =>
  (maxAgeHours * HOUR_MS) / 2 - EFFECT_MS;

/** While a mapping runs, and records wait, its function is called again and again, and speaks each time. */
const SILENT_MS = 5 * 60_000;

/**
 * Since when the oldest record that waits for a stage has waited, as far as the stage can tell; undefined where it has
 * said nothing of late, and so has nothing to do. Only of use while its mapping runs.
 */
export function oldestWaitingMs(
  signals: readonly LoadSignal[],
  stage: string,
  nowMs: number,
): number | undefined {
  const waiting = signals.flatMap((signal) =>
    signal.stage === stage && nowMs - signal.atMs <= SILENT_MS ? (signal.waitingSinceMs ?? []) : [],
  );
  return waiting.length === 0 ? undefined : Math.min(...waiting, nowMs);
}

/** `hold`: paused. `drain`: running, and its function heeds no load. Without one the loads decide. */
export type OverrideMode = "hold" | "drain";

export interface Override {
  readonly mode: OverrideMode;
  readonly by: string;
  readonly reason: string;
  /** Milliseconds since the epoch. */
  readonly sinceMs: number;
  /** @default until somebody ends it, or the flow control has to */
  readonly untilMs?: number;
}

/** The override that counts now: one whose time is over does not. */
export const overrideAt = (override: Override | undefined, nowMs: number): Override | undefined =>
  override?.untilMs !== undefined && override.untilMs <= nowMs ? undefined : override;

/** Who the flow control is in the records of changes. */
export const FLOW_CONTROL = "flow-control";

/** The record of one change: of a mapping (`running`, `paused`) or of its override (`auto`, `hold`, `drain`). */
export interface Change {
  readonly what: "mapping" | "override";
  readonly from: string;
  readonly to: string;
  /** {@link FLOW_CONTROL}, or the person as the command knows them. */
  readonly by: string;
  readonly reason: string;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
}
