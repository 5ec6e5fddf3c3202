/**
 * The load of a burst, in a process of its own, so that making it takes no time from measuring it: `POST /events` in
 * batches, by autocannon. Its argument is a {@link LoadPlan} as JSON; it writes an {@link Answered} as a line of JSON
 * for each request that was answered, or that failed.
 */
import autocannon from "autocannon";
import { BATCH_MEDIA_TYPE } from "../../contracts/cloudevent.ts";
import { batchOf } from "./events.ts";

export interface LoadPlan {
  readonly url: string;
  readonly eventsPerRequest: number;
  readonly phases: readonly Phase[];
}

export interface Phase {
  readonly seconds: number;
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
}

/** Requests in flight; a door that answers slowly is offered less than was planned, and the report says so. */
const CONNECTIONS = 20;

interface Context {
  batch?: number;
  sentMs?: number;
}

const plan = JSON.parse(process.argv[2]!) as LoadPlan;
const startMs = performance.now();
let batches = 0;

for (const { seconds, requestsPerSecond } of plan.phases) {
  await autocannon({
    url: plan.url,
    duration: seconds,
    connections: CONNECTIONS,
    overallRate: requestsPerSecond,
    // Longer than the door itself may take.
    timeout: 30,
    requests: [
      {
        method: "POST",
        path: "/events",
        headers: { "content-type": BATCH_MEDIA_TYPE },
        setupRequest: (request, context: Context) => {
          context.batch = batches++;
          context.sentMs = performance.now();
          return { ...request, body: JSON.stringify(batchOf(context.batch, plan.eventsPerRequest)) };
        },
        onResponse: (status, body, context: Context, headers) => tell(status, body, context, headers),
      },
    ],
  });
}

function tell(status: number, body: string, { batch, sentMs }: Context, headers?: object): void {
  const nowMs = performance.now();
  const accepted = status === 202 ? (JSON.parse(body) as { accepted: number }).accepted : 0;
  const answered: Answered = {
    batch: batch!,
    status,
    retryAfter: Object.keys(headers ?? {}).some((name) => name.toLowerCase() === "retry-after"),
    refused: status === 202 ? plan.eventsPerRequest - accepted : 0,
    latencyMs: nowMs - sentMs!,
    atMs: nowMs - startMs,
  };
  process.stdout.write(`${JSON.stringify(answered)}\n`);
}
