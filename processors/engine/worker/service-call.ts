/** One question to a service, with its attempts: in the end there is an answer, or why there is none. */
import { toJsonText } from "../operators/frozen-json.ts";
import type { Enrichment } from "../pipeline/enrichment.ts";
import type { Answer } from "../task/enquiry.ts";
import { messageOf } from "../task/rejection.ts";
import type { AskService, Clock } from "./ports.ts";

const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 5_000;
const MAX_ANSWER_CHARS = 64 * 1024;

export interface CallOptions {
  readonly clock: Pick<Clock, "sleep">;
  readonly ask?: AskService;
  /** Once it aborts no further attempt is made; what is returned then is nobody's. */
  readonly signal: AbortSignal;
  /** An attempt failed; it may be made again. */
  readonly onFailure: (error: Error) => void;
}

const ownCall: AskService = ({ ask }, question, call) => ask(question, call);

/** Asks until there is an answer, or the attempts are used up. Never rejects. */
export async function answerOf(enrich: Enrichment, question: string, options: CallOptions): Promise<Answer> {
  const { clock, signal, onFailure } = options;
  let failure = "stopped";
  for (let attempt = 1, pauseMs = FIRST_PAUSE_MS; !signal.aborted; attempt++) {
    try {
      return { json: await attemptOf(enrich, question, options) };
    } catch (cause) {
      failure = messageOf(cause);
      onFailure(new Error(failure, { cause }));
    }
    if (attempt === enrich.maxAttempts) break;
    await clock.sleep(pauseMs, signal);
    pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS);
  }
  return { failure };
}

/** @throws whatever the call rejects with, or an Error where it takes too long or its answer cannot be kept */
async function attemptOf(
  enrich: Enrichment,
  question: string,
  { clock, signal, ask = ownCall }: CallOptions,
): Promise<string> {
  const over = new AbortController();
  const timeout = clock.sleep(enrich.timeoutMs, over.signal).then(() => {
    throw new Error(`no answer within ${enrich.timeoutMs} ms`);
  });
  const call = { signal: AbortSignal.any([over.signal, signal]) };
  // A call that throws at once, instead of rejecting, is no more than one that failed.
  const answered = (async () => ask(enrich, question, call))();
  try {
    const text = toJsonText(await Promise.race([answered, timeout]), "the answer");
    if (text.length <= MAX_ANSWER_CHARS) return text;
    throw new RangeError(`the answer has ${text.length} characters; the limit is ${MAX_ANSWER_CHARS}`);
  } finally {
    over.abort();
  }
}
