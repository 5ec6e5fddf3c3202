/**
 * Every way in which the door refuses. The status follows one rule:
 * - 403: the sender may not send this type;
 * - 400: it cannot be read as what it says it is: not JSON, not UTF-8, not a CloudEvents 1.0 envelope with a time;
 * - 413: it is larger than a limit (contracts/limits.ts);
 * - 415: its content type or encoding is none that is taken here;
 * - 422: it reads well, and the catalogue's rules refuse it: type, data, key, priority, or a time too far ahead;
 * - 429: it is valid, and what it goes to has too much to do for its priority; it may come again after `retry-after`;
 * - 429 `rate-limited`: its producer sends more than it may; the whole request may come again after `retry-after`;
 * - 503: neither Kafka nor the spillway acknowledged the request's events in time.
 */
import type { ProblemType } from "../../runtime/problem.ts";

export const ingestProblems = {
  emptyBody: { code: "empty-body", title: "The body is empty", status: 400 },
  malformedBody: { code: "malformed-body", title: "The body cannot be read", status: 400 },
  invalidEnvelope: { code: "invalid-envelope", title: "Not a valid CloudEvent", status: 400 },
  bodyTooLarge: { code: "body-too-large", title: "The body is too large", status: 413 },
  tooManyEvents: { code: "too-many-events", title: "Too many events in one request", status: 413 },
  eventTooLarge: { code: "event-too-large", title: "The event is too large", status: 413 },
  unsupportedMediaType: { code: "unsupported-media-type", title: "Unsupported content type", status: 415 },
  unsupportedEncoding: { code: "unsupported-encoding", title: "Unsupported content encoding", status: 415 },
  unsupportedDataType: { code: "unsupported-data-type", title: "Unsupported type of data", status: 415 },
  forbiddenType: { code: "forbidden-type", title: "The sender may not send this type", status: 403 },
  unknownType: { code: "unknown-type", title: "Unknown event type", status: 422 },
  invalidData: { code: "invalid-data", title: "The event's data is invalid", status: 422 },
  invalidKey: { code: "invalid-key", title: "The event's key is invalid", status: 422 },
  unknownPriority: { code: "unknown-priority", title: "The type has no such priority", status: 422 },
  timeAhead: { code: "time-too-far-ahead", title: "The event's time is too far ahead", status: 422 },
  overloaded: { code: "overloaded", title: "Too much is waiting already", status: 429 },
  rateLimited: { code: "rate-limited", title: "The producer sends more than it may", status: 429 },
  unavailable: { code: "unavailable", title: "The events could not be stored in time", status: 503 },
} as const satisfies Record<string, ProblemType>;
