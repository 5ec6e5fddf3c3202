/**
 * The dead-letter envelope. The value is the original bytes, unchanged; everything about the failure is in
 * Kafka headers (UTF-8 text), so that a redrive can send the value back as it was.
 */

export const deadLetterHeaders = {
  /** One of {@link DeadLetterReason}. */
  reason: "spillway-reason",
  /** A sentence that says what was wrong; never the payload. */
  detail: "spillway-detail",
  /** The pipeline or function that gave up on it. */
  stage: "spillway-stage",
  topic: "spillway-topic",
  partition: "spillway-partition",
  offset: "spillway-offset",
  /** In the place of topic, partition and offset: where a record of a Kinesis stream was. */
  stream: "spillway-stream",
  shard: "spillway-shard",
  sequence: "spillway-sequence",
  /** A {@link DeadLetterContent}. */
  content: "spillway-content",
  /** Only of an excerpt: how many bytes the source record's value has. */
  valueBytes: "spillway-value-bytes",
} as const;

/**
 * `record`: the value is the source record's. `excerpt`: the first bytes of it, where key and value are more than a
 * message of the topic may hold. `pane`: JSON of key, window and encoded state of a result that could not be made.
 */
export type DeadLetterContent = "record" | "excerpt" | "pane";

/** A closed set: a new reason is a change of contract, and each has a row in docs/dead-letters.md. */
export type DeadLetterReason =
  | "undecodable"
  | "invalid-event"
  | "refused-at-door"
  | "invalid-key"
  | "key-elsewhere"
  | "missing-time"
  | "too-far-ahead"
  | "key-too-large"
  | "user-code-failed"
  | "enrichment-failed"
  | "state-full"
  | "refused-by-table";

/** Headers of a late event: its dead-letter origin headers, and how late it was. */
export const lateHeaders = {
  pipeline: deadLetterHeaders.stage,
  topic: deadLetterHeaders.topic,
  partition: deadLetterHeaders.partition,
  offset: deadLetterHeaders.offset,
  /** Milliseconds between the watermark and the end of the last window it missed, plus lateness. */
  lateByMs: "spillway-late-by-ms",
  valueBytes: deadLetterHeaders.valueBytes,
} as const;

/** Header of an in-band watermark record (null key, null value): event time in milliseconds, decimal text. */
export const WATERMARK_HEADER = "spillway-watermark-ms";

/**
 * Headers of a watermark record that one stage of a pipeline writes for the next: which of the stage's tasks speaks, as
 * `<task>/<tasks>` in decimal, and `1` where that task's inputs are all silent, so that it holds nobody back.
 * `-Infinity` is a watermark there: of a task that has had no event.
 */
export const WATERMARK_TASK_HEADER = "spillway-watermark-task";
export const WATERMARK_IDLE_HEADER = "spillway-watermark-idle";
