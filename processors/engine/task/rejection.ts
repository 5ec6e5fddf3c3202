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
  const message = cause instanceof Error ? cause.message : "something that is not an Error was thrown";
  return new Rejection(reason, context === undefined ? message : `${context}: ${message}`, { cause });
}
