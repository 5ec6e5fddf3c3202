/** The environments that can be deployed. Nothing is shared between two of them. */
import { type EnvironmentConfig, validateEnvironment } from "./environment.ts";
import { EnvironmentConfigError } from "./environment-config-error.ts";

/**
 * As cheap as the whole platform gets: three of the smallest brokers (RF 3 needs three), one NAT gateway.
 * kafka.t3.small takes 4 new IAM connections a second and broker, which bounds the ingest function's concurrency.
 */
const dev: EnvironmentConfig = {
  name: "dev",
  availabilityZoneCount: 3,
  natGatewayCount: 1,
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
    expected: { eventsPerSecond: 1_000, eventBytes: 512, eventsPerRequest: 25, requestMs: 100 },
    reservedConcurrency: 20,
    requestsPerSecond: 500,
    burstRequests: 1_000,
  },
  // On demand costs 0.04 USD an hour and stream while it is idle, a shard 0.015: one takes 1 MB/s, dev's door less.
  spillway: {
    shards: 1,
    retentionHours: 168,
    forward: { memoryMib: 512, timeoutSeconds: 60 },
    batchRecords: 100,
  },
  sink: { memoryMib: 512, timeoutSeconds: 60, batchRecords: 500, batchWindowSeconds: 1 },
  query: { memoryMib: 512, timeoutSeconds: 10, requestsPerSecond: 200, burstRequests: 400 },
  processors: {
    cpuUnits: 512,
    memoryMib: 1024,
    desiredCount: 2,
    // No such host exists (RFC 2606): until a team states its own, telemetry goes on degraded, without a place.
    serviceUrls: { geolocation: "https://geolocation.example" },
  },
};

const environments: ReadonlyMap<string, EnvironmentConfig> = new Map([[dev.name, dev]]);

/** The checked configuration of an environment. Throws {@link EnvironmentConfigError} for an unknown name. */
export function environmentConfig(name: string): EnvironmentConfig {
  const config = environments.get(name);
  if (!config) {
    throw new EnvironmentConfigError("environment", name, `one of ${[...environments.keys()].join(", ")}`);
  }
  return validateEnvironment(config);
}
