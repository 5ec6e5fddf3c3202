import { defaultShedding, type LoadSignal, type SheddingThresholds } from "../../../contracts/signals.ts";
import { CircuitBreaker } from "../../../flow/breaker.ts";
import type { HttpRequest } from "../../../lambdas/ingest/body.ts";
import { kafkaBreaker } from "../../../lambdas/ingest/delivery.ts";
import type { FirstConnection } from "../../../lambdas/ingest/first-connection.ts";
import { ingest } from "../../../lambdas/ingest/ingest.ts";
import { type Producer, producer } from "../../../lambdas/ingest/producer.ts";
import type { ProducerLimits } from "../../../lambdas/ingest/producer-limits.ts";
import { Spillway } from "../../../lambdas/ingest/spillway.ts";
import type { Problem } from "../../../runtime/problem.ts";
import { RecordPublisher } from "../../../runtime/publisher.ts";
import type { Tracing } from "../../../runtime/tracing.ts";
import { NOW_MS } from "./events.ts";
import { FakeKafka } from "./fake-kafka.ts";
import { FakeStream } from "./fake-stream.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: {
    readonly accepted?: number;
    readonly results?: readonly { index: number; id?: string; status: string; problem?: Problem }[];
    readonly problems?: readonly Problem[];
  } & Partial<Problem>;
}

export const partitionCounts: ReadonlyMap<string, number> = new Map([
  ["flights", 4],
  ["user-activity", 4],
  ["clickstream", 4],
]);

export interface Surroundings {
  readonly remainingMs?: number;
  readonly sender?: Producer;
  readonly stream?: FakeStream;
  readonly breaker?: CircuitBreaker;
  readonly firstConnection?: Pick<FirstConnection, "isDue">;
  readonly signals?: readonly LoadSignal[];
  readonly shedding?: SheddingThresholds;
  readonly limits?: ProducerLimits;
  readonly tracing?: Tracing;
  /** @default NOW_MS */
  readonly nowMs?: number;
}

/** Sends a request through the door's logic, with Kafka and the spillway faked. */
export async function send(
  request: HttpRequest,
  kafka = new FakeKafka(),
  surroundings: Surroundings = {},
): Promise<Answer> {
  const { remainingMs = 5_000, signals = [], sender = producer("test", "any") } = surroundings;
  const { limits, tracing, nowMs = NOW_MS } = surroundings;
  const { stream = new FakeStream(), breaker = new CircuitBreaker(kafkaBreaker) } = surroundings;
  const { shedding = defaultShedding, firstConnection = { isDue: () => true } } = surroundings;
  const { response } = await ingest(request, sender, remainingMs, signals, {
    publisher: new RecordPublisher(kafka, partitionCounts),
    spillway: new Spillway({ client: stream, streamName: "spillway", random: () => 0 }),
    breaker,
    firstConnection,
    shedding,
    limits,
    tracing,
    now: () => nowMs,
  });
  return {
    status: response.statusCode!,
    headers: response.headers ?? {},
    body: JSON.parse(response.body!),
  };
}
