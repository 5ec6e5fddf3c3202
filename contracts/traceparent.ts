/**
 * The trace context that an event belongs to: W3C Trace Context, level 1, section 3.2, as the attribute `traceparent` of
 * an event (CloudEvents' distributed tracing extension) or as the header of that name, of a request or of a record. Only
 * the id is passed on here; nothing is sampled or exported.
 */
export const TRACEPARENT = "traceparent";

const IDS = "(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}";
/** Later versions than 00 may go on after the flags. */
const PATTERN = new RegExp(`^(?:00-${IDS}|(?!00|ff)[0-9a-f]{2}-${IDS}(?:-.*)?)$`);
const MAX_CHARS = 256;

/** The trace id, 32 hexadecimal digits; undefined of what is no trace context, which is to be taken for none. */
export function traceIdOf(traceparent: unknown): string | undefined {
  if (typeof traceparent !== "string" || traceparent.length > MAX_CHARS) return undefined;
  const found = PATTERN.exec(traceparent);
  return found?.[1] ?? found?.[2];
}
