/** What an answer to POST /events says of each event; what the door answers is in lambdas/ingest/handler.ts. */
import { BACKPRESSURE_HEADER } from "../contracts/signals.ts";

/** Problem details (RFC 9457), as the door gives them for an event or a request. */
export interface Problem {
  /** `urn:spillway:problem:<code>`; `about:blank` where something other than the door refused. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** JSON pointer into the event. */
  readonly field?: string;
}

/** What has been read of an HTTP answer. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

export type Verdict =
  | { readonly kind: "accepted" }
  | { readonly kind: "refused"; readonly problem: Problem }
  /** Not now: its topic has too much waiting. */
  | { readonly kind: "overloaded"; readonly retryAfterMs: number }
  /** The answer says nothing of it. */
  | { readonly kind: "untold" };

export type Answer =
  /** One for each event of the request, in its order. */
  | { readonly kind: "verdicts"; readonly verdicts: readonly Verdict[] }
  /** The request as a whole was more than is taken, or one of its events spoils it: fewer events may pass. */
  | { readonly kind: "indivisible"; readonly problem: Problem }
  | { readonly kind: "refused"; readonly problem: Problem }
  | { readonly kind: "unauthorized"; readonly status: number }
  /** Nothing was accepted for a reason that may pass. */
  | { readonly kind: "unavailable"; readonly why: string; readonly retryAfterMs: number };

const ACCEPTED = 202;
const OVERLOADED = "urn:spillway:problem:overloaded";
const UNAUTHORIZED = [401, 403];
const TOO_MUCH = [400, 413];
/** Request timeout, too early, too many requests; and all that is the server's fault. */
const isPassing = (status: number): boolean => [408, 425, 429].includes(status) || status >= 500;

/** What the gateway answers by itself when it is too much, with no header that would say so. */
const GATEWAY_STATUSES = [413, 429, 503];
const FULL = 1;

export function readAnswer(answer: HttpAnswer, eventCount: number, epochMs: number): Answer {
  const { status } = answer;
  const body = parseObject(answer.body);
  const retryAfterMs = readRetryAfterMs(answer.headers.get("retry-after"), epochMs);
  if (status === ACCEPTED) {
    if (Array.isArray(body?.results)) {
      return { kind: "verdicts", verdicts: readVerdicts(body.results, ofResult, eventCount, retryAfterMs) };
    }
    return { kind: "unavailable", why: "an answer 202 without results", retryAfterMs };
  }
  // The status is that of the first event's problem, also where it is 403; each has its own.
  if (Array.isArray(body?.problems)) {
    return { kind: "verdicts", verdicts: readVerdicts(body.problems, ofProblem, eventCount, retryAfterMs) };
  }
  if (UNAUTHORIZED.includes(status)) return { kind: "unauthorized", status };
  // Another 2xx comes from something that is not the door, and may have taken the request for all that is known.
  if (isPassing(status) || status < 300) {
    return { kind: "unavailable", why: `an answer ${status}`, retryAfterMs };
  }
  const problem = readProblem(body, status);
  return { kind: TOO_MUCH.includes(status) ? "indivisible" : "refused", problem };
}

/**
 * The load that an answer tells of; undefined where it tells of none. The gateway refuses by itself, with a bare status,
 * what is more than it or the function behind it takes at once: that counts as a full load.
 */
export function readLoad({ status, headers, body }: HttpAnswer): number | undefined {
  const text = headers.get(BACKPRESSURE_HEADER);
  if (text !== null) return /^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;
  const isBare = !(headers.get("content-type") ?? "").startsWith("application/problem+json");
  return GATEWAY_STATUSES.includes(status) && isBare && parseObject(body)?.type === undefined
    ? FULL
    : undefined;
}

/** Retry-After as seconds or as a date (RFC 9110, section 10.2.3); 0 where there is none that can be read. */
export function readRetryAfterMs(text: string | null, epochMs: number): number {
  if (text === null) return 0;
  if (/^\d+$/.test(text.trim())) return Number(text) * 1_000;
  const dateMs = Date.parse(text);
  return Number.isNaN(dateMs) ? 0 : Math.max(0, dateMs - epochMs);
}

type Entry = Readonly<Record<string, unknown>>;
type ReadVerdict = (entry: Entry, retryAfterMs: number) => Verdict;

/** By the index of each entry; an event without one is untold. */
function readVerdicts(
  entries: readonly unknown[],
  read: ReadVerdict,
  eventCount: number,
  retryAfterMs: number,
): readonly Verdict[] {
  const verdicts: Verdict[] = Array.from({ length: eventCount }, () => ({ kind: "untold" }));
  for (const entry of entries) {
    if (!isObject(entry)) continue;
    const { index } = entry;
    if (typeof index === "number" && index in verdicts) verdicts[index] = read(entry, retryAfterMs);
  }
  return verdicts;
}

const ofResult: ReadVerdict = (entry, retryAfterMs) => {
  if (entry.status === "accepted") return { kind: "accepted" };
  if (entry.status !== "refused" || !isObject(entry.problem)) return { kind: "untold" };
  return ofProblem(entry.problem, retryAfterMs);
};

const ofProblem: ReadVerdict = (entry, retryAfterMs) => {
  const problem = readProblem(entry, 0);
  if (problem.type !== OVERLOADED) return { kind: "refused", problem };
  const { retryAfterSeconds } = entry;
  return {
    kind: "overloaded",
    retryAfterMs: typeof retryAfterSeconds === "number" ? retryAfterSeconds * 1_000 : retryAfterMs,
  };
};

function readProblem(body: Entry | undefined, status: number): Problem {
  const text = (name: string): string | undefined =>
    typeof body?.[name] === "string" ? (body[name] as string) : undefined;
  const field = text("field");
  return {
    type: text("type") ?? "about:blank",
    title: text("title") ?? "Refused",
    status: typeof body?.status === "number" ? body.status : status,
    detail: text("detail") ?? text("message") ?? "The answer says no more.",
    ...(field !== undefined && { field }),
  };
}

function parseObject(text: string): Entry | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Entry =>
  typeof value === "object" && value !== null && !Array.isArray(value);
