/** Tracing that records what a test chooses, and tells what. */
import type { RecordedSpan, Tracing } from "../../../runtime/tracing.ts";

export interface ToldSpan {
  readonly name: string;
  readonly parent?: unknown;
  readonly traceparents?: readonly string[];
  attributes?: Readonly<Record<string, unknown>>;
  failure?: unknown;
}

/** Of every span that is begun. */
export const SPAN_TRACEPARENT = "00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-01";

/** @param chosen whether what begins is recorded; what goes on always is, where it was given any trace context */
export function spans(chosen = true): { readonly tracing: Tracing; readonly told: readonly ToldSpan[] } {
  const told: ToldSpan[] = [];
  const record = (span: ToldSpan): RecordedSpan => {
    told.push(span);
    return {
      traceparent: SPAN_TRACEPARENT,
      end: (attributes = {}) => void Object.assign(span, { attributes }),
      fail: (failure, attributes = {}) => void Object.assign(span, { failure, attributes }),
    };
  };
  return {
    told,
    tracing: {
      enabled: true,
      begin: (name, parent) => (chosen ? record({ name, parent }) : undefined),
      continue: (name, given) => {
        const traceparents = [...given];
        return traceparents.length === 0 ? undefined : record({ name, traceparents });
      },
      flush: async () => undefined,
    },
  };
}
