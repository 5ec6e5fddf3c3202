/**
 * The topics that events arrive on. Topics that a pipeline writes (results, late, forwarded) derive from its name, see
 * {@link resultsTopic}, {@link lateTopic} and {@link forwardedTopic}; every failure goes to {@link DEAD_LETTERS_TOPIC}.
 */

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export type Priority = "high" | "normal" | "low";

export interface TopicDefinition {
  /** Partitions cap a pipeline's parallelism; changing them later means a new generation of its state. */
  readonly partitions: number;
  readonly retentionMs: number;
  /**
   * Whether only the newest record of each key is kept, for ever: what a pipeline looks up as a table. Records without
   * a value, which remove a row, stay for `retentionMs`. @default false
   */
  readonly compacted?: boolean;
  /** What is shed first under load: low, then normal, then high. */
  readonly priority: Priority;
  /**
   * For how long its events may lie in the spillway without being late for any pipeline: each that reads it must wait
   * so long for an event. @default nothing is promised: what pipelines do not wait for counts as late
   */
  readonly spillBudgetMs?: number;
}

const definitions = {
  flights: { partitions: 4, retentionMs: 7 * DAY_MS, priority: "normal" },
  "user-activity": { partitions: 4, retentionMs: 7 * DAY_MS, priority: "high" },
  // A visit's page views are worth as much an hour later, and low priority is what is spilled first.
  clickstream: { partitions: 4, retentionMs: 3 * DAY_MS, priority: "low", spillBudgetMs: HOUR_MS },
  "device-telemetry": { partitions: 4, retentionMs: 3 * DAY_MS, priority: "low" },
} as const satisfies Record<string, TopicDefinition>;

export type TopicName = keyof typeof definitions;
/** Topics of a priority. */
export type TopicOf<P extends Priority> = {
  [Name in TopicName]: (typeof definitions)[Name]["priority"] extends P ? Name : never;
}[TopicName];

export const topics: Readonly<Record<TopicName, TopicDefinition>> = definitions;

/** A pipeline's results: the sink is seconds behind; a week is what an operator gets to repair it. */
export const RESULTS_RETENTION_MS = 7 * DAY_MS;
/** Late events and dead letters: what went wrong waits for a person, who may be on holiday. */
export const REJECTED_RETENTION_MS = 14 * DAY_MS;

/** A stage of a pipeline that stopped has this long to come back before what waits for it is gone. */
export const FORWARDED_RETENTION_MS = 7 * DAY_MS;

/** Original bytes of whatever could not be processed, with its reason in headers (see dead-letter.ts). */
export const DEAD_LETTERS_TOPIC = "dead-letters";
export const DEAD_LETTERS_PARTITIONS = 4;

/** Closed windows of a pipeline, keyed by record key, not compacted (see results.ts). */
export const resultsTopic = (pipeline: string): string => `${pipeline}.results`;

/** Elements of a pipeline on their way to the tasks of another key; the stage before it is `<pipeline>.<name>`. */
export const forwardedTopic = (stage: string): string => `${stage}.forwarded`;

/** Events that came after their window's allowed lateness: original bytes, and how late in a header. */
export const lateTopic = (pipeline: string): string => `${pipeline}.late`;
