/**
 * The errors that functions and services end with: a closed set. Each has a code to search logs and alarms by, the
 * error that caused it, and what to do next.
 */

export type ErrorCode =
  | "CONFIGURATION"
  | "KAFKA_UNAVAILABLE"
  | "TABLE_UNAVAILABLE"
  | "BUCKET_UNAVAILABLE"
  | "SPILLWAY_UNAVAILABLE"
  | "BUS_UNAVAILABLE"
  | "WEBHOOK_REFUSED"
  | "REQUEST_REFUSED";

export abstract class SpillwayError extends Error {
  abstract readonly code: ErrorCode;
  /** What the one who reads this should do. */
  readonly next: string;

  constructor(message: string, next: string, cause?: unknown) {
    super(message, { cause });
    this.next = next;
  }
}

/** Something that the stack must set is missing or cannot be used. */
export class ConfigurationError extends SpillwayError {
  override readonly name = "ConfigurationError";
  readonly code = "CONFIGURATION";
}

/** Kafka did not acknowledge every record in time. Whether some were written is unknown: send them again. */
export class KafkaUnavailableError extends SpillwayError {
  override readonly name = "KafkaUnavailableError";
  readonly code = "KAFKA_UNAVAILABLE";
}

/** A table refused or did not answer for a reason that lies not in the item; the same call may succeed later. */
export class TableUnavailableError extends SpillwayError {
  override readonly name = "TableUnavailableError";
  readonly code = "TABLE_UNAVAILABLE";
}

/** A bucket refused or did not answer; the same call may succeed later. */
export class BucketUnavailableError extends SpillwayError {
  override readonly name = "BucketUnavailableError";
  readonly code = "BUCKET_UNAVAILABLE";
}

/** The spillway stream did not take every record in time. Whether some were written is unknown: send them again. */
export class SpillwayUnavailableError extends SpillwayError {
  override readonly name = "SpillwayUnavailableError";
  readonly code = "SPILLWAY_UNAVAILABLE";
}

/** The event bus did not take every notice in time. Whether some were taken is unknown: put them again. */
export class BusUnavailableError extends SpillwayError {
  override readonly name = "BusUnavailableError";
  readonly code = "BUS_UNAVAILABLE";
}

/** The webhook's receiver did not answer 2xx. Whether it took the notice is unknown: send it again, with its id. */
export class WebhookRefusedError extends SpillwayError {
  override readonly name = "WebhookRefusedError";
  readonly code = "WEBHOOK_REFUSED";
}
