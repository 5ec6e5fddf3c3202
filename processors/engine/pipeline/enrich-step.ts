/** The step `enrich`: a service is asked about each event. */
import type { DeepReadonly } from "../operators/frozen-json.ts";
import {
  PipelineError,
  requireCount,
  requireDuration,
  requireFunction,
  requireName,
  requireOneOf,
} from "./checks.ts";
import type { Ask, Enrichment, FailurePolicy } from "./enrichment.ts";
import type { StreamParts } from "./stream-parts.ts";

const DEFAULT_TIMEOUT_MS = 2_000;
const DEFAULT_MAX_ATTEMPTS = 3;
const DEFAULT_MAX_IN_FLIGHT = 50;

export interface EnrichOptions<Event, Answer, Next> {
  /** What the service is called in explanations, dead letters and logs: lower-case words joined by hyphens. */
  readonly service: string;
  /**
   * What to ask about an event, as text; null: nothing. Equal questions that wait at the same time are asked once. An
   * event that is late by age, or a duplicate, is not asked about.
   */
  readonly question: (event: Event) => string | null;
  /**
   * Calls the service; the signal aborts at the timeout, or when the task ends. It may be called again with the same
   * question, after a failure or a crash. The answer is JSON of at most 64 KiB; to reject is to fail.
   */
  readonly ask: (question: string, call: { readonly signal: AbortSignal }) => Promise<Answer>;
  /**
   * The event with its answer, which is frozen; `undefined` where nothing was asked, or the service was skipped. Runs
   * when the event is applied, so it must depend on its arguments alone.
   */
  readonly combine: (event: Event, answer: DeepReadonly<Answer> | undefined) => Next;
  /**
   * What to do once every attempt has failed: `dead-letter` the record (`enrichment-failed`), or `skip` the service, so
   * that `combine` is given `undefined`. Default: `dead-letter`.
   */
  readonly onFailure?: FailurePolicy;
  /** How long an attempt may take, milliseconds. Default: 2,000. */
  readonly timeoutMs?: number;
  /** How often a question is asked before it has failed; the pauses between double from 100 ms. Default: 3. */
  readonly maxAttempts?: number;
  /** Calls that a task makes at the same time. Default: 50. */
  readonly maxInFlight?: number;
}

/**
 * The stream with the step behind it.
 * @throws PipelineError where an option cannot be, or the stream has such a step already
 */
export function enriched<Event, Answer, Next>(
  parts: StreamParts,
  options: EnrichOptions<Event, Answer, Next>,
): StreamParts {
  if (parts.enrich !== null) {
    throw new PipelineError(
      `pipeline ${parts.name}: enrich() comes twice before the key; ask both services in one, or rekeyBy in between`,
    );
  }
  const enrich = enrichment(parts.name, options);
  return { ...parts, enrich, others: parts.others.map((other) => enriched(other, options)) };
}

function enrichment<Event, Answer, Next>(
  pipeline: string,
  options: EnrichOptions<Event, Answer, Next>,
): Enrichment {
  const {
    service,
    onFailure = "dead-letter",
    timeoutMs = DEFAULT_TIMEOUT_MS,
    maxAttempts = DEFAULT_MAX_ATTEMPTS,
    maxInFlight = DEFAULT_MAX_IN_FLIGHT,
  } = options;
  requireName(`pipeline ${pipeline}: enrich.service`, service);
  requireFunction(pipeline, "enrich.question", options.question);
  requireFunction(pipeline, "enrich.ask", options.ask);
  requireFunction(pipeline, "enrich.combine", options.combine);
  requireOneOf(pipeline, "enrich.onFailure", onFailure, ["dead-letter", "skip"]);
  requireDuration(pipeline, "enrich.timeoutMs", timeoutMs, 1);
  requireCount(pipeline, "enrich.maxAttempts", maxAttempts);
  requireCount(pipeline, "enrich.maxInFlight", maxInFlight);
  return {
    service,
    question: options.question as Enrichment["question"],
    ask: options.ask as Ask,
    combine: options.combine as Enrichment["combine"],
    onFailure,
    timeoutMs,
    maxAttempts,
    maxInFlight,
    after: null,
  };
}
