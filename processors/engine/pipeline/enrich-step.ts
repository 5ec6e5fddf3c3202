/** The step `enrich`: a service is asked about each event. */
import type { DeepReadonly } from "../operators/frozen-json.ts";
import {
  PipelineError,
  requireCount,
  requireDuration,
  requireFunction,
  requireName,
  requireOneOf,
  requireRate,
} from "./checks.ts";
import type { AnswerCache, Ask, Enrichment, FailurePolicy } from "./enrichment.ts";
import type { StreamParts } from "./stream-parts.ts";

const DEFAULT_TIMEOUT_MS = 2_000;
const DEFAULT_MAX_ATTEMPTS = 3;
const DEFAULT_MAX_IN_FLIGHT = 50;
const DEFAULT_SKIP_ABOVE_WAITING_RECORDS = 10_000;

interface Asked<Event, Answer, Next> {
  /** What the service is called in explanations, dead letters and logs: lower-case words joined by hyphens. */
  readonly service: string;
  /**
   * What to ask about an event, as text; null: nothing. Equal questions that wait at the same time are asked once. An
   * event that is late by age, or a duplicate, is not asked about.
   */
  readonly question: (event: Event) => string | null;
  /**
   * The event with its answer, which is frozen; `undefined` where nothing was asked, or the service was skipped. Runs
   * when the event is applied, so it must depend on its arguments alone.
   */
  readonly combine: (event: Event, answer: DeepReadonly<Answer> | undefined) => Next;
  /** How long an attempt may take, milliseconds. Default: 2,000. */
  readonly timeoutMs?: number;
  /**
   * How often a question is asked before it has failed; the pauses between double from 100 ms, and are longer where a
   * process's retries are more than a tenth of its calls. Default: 3.
   */
  readonly maxAttempts?: number;
  /** Calls at the same time for each task that a process runs, which share them. Default: 50. */
  readonly maxInFlight?: number;
  /**
   * Calls a second of all tasks of the pipeline together, whatever a call asks. A process has the share of its tasks, so
   * the whole is used up only where every process is busy. Default: no limit.
   */
  readonly maxRequestsPerSecond?: number;
  /** Answers that a process uses again. Failures are not kept. Default: none. */
  readonly cache?: AnswerCache;
}

/**
 * The call; the signal aborts at the timeout, or when nobody waits for it any more. It may be made again with the same
 * questions, after a failure or a crash. An answer is JSON of at most 64 KiB. To reject is to say that the service
 * failed: more than 5 % of such calls keep all others from it for a while. That it does not know something is an answer.
 * @see TryLaterError for what to reject with where it has too much to do
 */
type Call<Answer> =
  | {
      readonly ask: (question: string, call: { readonly signal: AbortSignal }) => Promise<Answer>;
      readonly askMany?: never;
      readonly maxQuestionsPerCall?: never;
    }
  | {
      /** An answer for each question, in their order; an `Error` among them is a failure of that question alone. */
      readonly askMany: (
        questions: readonly string[],
        call: { readonly signal: AbortSignal },
      ) => Promise<readonly (Answer | Error)[]>;
      /** The most that a call asks; fewer while the time for each rises. */
      readonly maxQuestionsPerCall: number;
      readonly ask?: never;
    };

interface Necessary {
  /**
   * What to do once every attempt has failed: `dead-letter` the record (`enrichment-failed`), or `skip` the service, so
   * that `combine` is given `undefined`. While it is known to be away, `dead-letter` waits for it, `skip` goes on.
   * Default: `dead-letter`.
   */
  readonly onFailure?: FailurePolicy;
  readonly optional?: false;
  readonly skipAboveWaitingRecords?: never;
}

interface Optional {
  /**
   * The service is skipped while it is away, while more records wait than stated, and where every attempt has failed:
   * `combine` is given `undefined`, and what it returns gets `degraded: true`.
   */
  readonly optional: true;
  /** Records of a task's partition that wait; above it nothing is asked until half of them do. Default: 10,000. */
  readonly skipAboveWaitingRecords?: number;
  readonly onFailure?: never;
}

export type EnrichOptions<Event, Answer, Next> = Asked<Event, Answer, Next> & Call<Answer> & Necessary;

export type OptionalEnrichOptions<Event, Answer, Next> = Asked<Event, Answer, Next> & Call<Answer> & Optional;

export type AnyEnrichOptions<Event, Answer, Next> =
  | EnrichOptions<Event, Answer, Next>
  | OptionalEnrichOptions<Event, Answer, Next>;

/** What an element says that went on without an answer of an optional service. */
export interface Degradable {
  readonly degraded?: true;
}

/** As JavaScript may pass them: checked below. */
type Unchecked = Asked<never, unknown, unknown> & {
  readonly ask?: (question: string, call: { readonly signal: AbortSignal }) => Promise<unknown>;
  readonly askMany?: Ask;
  readonly maxQuestionsPerCall?: number;
  readonly onFailure?: FailurePolicy;
  readonly optional?: boolean;
  readonly skipAboveWaitingRecords?: number;
};

/**
 * The stream with the step behind it.
 * @throws PipelineError where an option cannot be, or the stream has such a step already
 */
export function enriched<Event, Answer, Next>(
  parts: StreamParts,
  options: AnyEnrichOptions<Event, Answer, Next>,
): StreamParts {
  if (parts.enrich !== null) {
    throw new PipelineError(
      `pipeline ${parts.name}: enrich() comes twice before the key; ask both services in one, or rekeyBy in between`,
    );
  }
  const enrich = enrichment(parts.name, options as unknown as Unchecked);
  return { ...parts, enrich, others: parts.others.map((other) => enriched(other, options)) };
}

function enrichment(pipeline: string, options: Unchecked): Enrichment {
  const { service, timeoutMs = DEFAULT_TIMEOUT_MS, cache = null, maxRequestsPerSecond = null } = options;
  const { maxAttempts = DEFAULT_MAX_ATTEMPTS, maxInFlight = DEFAULT_MAX_IN_FLIGHT } = options;
  requireName(`pipeline ${pipeline}: enrich.service`, service);
  requireFunction(pipeline, "enrich.question", options.question);
  requireFunction(pipeline, "enrich.combine", options.combine);
  requireDuration(pipeline, "enrich.timeoutMs", timeoutMs, 1);
  requireCount(pipeline, "enrich.maxAttempts", maxAttempts);
  requireCount(pipeline, "enrich.maxInFlight", maxInFlight);
  if (maxRequestsPerSecond !== null) {
    requireRate(pipeline, "enrich.maxRequestsPerSecond", maxRequestsPerSecond);
  }
  if (cache !== null) {
    requireDuration(pipeline, "enrich.cache.ttlMs", cache.ttlMs, 1);
    requireCount(pipeline, "enrich.cache.maxEntries", cache.maxEntries);
  }
  return {
    service,
    question: options.question as Enrichment["question"],
    ...callOf(pipeline, options),
    ...necessityOf(pipeline, options),
    timeoutMs,
    maxAttempts,
    maxInFlight,
    maxRequestsPerSecond,
    cache,
    after: null,
  };
}

function callOf(
  pipeline: string,
  { ask, askMany, maxQuestionsPerCall }: Unchecked,
): Pick<Enrichment, "ask" | "maxQuestionsPerCall"> {
  if (askMany === undefined) {
    requireFunction(pipeline, "enrich.ask", ask);
    if (maxQuestionsPerCall !== undefined) {
      throw new PipelineError(`pipeline ${pipeline}: enrich.maxQuestionsPerCall goes with enrich.askMany`);
    }
    return { ask: async ([question], call) => [await ask!(question!, call)], maxQuestionsPerCall: 1 };
  }
  if (ask !== undefined) {
    throw new PipelineError(`pipeline ${pipeline}: enrich has ask and askMany; state one of them`);
  }
  requireFunction(pipeline, "enrich.askMany", askMany);
  requireCount(pipeline, "enrich.maxQuestionsPerCall", maxQuestionsPerCall);
  return { ask: askMany, maxQuestionsPerCall: maxQuestionsPerCall! };
}

function necessityOf(
  pipeline: string,
  options: Unchecked,
): Pick<Enrichment, "combine" | "onFailure" | "skipAboveWaitingRecords"> {
  const { optional = false, onFailure, skipAboveWaitingRecords } = options;
  const combine = options.combine as unknown as Enrichment["combine"];
  requireOneOf(pipeline, "enrich.optional", optional, [true, false]);
  if (!optional) {
    requireOneOf(pipeline, "enrich.onFailure", onFailure ?? "dead-letter", ["dead-letter", "skip"]);
    if (skipAboveWaitingRecords !== undefined) {
      throw new PipelineError(
        `pipeline ${pipeline}: enrich.skipAboveWaitingRecords goes with enrich.optional`,
      );
    }
    return { combine, onFailure: onFailure ?? "dead-letter", skipAboveWaitingRecords: null };
  }
  if (onFailure !== undefined) {
    throw new PipelineError(`pipeline ${pipeline}: enrich.optional skips failures; drop enrich.onFailure`);
  }
  const limit = skipAboveWaitingRecords ?? DEFAULT_SKIP_ABOVE_WAITING_RECORDS;
  requireCount(pipeline, "enrich.skipAboveWaitingRecords", limit);
  return { combine: sayingSo(combine), onFailure: "skip", skipAboveWaitingRecords: limit };
}

const sayingSo =
  (combine: Enrichment["combine"]): Enrichment["combine"] =>
  (element, answer, degraded) => {
    const next = combine(element, answer, degraded);
    if (typeof next !== "object" || next === null || Array.isArray(next)) {
      throw new TypeError("an optional service's element is no object, so it cannot say that it is degraded");
    }
    return degraded ? { ...next, degraded: true } : next;
  };
