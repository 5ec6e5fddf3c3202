/**
 * The load of a burst, in a process of its own, so that making it takes no time from measuring it: `POST /events` in
 * batches. Its argument is a {@link LoadPlan} as JSON; it writes an {@link Answered} as a line of JSON for each request.
 *
 * Requests come as those of many senders do that know nothing of each other: a Poisson process, whose gaps are distributed
 * exponentially. Whoever sends a second's requests all at its beginning, as load generators with a rate do, measures how
 * they wait for each other.
 */
import { Agent, type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { BATCH_MEDIA_TYPE } from "../../contracts/cloudevent.ts";
import { batchOf } from "./events.ts";

export interface LoadPlan {
  /** Base URL of the ingest API. */
  readonly url: string;
  readonly eventsPerRequest: number;
  readonly phases: readonly Phase[];
}

export interface Phase {
  readonly seconds: number;
  /** On average. */
  readonly requestsPerSecond: number;
}

export interface Answered {
  /** Number of the batch, from 0: its events' ids are made of it. */
  readonly batch: number;
  /** 0 where there was no answer. */
  readonly status: number;
  readonly retryAfter: boolean;
  /** Of a 202: how many of its events were refused. */
  readonly refused: number;
  readonly latencyMs: number;
  /** When it was answered, in milliseconds since the load began. */
  readonly atMs: number;
  /** Whether an execution environment was started for it, as local/ tells. */
  readonly coldStart: boolean;
}

/** Requests in flight; a door that answers slowly is offered less than was planned, and the report says so. */
const CONNECTIONS = 20;
/** Longer than the door itself may take. */
const TIMEOUT_MS = 30_000;

const plan = JSON.parse(process.argv[2]!) as LoadPlan;
const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
const inFlight = new Set<Promise<void>>();
const startMs = performance.now();
let batches = 0;

for (const phase of plan.phases) await offer(phase);
await Promise.all(inFlight);
agent.destroy();

async function offer({ seconds, requestsPerSecond }: Phase): Promise<void> {
  const endMs = performance.now() + seconds * 1_000;
  let dueMs = performance.now();
  for (;;) {
    dueMs += (-Math.log(1 - Math.random()) * 1_000) / requestsPerSecond;
    await delay(Math.max(0, Math.min(dueMs, endMs) - performance.now()));
    if (inFlight.size === CONNECTIONS) {
      await Promise.race(inFlight);
      // What found no connection free is not made up for.
      dueMs = performance.now();
    }
    if (Math.max(dueMs, performance.now()) >= endMs) return;
    const sent: Promise<void> = post(batches++).finally(() => inFlight.delete(sent));
    inFlight.add(sent);
  }
}

async function post(batch: number): Promise<void> {
  const body = JSON.stringify(batchOf(batch, plan.eventsPerRequest));
  const sentMs = performance.now();
  const nothing = { status: 0, retryAfter: false, refused: 0, coldStart: false };
  const answer = await send(body).catch(() => nothing);
  const nowMs = performance.now();
  const answered: Answered = { batch, ...answer, latencyMs: nowMs - sentMs, atMs: nowMs - startMs };
  process.stdout.write(`${JSON.stringify(answered)}\n`);
}

/** Rejects where there is no answer. */
async function send(body: string): Promise<Omit<Answered, "batch" | "latencyMs" | "atMs">> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request(`${plan.url}/events`, {
      agent,
      method: "POST",
      headers: { "content-type": BATCH_MEDIA_TYPE },
      timeout: TIMEOUT_MS,
    });
    sent.on("timeout", () => sent.destroy(new Error("timeout")));
    sent.on("response", resolve);
    sent.on("error", reject);
    sent.end(body);
  });
  const { statusCode = 0, headers } = response;
  const answer = await text(response);
  const accepted = statusCode === 202 ? (JSON.parse(answer) as { accepted: number }).accepted : 0;
  return {
    status: statusCode,
    retryAfter: headers["retry-after"] !== undefined,
    refused: statusCode === 202 ? plan.eventsPerRequest - accepted : 0,
    coldStart: /\binit;/.test(String(headers["server-timing"])),
  };
}
