/** One request to POST /events and what came of it; nothing that goes wrong is thrown. */
import { BATCH_MEDIA_TYPE } from "../contracts/cloudevent.ts";
import type { HttpAnswer } from "./answer.ts";
import type { Clock } from "./clock.ts";

export interface EventsRequest {
  readonly method: "POST";
  readonly url: string;
  /** What is sent beside the headers that authorize it. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Makes the headers that authorize a request: a signature over it, or a token. It is asked for each request; `renew`
 * says that the door has just refused the headers for the same request, so that a token that is kept has to be fetched
 * anew. Where it throws, the request counts as an attempt that failed.
 */
export type Authorize = (
  request: EventsRequest,
  renew: boolean,
) => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>;

export interface ExchangePorts {
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly authorize: Authorize;
  readonly timeoutMs: number;
}

export type Exchange =
  | { readonly kind: "answered"; readonly answer: HttpAnswer }
  | {
      readonly kind: "failed";
      readonly why: string;
      /** Whether the request may have reached the door. */
      readonly sent: boolean;
    };

/** Sends a batch and reads the answer whole. It ends at the latest after `timeoutMs`, or when `cancel` aborts. */
export async function exchange(
  url: string,
  body: string,
  renew: boolean,
  cancel: AbortSignal,
  ports: ExchangePorts,
): Promise<Exchange> {
  const { clock, timeoutMs } = ports;
  const request: EventsRequest = {
    method: "POST",
    url,
    headers: { "content-type": BATCH_MEDIA_TYPE },
    body,
  };
  const progress = { sent: false };
  const failed = (why: string): Exchange => ({ kind: "failed", why, sent: progress.sent });
  const ended = new AbortController();
  const end = (): void => ended.abort();
  if (cancel.aborted) end();
  cancel.addEventListener("abort", end);
  try {
    // The race is what ends it, not the signal: not every fetch heeds one, nor does every authorize.
    return await Promise.race([
      send(request, renew, ended.signal, progress, ports),
      clock
        .sleep(timeoutMs, ended.signal)
        .then(() => failed(cancel.aborted ? "it was cancelled" : `no answer within ${timeoutMs} ms`)),
    ]);
  } catch (error) {
    return failed(reasonOf(error));
  } finally {
    cancel.removeEventListener("abort", end);
    end();
  }
}

async function send(
  request: EventsRequest,
  renew: boolean,
  signal: AbortSignal,
  progress: { sent: boolean },
  { fetch, authorize }: ExchangePorts,
): Promise<Exchange> {
  const { url, method, headers, body } = request;
  const authorization = await authorize(request, renew);
  signal.throwIfAborted();
  progress.sent = true;
  // A redirected POST may arrive as a GET: no redirect is followed.
  const response = await fetch(url, {
    method,
    headers: { ...headers, ...authorization },
    body,
    signal,
    redirect: "manual",
  });
  return {
    kind: "answered",
    answer: { status: response.status, headers: response.headers, body: await response.text() },
  };
}

/** Node's fetch says only that it failed; why is in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
