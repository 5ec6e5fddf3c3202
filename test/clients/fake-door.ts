/** A stand-in for POST /events that answers by a script; when that is at its end, it accepts everything. */
import type { CloudEvent } from "../../contracts/cloudevent.ts";
import type { VirtualClock } from "./virtual-clock.ts";

export interface Request {
  readonly atMs: number;
  readonly ids: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Says what comes of a request; `store` keeps events, as the platform does before it answers. */
export type Behaviour = (
  ids: readonly string[],
  store: (ids: readonly string[]) => void,
  signal: AbortSignal,
) => Reply | Promise<Reply>;

export class FakeDoor {
  readonly requests: Request[] = [];
  readonly stored = new Set<string>();
  readonly #clock: VirtualClock;
  readonly #script: Behaviour[];

  constructor(clock: VirtualClock, script: readonly Behaviour[]) {
    this.#clock = clock;
    this.#script = [...script];
  }

  readonly fetch = (async (_url: string, init: RequestInit): Promise<Response> => {
    const events = JSON.parse(init.body as string) as readonly CloudEvent[];
    const ids = events.map(({ id }) => id);
    const headers = init.headers as Record<string, string>;
    this.requests.push({ atMs: this.#clock.nowMs(), ids, headers });
    const store = (stored: readonly string[]): void => {
      for (const id of stored) this.stored.add(id);
    };
    const behave = this.#script.shift() ?? accept();
    const { status, headers: answered = {}, body } = await behave(ids, store, init.signal!);
    const text = typeof body === "string" ? body : JSON.stringify(body ?? {});
    return new Response(text, { status, headers: answered });
  }) as typeof fetch;
}

const URN = "urn:spillway:problem:";

/** One event's problem, as the door words it. */
export const problem = (code: string, status: number, index: number) => ({
  type: `${URN}${code}`,
  title: code,
  status,
  detail: `${code}.`,
  index,
});

export type Fate = "accepted" | "refused" | "forbidden" | "overloaded" | "missing";

/** Gives each event a fate, in turn; the status is the door's. */
export function judge(fates: readonly Fate[], headers: Readonly<Record<string, string>> = {}): Behaviour {
  return (ids, store) => {
    const fateOf = (index: number): Fate => fates[index % fates.length]!;
    store(ids.filter((_, index) => fateOf(index) === "accepted"));
    const problemOf = (index: number) => {
      if (fateOf(index) === "refused") return problem("invalid-data", 422, index);
      if (fateOf(index) === "forbidden") return problem("forbidden-type", 403, index);
      return problem("overloaded", 429, index);
    };
    const told = ids.map((_, index) => index).filter((index) => fateOf(index) !== "missing");
    const problems = told.filter((index) => fateOf(index) !== "accepted").map(problemOf);
    if (problems.length === ids.length) {
      const type = "application/problem+json";
      const body = { ...problems[0], problems };
      return { status: problems[0]!.status, headers: { "content-type": type, ...headers }, body };
    }
    const results = told.map((index) =>
      fateOf(index) === "accepted"
        ? { index, id: ids[index], status: "accepted" }
        : { index, id: ids[index], status: "refused", problem: problemOf(index) },
    );
    const accepted = results.filter(({ status }) => status === "accepted").length;
    return {
      status: 202,
      headers: { "content-type": "application/json", ...headers },
      body: { accepted, results },
    };
  };
}

export const accept = (headers: Readonly<Record<string, string>> = {}): Behaviour =>
  judge(["accepted"], headers);

/** An answer to the request as a whole; the gateway's own where there is no body. */
export const answer =
  (
    status: number,
    headers: Readonly<Record<string, string>> = {},
    body: unknown = { message: "No" },
  ): Behaviour =>
  () => ({ status, headers, body });

/** Nothing ever comes back, whether the request was stored or not. */
export const hang =
  (heedsSignal: boolean, stores: boolean): Behaviour =>
  (ids, store, signal) => {
    if (stores) store(ids);
    return new Promise((_, reject) => {
      if (heedsSignal) signal.addEventListener("abort", () => reject(signal.reason));
    });
  };

/** The connection ends without an answer. */
export const reset =
  (stores: boolean): Behaviour =>
  (ids, store) => {
    if (stores) store(ids);
    throw new TypeError("fetch failed", { cause: new Error("ECONNRESET") });
  };
