/** A question to a service about each element of a stream, as data: what the step `enrich` makes and the engine runs. */
import type { Transform } from "./definition.ts";

export interface Enrichment {
  /** What the service is called in explanations, dead letters and logs. */
  readonly service: string;
  /** What is asked about an element; null: nothing. */
  readonly question: (element: unknown) => string | null;
  /** The call. Whatever it does is user code's business: it may be made again, and its answer is JSON. */
  readonly ask: Ask;
  /** The element with its answer; undefined where nothing was asked, or the call was skipped. */
  readonly combine: (element: unknown, answer: unknown) => unknown;
  readonly onFailure: FailurePolicy;
  readonly timeoutMs: number;
  readonly maxAttempts: number;
  readonly maxInFlight: number;
  /** What becomes of an element behind the answer, none or several; null: itself. */
  readonly after: Transform | null;
}

export type Ask = (question: string, call: { readonly signal: AbortSignal }) => Promise<unknown>;

/** `dead-letter`: the record is dead. `skip`: it goes on without an answer, and the output can say so. */
export type FailurePolicy = "dead-letter" | "skip";
