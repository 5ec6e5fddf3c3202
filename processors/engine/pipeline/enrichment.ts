/** A question to a service about each element of a stream, as data: what the step `enrich` makes and the engine runs. */
import type { Transform } from "./definition.ts";

export interface Enrichment {
  /** What the service is called in explanations, dead letters and logs. */
  readonly service: string;
  /** What is asked about an element; null: nothing. */
  readonly question: (element: unknown) => string | null;
  /** The call. Whatever it does is user code's business: it may be made again, and its answers are JSON. */
  readonly ask: Ask;
  /**
   * The element with its answer; undefined where nothing was asked, or there is none.
   * @param degraded whether there is none because the service was skipped
   */
  readonly combine: (element: unknown, answer: unknown, degraded: boolean) => unknown;
  readonly onFailure: FailurePolicy;
  readonly timeoutMs: number;
  readonly maxAttempts: number;
  readonly maxInFlight: number;
  readonly maxQuestionsPerCall: number;
  /** Of all tasks of the pipeline together; null: no limit. */
  readonly maxRequestsPerSecond: number | null;
  readonly cache: AnswerCache | null;
  /** Above so many records that wait the service is skipped; null where it must be asked. */
  readonly skipAboveWaitingRecords: number | null;
  /** What becomes of an element behind the answer, none or several; null: itself. */
  readonly after: Transform | null;
}

/** Several questions in one call; an answer for each, in their order. An `Error` among them is that question's failure. */
export type Ask = (
  questions: readonly string[],
  call: { readonly signal: AbortSignal },
) => Promise<readonly unknown[]>;

/** `dead-letter`: the record is dead. `skip`: it goes on without an answer, and the output can say so. */
export type FailurePolicy = "dead-letter" | "skip";

/** Answers that a process keeps. */
export interface AnswerCache {
  /** How long an answer is used, from when it came. */
  readonly ttlMs: number;
  /** An answer has up to 64 KiB. */
  readonly maxEntries: number;
}

/**
 * What a call rejects with where the service says that it has too much to do (429, 503 with `Retry-After`): nothing is
 * asked until then, and the attempt does not count.
 */
export class TryLaterError extends Error {
  override readonly name = "TryLaterError";
  readonly retryAfterMs: number;

  constructor(retryAfterMs: number, options?: ErrorOptions) {
    super(`the service asks to try again in ${retryAfterMs} ms`, options);
    this.retryAfterMs = retryAfterMs;
  }
}
