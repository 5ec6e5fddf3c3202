/**
 * The trace context that an event belongs to: W3C Trace Context, level 1, section 3.2, as the attribute `traceparent` of
 * an event (CloudEvents' distributed tracing extension) or as the header of that name, of a request or of a record.
 */
export const TRACEPARENT = "traceparent";

const IDS = "(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})";
/** Later versions than 00 may go on after the flags. */
const PATTERN = new RegExp(`^(?:00-${IDS}|(?!00|ff)[0-9a-f]{2}-${IDS}(?:-.*)?)$`);
const MAX_CHARS = 256;
/** Section 3.2.2.5.1: whoever wrote it may have recorded its span. */
const SAMPLED = 1;

export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits: the span that what carries it comes from. */
  readonly spanId: string;
  readonly sampled: boolean;
}

/** Undefined of what is no trace context, which is to be taken for none. */
export function parseTraceparent(traceparent: unknown): TraceContext | undefined {
  if (typeof traceparent !== "string" || traceparent.length > MAX_CHARS) return undefined;
  const found = PATTERN.exec(traceparent);
  if (found === null) return undefined;
  const [traceId, spanId, flags] = found[1] === undefined ? found.slice(4) : found.slice(1);
  return { traceId: traceId!, spanId: spanId!, sampled: (Number.parseInt(flags!, 16) & SAMPLED) === SAMPLED };
}

/** In version 00. */
export const formatTraceparent = ({ traceId, spanId, sampled }: TraceContext): string =>
  `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`;

/** The trace id, 32 hexadecimal digits; undefined of what is no trace context. */
export const traceIdOf = (traceparent: unknown): string | undefined => parseTraceparent(traceparent)?.traceId;
