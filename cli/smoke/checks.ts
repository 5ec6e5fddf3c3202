/** What a deployed platform must do, one thing after the other. */
import { setTimeout as delay } from "node:timers/promises";
import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { ArchiveEntry } from "../../contracts/dead-letter-archive.ts";
import type { ArchiveIndex } from "../../runtime/archive/archive-index.ts";
import { PIPELINE, type SmokeEvents } from "./events.ts";
import { type Request, type Signing, signedHeaders } from "./signing.ts";
import type { Target } from "./target.ts";

export interface Surroundings {
  readonly target: Target;
  readonly signing: () => Promise<Signing>;
  readonly archive: ArchiveIndex;
  readonly sqs: SQSClient;
  /** What this run sends. */
  readonly sent: SmokeEvents;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface Check {
  readonly name: string;
  /** Resolves with what was seen; rejects with what was not. */
  run(surroundings: Surroundings): Promise<string>;
}

const POLL_MS = 500;
const BATCH = { "content-type": "application/cloudevents-batch+json" };

export const checks: readonly Check[] = [
  {
    name: "events are accepted",
    run: async (surroundings) => {
      const { events } = surroundings.sent;
      const response = await send(surroundings, post(surroundings, events));
      const answer = (await response.json()) as { readonly accepted?: number };
      if (response.status === 202 && answer.accepted === events.length) {
        return `202, ${events.length} accepted`;
      }
      throw new Error(`the door answered ${response.status}: ${JSON.stringify(answer)}`);
    },
  },
  {
    name: "an event of an unknown type is refused",
    run: async (surroundings) => {
      const [event] = surroundings.sent.events;
      const unknown = { ...event!, id: `${event!.id}-unknown`, type: "smoke.unknown" };
      const response = await send(surroundings, post(surroundings, [unknown]));
      const answer = await response.text();
      if (response.status >= 400 && response.status < 500 && answer.includes("unknown-type")) {
        return `${response.status}`;
      }
      throw new Error(`the door answered ${response.status}: ${answer}`);
    },
  },
  {
    name: "the events are in a result",
    run: async (surroundings) => {
      const { userId, loginId } = surroundings.sent;
      const url = new URL(
        surroundings.target.resultsUrl.replace("{pipeline}", PIPELINE).replace("{key}", userId),
      );
      return until(surroundings, `no result at ${url}`, async () => {
        const response = await send(surroundings, { method: "GET", url, headers: {} });
        if (response.status >= 500 || response.status === 429) return undefined;
        if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
        const { items } = (await response.json()) as {
          readonly items: readonly { readonly value: { readonly loginId?: string } }[];
        };
        return items.some(({ value }) => value.loginId === loginId) ? `GET ${url.pathname}` : undefined;
      });
    },
  },
  {
    name: "what failed for good comes to the archive",
    run: async ({ target, sqs, archive, ...surroundings }) => {
      const startMs = Date.now();
      const MessageBody = JSON.stringify({ smoke: surroundings.sent.userId });
      const { MessageId } = await sqs.send(
        new SendMessageCommand({ QueueUrl: target.queueUrl, MessageBody }),
      );
      const entry = await until(surroundings, `message ${MessageId} is not in the archive`, () =>
        findEntry(archive, MessageId!, startMs),
      );
      await archive.discard(entry, Date.now());
      return `entry ${entry.id}, discarded`;
    },
  },
];

/** A clock that differs from AWS's by minutes must not hide it. */
const CLOCK_SLACK_MS = 600_000;

async function findEntry(
  archive: ArchiveIndex,
  messageId: string,
  startMs: number,
): Promise<ArchiveEntry | undefined> {
  const selection = { state: "archived", reason: "unclassified", sinceMs: startMs - CLOCK_SLACK_MS } as const;
  for await (const entry of archive.entries(selection, "newest first", Date.now())) {
    if (entry.source.kind === "message" && entry.source.messageId === messageId) return entry;
  }
  return undefined;
}

const post = ({ target }: Surroundings, events: readonly object[]): Request => ({
  method: "POST",
  url: new URL(target.eventsUrl),
  headers: BATCH,
  body: JSON.stringify(events),
});

async function send({ signing, signal, timeoutMs }: Surroundings, request: Request): Promise<Response> {
  const { method, url, body } = request;
  return fetch(url, {
    method,
    headers: await signedHeaders(request, await signing(), new Date()),
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    ...(body !== undefined && { body }),
  });
}

/** Asks again until there is an answer. Rejects with `complaint` once the time is over. */
async function until<T>(
  { timeoutMs, signal }: Pick<Surroundings, "timeoutMs" | "signal">,
  complaint: string,
  ask: () => Promise<T | undefined>,
): Promise<T> {
  const endMs = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() >= endMs) throw new Error(`${complaint} after ${timeoutMs / 1_000} s`);
    await delay(POLL_MS, undefined, { signal });
  }
}
