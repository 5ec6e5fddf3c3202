import { describe, expect, test } from "vitest";
import type { SubjectLimit } from "../../../contracts/producers.ts";
import type { SheddingThresholds } from "../../../contracts/signals.ts";
import {
  type EnvironmentConfig,
  type IngestAuth,
  type KinesisDoorConfig,
  validateEnvironment,
} from "../../../lib/config/environment.ts";
import { EnvironmentConfigError } from "../../../lib/config/environment-config-error.ts";
import { environmentConfig } from "../../../lib/config/environments.ts";
import type { CdnConfig } from "../../../lib/config/serving.ts";

const dev = environmentConfig("dev");

const door: KinesisDoorConfig = {
  name: "partner",
  producerAccount: "111111111111",
  eventTypes: ["flight.departed"],
  shards: 1,
  retentionHours: 168,
  function: { memoryMib: 512, timeoutSeconds: 60 },
  batchRecords: 100,
};

const withAuth = (auth: IngestAuth): EnvironmentConfig => ({ ...dev, ingest: { ...dev.ingest, auth } });
const withSubjectLimits = (...subjectLimits: readonly SubjectLimit[]): EnvironmentConfig =>
  withAuth({ kind: "jwt", issuer: "https://issuer", audience: ["a"], subjectLimits });

const shedding = { spillLow: 0.8, refuseLow: 0.9, refuseNormal: 1.2 };
const withShedding = (changed: Partial<SheddingThresholds>): EnvironmentConfig => ({
  ...dev,
  ingest: { ...dev.ingest, shedding: { ...shedding, ...changed } },
});

const cdn: CdnConfig = {
  domainName: "results.example.org",
  certificateArn: "arn:aws:acm:us-east-1:111111111111:certificate/0b8f7c1e",
  reservedConcurrency: 50,
};
const withCdn = (changes: Partial<CdnConfig>): EnvironmentConfig => ({
  ...dev,
  serving: { ...dev.serving, cdn: { ...cdn, ...changes } },
});

const contradictions: readonly [field: string, config: EnvironmentConfig][] = [
  ["serving.cdn.domainName", withCdn({ domainName: "https://results.example.org" })],
  [
    "serving.cdn.certificateArn",
    withCdn({ certificateArn: cdn.certificateArn.replace("us-east-1", "eu-central-1") }),
  ],
  ["serving.cdn.reservedConcurrency", withCdn({ reservedConcurrency: 0 })],
  ["serving.cdn.firewall.maxRequestsPerAddress", withCdn({ firewall: { maxRequestsPerAddress: 9 } })],
  ["region", withCdn({ firewall: { maxRequestsPerAddress: 100 } })],
  ["serving.webhook.url", { ...dev, serving: { webhook: { url: "http://receiver.example.org" } } }],
  ["tracing.sampleRate", { ...dev, tracing: { sampleRate: 1.5 } }],
  ["tracing.sampleRate", { ...dev, tracing: { sampleRate: -0.1 } }],
  ["tracing.sampleRate", { ...dev, tracing: { sampleRate: Number.NaN } }],
  ["name", { ...dev, name: "Dev" }],
  ["name", { ...dev, name: "a-name-that-is-too-long" }],
  ["account", { ...dev, account: "12345" }],
  ["region", { ...dev, region: "Frankfurt" }],
  ["availabilityZoneCount", { ...dev, availabilityZoneCount: 1 }],
  ["natGateways", { ...dev, natGateways: 4 }],
  ["natGateways", { ...dev, natGateways: 0 }],
  ["removalPolicy", { ...dev, removalPolicy: "snapshot" as "retain" }],
  ["logRetentionDays", { ...dev, logRetentionDays: 8 }],
  ["tags.owner", { ...dev, tags: { ...dev.tags, owner: "" } }],
  ["kafka.version", { ...dev, kafka: { ...dev.kafka, version: "3.6.0" } }],
  ["kafka.instanceType", { ...dev, kafka: { ...dev.kafka, instanceType: "t3.small" } }],
  ["kafka.brokersPerZone", { ...dev, availabilityZoneCount: 2, kafka: { ...dev.kafka, brokersPerZone: 1 } }],
  ["kafka.volumeGib", { ...dev, kafka: { ...dev.kafka, volumeGib: 0 } }],
  ["ingest.timeoutSeconds", { ...dev, ingest: { ...dev.ingest, timeoutSeconds: 30 } }],
  ["ingest.reservedConcurrency", { ...dev, ingest: { ...dev.ingest, reservedConcurrency: 0 } }],
  ["ingest.producerEventsPerSecond", { ...dev, ingest: { ...dev.ingest, producerEventsPerSecond: 0 } }],
  ["sink.memoryMib", { ...dev, sink: { ...dev.sink, memoryMib: 64 } }],
  ["sink.batchRecords", { ...dev, sink: { ...dev.sink, batchRecords: 20_000 } }],
  ["query.requestsPerSecond", { ...dev, query: { ...dev.query, requestsPerSecond: 0.5 } }],
  ["ingest.requestsPerSecond", { ...dev, ingest: { ...dev.ingest, requestsPerSecond: 39 } }],
  ["ingest.reservedConcurrency", { ...dev, ingest: { ...dev.ingest, reservedConcurrency: 3 } }],
  ["ingest.reservedConcurrency", { ...dev, ingest: { ...dev.ingest, reservedConcurrency: 41 } }],
  ["ingest.shedding.spillLow", withShedding({ spillLow: 0 })],
  ["ingest.shedding.spillLow", withShedding({ spillLow: Number.NaN })],
  ["ingest.shedding.refuseLow", withShedding({ refuseLow: 0.7 })],
  ["ingest.shedding.refuseNormal", withShedding({ refuseNormal: 0.89 })],
  ["ingest.shedding.refuseNormal", withShedding({ refuseNormal: Number.POSITIVE_INFINITY })],
  [
    "spillway.shards",
    {
      ...dev,
      ingest: { ...dev.ingest, expected: { ...dev.ingest.expected, eventBytes: 2_000 } },
    },
  ],
  ["spillway.shards", { ...dev, spillway: { ...dev.spillway, shards: 0 } }],
  ["spillway.highShards", { ...dev, spillway: { ...dev.spillway, highShards: 0 } }],
  [
    "spillway.highShards",
    {
      ...dev,
      spillway: { ...dev.spillway, shards: 10 },
      ingest: { ...dev.ingest, expected: { ...dev.ingest.expected, eventBytes: 5_000, highShare: 0.5 } },
    },
  ],
  [
    "ingest.expected.highShare",
    { ...dev, ingest: { ...dev.ingest, expected: { ...dev.ingest.expected, highShare: 1.1 } } },
  ],
  ["spillway.retentionHours", { ...dev, spillway: { ...dev.spillway, retentionHours: 23 } }],
  ["ingest.auth.issuer", withAuth({ kind: "jwt", issuer: "http://issuer", audience: ["a"] })],
  ["ingest.auth.audience", withAuth({ kind: "jwt", issuer: "https://issuer", audience: [] })],
  ["ingest.auth.subjectLimits[0].subject", withSubjectLimits({ subject: "", eventsPerSecond: 1 })],
  [
    "ingest.auth.subjectLimits[1].subject",
    withSubjectLimits({ subject: "airline", eventsPerSecond: 1 }, { subject: "airline", eventsPerSecond: 2 }),
  ],
  [
    "ingest.auth.subjectLimits[0].eventsPerSecond",
    withSubjectLimits({ subject: "airline", eventsPerSecond: 0 }),
  ],
  [
    "ingest.auth.producers[0].principal",
    withAuth({ kind: "iam", producers: [{ principal: "airline", eventTypes: "any" }] }),
  ],
  [
    "ingest.auth.producers[0].eventTypes",
    withAuth({
      kind: "iam",
      producers: [{ principal: "arn:aws:iam::111111111111:role/airline", eventTypes: ["x"] }],
    }),
  ],
  [
    "ingest.auth.producers[0].eventsPerSecond",
    withAuth({
      kind: "iam",
      producers: [
        { principal: "arn:aws:iam::111111111111:role/airline", eventTypes: "any", eventsPerSecond: 0.5 },
      ],
    }),
  ],
  ["alarms.page[0]", { ...dev, alarms: { page: ["http://pager.example/hook"] } }],
  ["alarms.ticket[1]", { ...dev, alarms: { ticket: ["team@example.org", "team"] } }],
  ["alarms", { ...dev, alarms: { warning: ["team@example.org"] } as EnvironmentConfig["alarms"] & object }],
  ["doors[0].producerAccount", { ...dev, doors: [{ ...door, producerAccount: "1" }] }],
  ["doors[0].eventTypes", { ...dev, doors: [{ ...door, eventTypes: ["flight.vanished"] }] }],
  ["doors[0].eventTypes", { ...dev, doors: [{ ...door, eventTypes: [] }] }],
  ["doors[0].retentionHours", { ...dev, doors: [{ ...door, retentionHours: 1 }] }],
  ["doors[1].name", { ...dev, doors: [door, door] }],
  ["processors.cpuUnits", { ...dev, processors: { ...dev.processors, cpuUnits: 500 } }],
  ["processors.memoryMib", { ...dev, processors: { ...dev.processors, cpuUnits: 256, memoryMib: 4096 } }],
  [
    "processors.serviceUrls.places",
    { ...dev, processors: { ...dev.processors, serviceUrls: { places: "http://places" } } },
  ],
  ["processors.minTasks", { ...dev, processors: { ...dev.processors, minTasks: -1 } }],
  ["processors.maxTasks", { ...dev, processors: { ...dev.processors, minTasks: 3, maxTasks: 2 } }],
  ["processors.spotShare", { ...dev, processors: { ...dev.processors, spotShare: 0.25 } }],
  ["processors.spotShare", { ...dev, processors: { ...dev.processors, spotShare: 1.1 } }],
  [
    "processors.checkpointIntervalMs",
    { ...dev, processors: { ...dev.processors, checkpointIntervalMs: 199 } },
  ],
  [
    "processors.checkpointIntervalMs",
    { ...dev, processors: { ...dev.processors, checkpointIntervalMs: 10_001 } },
  ],
];

describe("validateEnvironment", () => {
  test.each(contradictions)("refuses a bad %s and names it", (field, config) => {
    const validate = () => validateEnvironment(config);

    expect(validate).toThrow(EnvironmentConfigError);
    expect(validate).toThrow(new RegExp(`^${field.replace(/[[\]]/g, "\\$&")} is `));
  });

  test("accepts equal thresholds of shedding: then a priority is refused without being spilled before", () => {
    const config = withShedding({ spillLow: 0.9, refuseNormal: 0.9 });

    expect(validateEnvironment(config)).toBe(config);
  });

  test("accepts a second broker a zone where there are two zones", () => {
    const config = { ...dev, availabilityZoneCount: 2, kafka: { ...dev.kafka, brokersPerZone: 2 } };

    expect(validateEnvironment(config)).toBe(config);
  });
});

describe("environmentConfig", () => {
  test("names the environments that there are when asked for another", () => {
    expect(() => environmentConfig("production")).toThrow(
      /environment is "production"; it must be one of dev/,
    );
  });
});
