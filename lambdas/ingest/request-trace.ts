/** The span of a request, and the trace context of what comes of it. */
import { formatTraceparent, parseTraceparent, TRACEPARENT } from "../../contracts/traceparent.ts";
import type { RecordedSpan, Tracing } from "../../runtime/tracing.ts";
import type { HttpRequest } from "./body.ts";
import type { IngestOutcome } from "./ingest.ts";
import { isAuthenticated, type Producer, traced } from "./producer.ts";

export interface RequestTrace {
  /** Undefined where the request is not recorded. */
  readonly span: RecordedSpan | undefined;
  /** The producer, with the trace context of its records. */
  readonly sender: Producer;
}

/**
 * Where traces are recorded the door decides about the whole way of the events: what it does not record it passes on as
 * not sampled. Only a caller that the gateway has checked is heard on the matter, and its trace gone on with.
 */
export function beginTrace(
  request: HttpRequest,
  producer: Producer,
  tracing: Tracing | undefined,
): RequestTrace {
  const received = request.headers[TRACEPARENT];
  if (!tracing?.enabled) return { span: undefined, sender: traced(producer, received) };
  const context = parseTraceparent(received);
  const span = tracing.begin("POST /events", isAuthenticated(producer) ? context : undefined);
  const unsampled = context && formatTraceparent({ ...context, sampled: false });
  return { span, sender: traced(producer, span?.traceparent ?? unsampled) };
}

/** Counts and the route; nothing of an event, and not who sent it, which may be a person. */
export function endTrace(span: RecordedSpan, { response, report }: IngestOutcome): void {
  const attributes = {
    "http.request.method": "POST",
    "http.route": "/events",
    "http.response.status_code": response.statusCode!,
    "spillway.events.accepted": report.accepted,
    "spillway.events.refused": report.refused,
    "spillway.events.spilled": report.spilled,
    "spillway.route": routeOf(report),
  };
  const failure = report.delivery?.unavailable;
  if (failure) span.fail(failure, attributes);
  else span.end(attributes);
}

function routeOf({ accepted, spilled }: IngestOutcome["report"]): "kafka" | "spillway" | "both" | "none" {
  if (accepted === 0) return "none";
  if (spilled === 0) return "kafka";
  return spilled === accepted ? "spillway" : "both";
}
