/**
 * The topics that events arrive on. Topics that a pipeline writes (results, late) derive from its name, see
 * {@link resultsTopic} and {@link lateTopic}; every failure goes to {@link DEAD_LETTERS_TOPIC}.
 */

const DAY_MS = 86_400_000;

export type Priority = "high" | "normal" | "low";

export interface TopicDefinition {
  /** Partitions cap a pipeline's parallelism; changing them later means a new generation of its state. */
  readonly partitions: number;
  readonly retentionMs: number;
  /** What is shed first under load: low, then normal, then high. */
  readonly priority: Priority;
}

const definitions = {
  flights: { partitions: 4, retentionMs: 7 * DAY_MS, priority: "normal" },
  "user-activity": { partitions: 4, retentionMs: 7 * DAY_MS, priority: "high" },
  clickstream: { partitions: 4, retentionMs: 3 * DAY_MS, priority: "low" },
} as const satisfies Record<string, TopicDefinition>;

export type TopicName = keyof typeof definitions;
export const topics: Readonly<Record<TopicName, TopicDefinition>> = definitions;

/** Original bytes of whatever could not be processed, with its reason in headers (see dead-letter.ts). */
export const DEAD_LETTERS_TOPIC = "dead-letters";
export const DEAD_LETTERS_PARTITIONS = 4;

/** Closed windows of a pipeline, keyed by record key, not compacted (see results.ts). */
export const resultsTopic = (pipeline: string): string => `${pipeline}.results`;

/** Events that came after their window's allowed lateness: original bytes, and how late in a header. */
export const lateTopic = (pipeline: string): string => `${pipeline}.late`;
