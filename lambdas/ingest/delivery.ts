/** Where accepted events go: to Kafka, and where Kafka does not take them, to the spillway. */
import type { SpilledBatch } from "../../contracts/spillway-record.ts";
import type { BreakerOptions, CircuitBreaker } from "../../flow/breaker.ts";
import { KafkaUnavailableError, SpillwayUnavailableError } from "../../runtime/errors.ts";
import type { RecordPublisher } from "../../runtime/publisher.ts";
import type { FirstConnection } from "./first-connection.ts";
import type { OutgoingEvent } from "./judge.ts";
import type { Spillway } from "./spillway.ts";

/**
 * How long Kafka may take before a request's events go to the spillway instead: longer than an in-sync replica takes to
 * answer when it is well, shorter than the election of a leader, which clients need not wait for.
 */
const KAFKA_TIMEOUT_MS = 2_000;

/** An execution environment answers one request at a time, so that three that failed are a lot, and a long wait. */
export const kafkaBreaker: BreakerOptions = {
  windowMs: 10_000,
  minCalls: 3,
  maxErrorShare: 0.5,
  slowCallMs: 1_000,
  maxSlowShare: 0.5,
  openMs: 5_000,
  trialCalls: 1,
};

export interface DeliveryPorts {
  readonly publisher: Pick<RecordPublisher, "publish">;
  readonly spillway: Pick<Spillway, "put">;
  /** Of Kafka, as this execution environment sees it. */
  readonly breaker: CircuitBreaker;
  readonly firstConnection: Pick<FirstConnection, "isDue">;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface Delivery {
  /** How many of the events lie in the spillway. */
  readonly spilled: number;
  /** Why Kafka did not take its events, where it was asked and did not. */
  readonly kafkaFailure?: KafkaUnavailableError;
  /** Whether that failure opened the breaker. */
  readonly tripped: boolean;
  /** Why the events are stored nowhere: none of them may count as accepted. */
  readonly unavailable?: SpillwayUnavailableError;
}

/** Stores `forKafka` in Kafka, or else in the spillway with `forSpillway`; all of them are the producer's. */
export async function deliver(
  {
    forKafka,
    forSpillway,
  }: { readonly forKafka: readonly OutgoingEvent[]; readonly forSpillway: readonly OutgoingEvent[] },
  origin: Pick<SpilledBatch, "producer" | "traceparent">,
  timeoutMs: number,
  ports: DeliveryPorts,
): Promise<Delivery> {
  const startedMs = ports.now();
  const { stored, kafkaFailure, tripped } = await publish(forKafka, timeoutMs, ports);
  const spilled = stored ? forSpillway : [...forKafka, ...forSpillway];
  const remainingMs = Math.max(0, timeoutMs - (ports.now() - startedMs));
  const unavailable = await spill({ arrivalMs: startedMs, ...origin, events: spilled }, remainingMs, ports);
  return {
    spilled: spilled.length,
    ...(kafkaFailure && { kafkaFailure }),
    tripped,
    ...(unavailable && { unavailable }),
  };
}

interface Publication {
  readonly stored: boolean;
  readonly kafkaFailure?: KafkaUnavailableError;
  readonly tripped: boolean;
}

async function publish(
  events: readonly OutgoingEvent[],
  timeoutMs: number,
  { publisher, breaker, firstConnection, now }: DeliveryPorts,
): Promise<Publication> {
  if (events.length === 0) return { stored: true, tripped: false };
  const startedMs = now();
  if (!firstConnection.isDue(startedMs) || !breaker.tryAcquire(startedMs))
    return { stored: false, tripped: false };
  const record = (failed: boolean): boolean => {
    const nowMs = now();
    breaker.record({ failed, tookMs: nowMs - startedMs }, nowMs);
    return breaker.state(nowMs) === "open";
  };
  try {
    // Half of the time is the spillway's.
    await publisher.publish(events, Math.min(KAFKA_TIMEOUT_MS, timeoutMs / 2));
    return { stored: true, tripped: record(false) };
  } catch (error) {
    const tripped = record(true);
    if (!(error instanceof KafkaUnavailableError)) throw error;
    return { stored: false, kafkaFailure: error, tripped };
  }
}

async function spill(
  batch: SpilledBatch,
  timeoutMs: number,
  { spillway }: DeliveryPorts,
): Promise<SpillwayUnavailableError | undefined> {
  if (batch.events.length === 0) return undefined;
  try {
    await spillway.put(batch, timeoutMs);
    return undefined;
  } catch (error) {
    if (error instanceof SpillwayUnavailableError) return error;
    throw error;
  }
}
