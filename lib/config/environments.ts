/** The environments that can be deployed. Nothing is shared between two of them. */
import { type EnvironmentConfig, validateEnvironment } from "./environment.ts";
import { EnvironmentConfigError } from "./environment-config-error.ts";

/**
 * As cheap as the whole platform gets: three of the smallest brokers (RF 3 needs three), the smallest instance for NAT, and
 * nothing watched that is watched in staging, before it gets to prod. docs/costs.md has the sum.
 * kafka.t3.small takes 4 new IAM connections a second and broker, which bounds the ingest function's concurrency.
 */
const dev: EnvironmentConfig = {
  name: "dev",
  availabilityZoneCount: 3,
  natGateways: "instance",
  flowLogs: false,
  removalPolicy: "destroy",
  logRetentionDays: 7,
  tags: { owner: "platform", costCenter: "platform-dev", dataClassification: "internal" },
  // The newest that MSK's Standard brokers take (4.2 is for Express brokers only), and what local/ runs:
  // https://docs.aws.amazon.com/msk/latest/developerguide/supported-kafka-versions.html
  kafka: { version: "4.1.x.kraft", instanceType: "kafka.t3.small", brokersPerZone: 1, volumeGib: 20 },
  ingest: {
    memoryMib: 1024,
    timeoutSeconds: 29,
    auth: { kind: "iam" },
    expected: {
      eventsPerSecond: 1_000,
      eventBytes: 512,
      eventsPerRequest: 25,
      requestMs: 100,
      highShare: 0.2,
    },
    reservedConcurrency: 20,
    // On a laptop all load comes from one sender, and `spillway burst` sends what the machine can.
    producerEventsPerSecond: 100_000,
    requestsPerSecond: 500,
    burstRequests: 1_000,
  },
  // On demand costs 0.04 USD an hour and stream while it is idle, a shard 0.015: one takes 1 MB/s, dev's door less. What
  // is kept for longer than a day costs 0.02 more; whatever waits for half a day is filed in a bucket.
  spillway: {
    shards: 1,
    highShards: 1,
    retentionHours: 24,
    forward: { memoryMib: 512, timeoutSeconds: 60 },
    batchRecords: 100,
  },
  sink: { memoryMib: 512, timeoutSeconds: 60, batchRecords: 500, batchWindowSeconds: 1 },
  query: { memoryMib: 512, timeoutSeconds: 10, requestsPerSecond: 200, burstRequests: 400 },
  // No such host either: until a team states its own, the notices of frauds end in the archive of dead letters.
  serving: { webhook: { url: "https://webhook.example/notices" } },
  processors: {
    cpuUnits: 256,
    memoryMib: 1024,
    // Nobody waits for a task to be taken over; local/ runs two.
    minTasks: 1,
    maxTasks: 4,
    // Nobody waits for dev, and a task that is taken away shows every day that it may be.
    spotShare: 1,
    // Nobody waits for dev's results either, and a fifth of the checkpoints cost a fifth: docs/costs.md.
    checkpointIntervalMs: 5_000,
    // No such host exists (RFC 2606): until a team states its own, telemetry goes on degraded, without a place.
    serviceUrls: { geolocation: "https://geolocation.example" },
  },
  // 40 requests/s would be 104 million a month: 10 million recorded traces, 52 USD at 5 USD a million; dev has a fraction.
  tracing: { sampleRate: 0.1 },
  watching: "essential",
};

/**
 * What prod is, in small: the same zones, the same kind of brokers, the same guards, so that what a rollout would do to
 * prod it does here first. Its data may go, and one NAT gateway is enough, as nobody waits for it.
 */
const staging: EnvironmentConfig = {
  name: "staging",
  availabilityZoneCount: 3,
  natGateways: 1,
  flowLogs: true,
  removalPolicy: "destroy",
  logRetentionDays: 14,
  tags: { owner: "platform", costCenter: "platform-staging", dataClassification: "internal" },
  kafka: { version: "4.1.x.kraft", instanceType: "kafka.m7g.large", brokersPerZone: 1, volumeGib: 100 },
  ingest: {
    memoryMib: 1769,
    timeoutSeconds: 29,
    auth: { kind: "iam" },
    expected: {
      eventsPerSecond: 2_500,
      eventBytes: 512,
      eventsPerRequest: 100,
      requestMs: 60,
      highShare: 0.2,
    },
    reservedConcurrency: 50,
    requestsPerSecond: 500,
    burstRequests: 1_000,
  },
  spillway: {
    shards: 2,
    highShards: 1,
    retentionHours: 168,
    forward: { memoryMib: 1024, timeoutSeconds: 60 },
    batchRecords: 100,
  },
  sink: { memoryMib: 1024, timeoutSeconds: 60, batchRecords: 1_000, batchWindowSeconds: 1 },
  query: { memoryMib: 1024, timeoutSeconds: 10, requestsPerSecond: 500, burstRequests: 1_000 },
  serving: {},
  processors: {
    cpuUnits: 1024,
    memoryMib: 2048,
    minTasks: 2,
    maxTasks: 4,
    spotShare: 0.5,
    checkpointIntervalMs: 1_000,
    serviceUrls: { geolocation: "https://geolocation.example" },
  },
  // 25 requests/s are 65 million a month: 0.65 million recorded traces, 3 USD.
  tracing: { sampleRate: 0.01 },
  watching: "all",
};

/**
 * 10,000 events/s of half a KiB, and 25 times as much into the spillway and the brokers' page cache for minutes; a zone
 * may fail. Its data outlives its stacks.
 */
const prod: EnvironmentConfig = {
  name: "prod",
  availabilityZoneCount: 3,
  // A zone that loses its NAT must not take the others' with it.
  natGateways: 3,
  flowLogs: true,
  removalPolicy: "retain",
  logRetentionDays: 90,
  tags: { owner: "platform", costCenter: "platform-prod", dataClassification: "confidential" },
  // 10,000 events/s × 0.5 KiB × 3 copies × 7 days are 8.7 TB: 1.5 TB a broker, and a third of that free.
  kafka: { version: "4.1.x.kraft", instanceType: "kafka.m7g.large", brokersPerZone: 2, volumeGib: 2_200 },
  ingest: {
    // One vCPU of Lambda's, https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html.
    memoryMib: 1769,
    timeoutSeconds: 29,
    auth: { kind: "iam" },
    expected: {
      eventsPerSecond: 10_000,
      eventBytes: 512,
      eventsPerRequest: 100,
      requestMs: 60,
      highShare: 0.2,
    },
    reservedConcurrency: 500,
    requestsPerSecond: 5_000,
    burstRequests: 10_000,
  },
  spillway: {
    shards: "on-demand",
    highShards: 2,
    retentionHours: 168,
    forward: { memoryMib: 1769, timeoutSeconds: 60 },
    batchRecords: 100,
  },
  sink: { memoryMib: 1769, timeoutSeconds: 60, batchRecords: 2_000, batchWindowSeconds: 1 },
  query: { memoryMib: 1024, timeoutSeconds: 10, requestsPerSecond: 2_000, burstRequests: 4_000 },
  serving: {},
  processors: {
    // A process is one thread beside its compaction: one vCPU.
    cpuUnits: 1024,
    memoryMib: 4096,
    minTasks: 2,
    maxTasks: 20,
    spotShare: 0,
    checkpointIntervalMs: 1_000,
    serviceUrls: { geolocation: "https://geolocation.example" },
  },
  // 100 requests/s are 259 million a month: 2.6 million recorded traces, 13 USD.
  tracing: { sampleRate: 0.01 },
  watching: "all",
};

const environments: ReadonlyMap<string, EnvironmentConfig> = new Map(
  [dev, staging, prod].map((environment) => [environment.name, environment]),
);

/** Their names, from the one that changes first to the one that changes last. */
export const environmentNames: readonly string[] = [...environments.keys()];

/** The checked configuration of an environment. Throws {@link EnvironmentConfigError} for an unknown name. */
export function environmentConfig(name: string): EnvironmentConfig {
  const config = environments.get(name);
  if (!config) {
    throw new EnvironmentConfigError("environment", name, `one of ${[...environments.keys()].join(", ")}`);
  }
  return validateEnvironment(config);
}
