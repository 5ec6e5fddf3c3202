/** Why a record or a pane cannot be processed. It stops nothing else: the task writes it to the dead letters. */
import type { DeadLetterReason } from "../../../contracts/dead-letter.ts";

export class Rejection extends Error {
  override readonly name = "Rejection";
  readonly reason: DeadLetterReason;
  constructor(reason: DeadLetterReason, detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.reason = reason;
  }
}

/** Runs code that may throw anything; what it throws becomes a {@link Rejection} with this reason. */
export function rejectionOf<T>(reason: DeadLetterReason, code: () => T, context?: string): T {
  try {
    return code();
  } catch (cause) {
    throw toRejection(reason, cause, context);
  }
}

/** What user code threw, as a rejection. */
export function toRejection(reason: DeadLetterReason, cause: unknown, context?: string): Rejection {
  const message = messageOf(cause);
  return new Rejection(reason, context === undefined ? message : `${context}: ${message}`, { cause });
}

/** The message of what user code threw, which may be anything: also an error whose message throws. */
export function messageOf(cause: unknown): string {
  try {
    // The JSON parser quotes what it could not read, and a payload must not get into a header or a log.
    if (cause instanceof SyntaxError) return "the text could not be parsed";
    if (cause instanceof Error) return String(cause.message);
  } catch {
    // What it says of itself is as wrong as whatever it was thrown for.
  }
  return "something that is not an Error was thrown";
}
