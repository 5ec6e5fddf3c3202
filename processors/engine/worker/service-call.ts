/** One call to a service, with its timeout: in the end there are answers, or why there are none. */
import { toJsonText } from "../operators/frozen-json.ts";
import { type Enrichment, TryLaterError } from "../pipeline/enrichment.ts";
import { messageOf } from "../task/rejection.ts";
import type { AskService, Clock } from "./ports.ts";

const MAX_ANSWER_CHARS = 64 * 1024;
/** What a service asks for is kept within these, and what cannot be read is the least that HTTP can say. */
const MIN_RETRY_AFTER_MS = 100;
const MAX_RETRY_AFTER_MS = 60_000;
const UNREADABLE_RETRY_AFTER_MS = 1_000;

export interface CallOptions {
  readonly clock: Pick<Clock, "sleep">;
  readonly ask?: AskService;
  /** Aborts once nobody waits for the answers; what is returned then is nobody's. */
  readonly signal: AbortSignal;
}

export type CallOutcome =
  /** One for each question, in their order. */
  | { readonly kind: "answered"; readonly answers: readonly OneAnswer[] }
  | { readonly kind: "failed"; readonly error: Error }
  /** The service has too much to do. */
  | { readonly kind: "refused"; readonly error: Error; readonly retryAfterMs: number };

export type OneAnswer = { readonly json: string } | { readonly error: Error };

const ownCall: AskService = ({ ask }, questions, call) => ask(questions, call);

/** Asks once. Never rejects. */
export async function outcomeOf(
  enrich: Enrichment,
  questions: readonly string[],
  options: CallOptions,
): Promise<CallOutcome> {
  try {
    const answers = await called(enrich, questions, options);
    return { kind: "answered", answers: answers.map(oneAnswer) };
  } catch (cause) {
    const error = asError(cause);
    if (!(cause instanceof TryLaterError)) return { kind: "failed", error };
    return { kind: "refused", error, retryAfterMs: bounded(cause.retryAfterMs) };
  }
}

/** @throws whatever the call rejects with, or an Error where it takes too long or its answers are not the questions' */
async function called(
  enrich: Enrichment,
  questions: readonly string[],
  { clock, signal, ask = ownCall }: CallOptions,
): Promise<readonly unknown[]> {
  const over = new AbortController();
  const timeout = clock.sleep(enrich.timeoutMs, over.signal).then(() => {
    throw new Error(`no answer within ${enrich.timeoutMs} ms`);
  });
  const call = { signal: AbortSignal.any([over.signal, signal]) };
  // A call that throws at once, instead of rejecting, is no more than one that failed.
  const answered = (async () => ask(enrich, questions, call))();
  try {
    const answers = await Promise.race([answered, timeout]);
    if (Array.isArray(answers) && answers.length === questions.length) return answers;
    throw new RangeError(`${questions.length} questions were answered with ${count(answers)}`);
  } finally {
    over.abort();
  }
}

function oneAnswer(answer: unknown): OneAnswer {
  if (answer instanceof Error) return { error: answer };
  try {
    const json = toJsonText(answer, "the answer");
    if (json.length <= MAX_ANSWER_CHARS) return { json };
    throw new RangeError(`the answer has ${json.length} characters; the limit is ${MAX_ANSWER_CHARS}`);
  } catch (cause) {
    return { error: asError(cause) };
  }
}

const bounded = (retryAfterMs: number): number =>
  Number.isNaN(retryAfterMs)
    ? UNREADABLE_RETRY_AFTER_MS
    : Math.min(Math.max(retryAfterMs, MIN_RETRY_AFTER_MS), MAX_RETRY_AFTER_MS);

const count = (answers: unknown): string => (Array.isArray(answers) ? `${answers.length}` : "no list");

const asError = (cause: unknown): Error => new Error(messageOf(cause), { cause });
