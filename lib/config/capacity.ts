/** What a load needs of the door's parts, and the check that an environment's sizes give it. */
import type { EnvironmentConfig } from "./environment.ts";
import { EnvironmentConfigError } from "./environment-config-error.ts";

/** What an environment is made to take in, at its highest. */
export interface IngestLoad {
  readonly eventsPerSecond: number;
  /** Of an event as structured JSON. */
  readonly eventBytes: number;
  /** How many events a producer sends at once. */
  readonly eventsPerRequest: number;
  /** How long the door takes for such a request. */
  readonly requestMs: number;
}

export interface IngestNeed {
  readonly requestsPerSecond: number;
  /** Execution environments that are busy at once. */
  readonly concurrency: number;
  /** From none, at the rate at which Lambda makes more of them. */
  readonly scaleUpSeconds: number;
  /** What the spillway takes where it takes everything. */
  readonly spilledMibPerSecond: number;
  readonly spillwayShards: number;
}

/** https://docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html, for each function. */
const NEW_ENVIRONMENTS_PER_SECOND = 100;
const MORE_REQUESTS_PER_SECOND_EACH_SECOND = 1_000;
/** https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html */
const SHARD_MIB_PER_SECOND = 1;
const SHARD_RECORDS_PER_SECOND = 1_000;
/** Random partition keys never share records out evenly. */
const MAX_SHARD_SHARE = 0.8;
/** What the packing of events into records adds: to each its topic, its key and lengths; to a record the sender's ARN. */
const PACKING_BYTES = 40;
const RECORD_BYTES = 130;
/**
 * New connections with IAM that the smallest brokers admit a second (others: 100), and connections in all of any:
 * https://docs.aws.amazon.com/msk/latest/developerguide/limits.html
 */
const NEW_CONNECTIONS_PER_SECOND_T3 = 4;
const MAX_IAM_CONNECTIONS = 3_000;
const NEW_CONNECTIONS_PER_SECOND = 100;
/** Lambda makes so many at once of a function, and as many again within 10 s. */
const NEW_ENVIRONMENTS_AT_ONCE = 1_000;
/** Requests of an environment that waits to connect are spilled, which is not to become the rule. */
const MAX_CONNECT_WINDOW_MS = 10_000;

const MIB = 1024 * 1024;

export function ingestNeed(load: IngestLoad): IngestNeed {
  const requestsPerSecond = Math.ceil(load.eventsPerSecond / load.eventsPerRequest);
  const concurrency = Math.ceil((requestsPerSecond * load.requestMs) / 1_000);
  const spilledBytes =
    load.eventsPerSecond * (load.eventBytes + PACKING_BYTES) + requestsPerSecond * RECORD_BYTES;
  const spilledMibPerSecond = spilledBytes / MIB;
  const shards = Math.max(
    spilledMibPerSecond / SHARD_MIB_PER_SECOND,
    requestsPerSecond / SHARD_RECORDS_PER_SECOND,
  );
  return {
    requestsPerSecond,
    concurrency,
    scaleUpSeconds: Math.ceil(
      Math.max(
        concurrency / NEW_ENVIRONMENTS_PER_SECOND,
        requestsPerSecond / MORE_REQUESTS_PER_SECOND_EACH_SECOND,
      ),
    ),
    spilledMibPerSecond,
    spillwayShards: Math.ceil(shards / MAX_SHARD_SHARE),
  };
}

/** Throws {@link EnvironmentConfigError} at the first size that the expected load outgrows, or that MSK would refuse. */
export function checkCapacity({ ingest, spillway, kafka }: EnvironmentConfig): void {
  const need = ingestNeed(ingest.expected);
  atLeast("ingest.requestsPerSecond", ingest.requestsPerSecond, need.requestsPerSecond);
  atLeast("ingest.reservedConcurrency", ingest.reservedConcurrency, need.concurrency);
  const { shards, highShards } = spillway;
  // Of what is high no more than its share comes; the others' stream has room for all, as a share may shrink.
  const highNeed = Math.ceil(need.spillwayShards * ingest.expected.highShare);
  if (shards !== "on-demand") atLeast("spillway.shards", shards, need.spillwayShards);
  if (highShards !== "on-demand") atLeast("spillway.highShards", highShards, highNeed);
  const mostAtOnce = (MAX_CONNECT_WINDOW_MS / 1_000) * newConnectionsPerSecond(kafka);
  const most = mostAtOnce < NEW_ENVIRONMENTS_AT_ONCE ? mostAtOnce : MAX_IAM_CONNECTIONS;
  if (ingest.reservedConcurrency <= most) return;
  throw new EnvironmentConfigError(
    "ingest.reservedConcurrency",
    ingest.reservedConcurrency,
    `at most ${most}: each execution environment connects to each broker, and ${kafka.instanceType} admits no more`,
  );
}

/**
 * Over how long execution environments that start together must spread their connections, so that each broker gets no
 * more a second than it admits; each environment connects to each broker. At most 10 s where {@link checkCapacity} passes.
 */
export const connectWindowMs = ({ ingest, kafka }: Pick<EnvironmentConfig, "ingest" | "kafka">): number =>
  Math.ceil(
    (1_000 * Math.min(ingest.reservedConcurrency, NEW_ENVIRONMENTS_AT_ONCE)) / newConnectionsPerSecond(kafka),
  );

const newConnectionsPerSecond = ({ instanceType }: EnvironmentConfig["kafka"]): number =>
  instanceType.startsWith("kafka.t3.") ? NEW_CONNECTIONS_PER_SECOND_T3 : NEW_CONNECTIONS_PER_SECOND;

function atLeast(field: string, value: number, least: number): void {
  if (value >= least) return;
  throw new EnvironmentConfigError(field, value, `at least ${least}, which ingest.expected needs`);
}
