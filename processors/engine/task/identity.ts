/** What makes two records the same event. */
import type { Source } from "../pipeline/source.ts";
import { Rejection, rejectionOf } from "./rejection.ts";

/** @throws Rejection where the event has no identity that a snapshot can keep */
export function identityOf(source: Source<unknown>, event: unknown): string {
  const identity = rejectionOf("user-code-failed", () => source.identity!(event), "identity threw");
  // The snapshot keeps it as UTF-8: anything else would come back as another identity, or not be written at all.
  if (typeof identity === "string" && identity.isWellFormed()) return identity;
  throw new Rejection("invalid-event", "the event's identity is not well-formed text");
}
