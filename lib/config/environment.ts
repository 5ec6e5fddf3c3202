/** What may differ between two deployed environments, and the check that a configuration is one that works. */

import { catalogue } from "../../contracts/events/catalogue.ts";
import type { ProducerRule, SubjectLimit } from "../../contracts/producers.ts";
import type { SheddingThresholds } from "../../contracts/signals.ts";
import { checkCapacity, type IngestLoad } from "./capacity.ts";
import { matches, oneOf, within } from "./checks.ts";
import { EnvironmentConfigError } from "./environment-config-error.ts";
import { type ProcessorConfig, validateProcessors } from "./processors.ts";
import { type ServingConfig, validateServing } from "./serving.ts";

export interface EnvironmentConfig {
  /** Names everything: stacks, consumer groups, transactional ids. Lower case, digits, `-`; 2 to 12 characters. */
  readonly name: string;
  /** @default the CLI's */
  readonly account?: string;
  /** @default the CLI's */
  readonly region?: string;
  /** Zones of the region to use, from its first. Two or three; three brokers' worth of copies need three. */
  readonly availabilityZoneCount: number;
  /**
   * NAT gateways, at most one a zone; or one small instance that does the same for a fifth of a gateway's price, and that
   * nothing replaces while it is away: then no function, mapping or task starts, and what runs reaches Kafka, S3 and
   * DynamoDB only.
   */
  readonly natGateways: number | "instance";
  readonly flowLogs: boolean;
  /** What becomes of data (topics, tables, bucket, keys) when its stack is deleted. */
  readonly removalPolicy: "destroy" | "retain";
  /** One of the periods that CloudWatch Logs knows. */
  readonly logRetentionDays: number;
  readonly tags: EnvironmentTags;
  readonly kafka: KafkaConfig;
  readonly ingest: HttpFunctionConfig & {
    readonly auth: IngestAuth;
    /** What all of the door's sizes are checked against; docs/ingestion.md calculates it for other loads. */
    readonly expected: IngestLoad & {
      /** Of the events, those that go to topics of high priority. */
      readonly highShare: number;
    };
    /** Upper bound of concurrent executions. Each cold start opens about one IAM connection a broker. */
    readonly reservedConcurrency: number;
    /** Above which loads events are shed, by priority. @default defaultShedding of contracts/signals.ts */
    readonly shedding?: SheddingThresholds;
    /**
     * How many events each producer may send a second, unless its rule says otherwise. Approximate: docs/ingestion.md says
     * how. @default `expected.eventsPerSecond`, so that one producer gets no more than all that the door is made for
     */
    readonly producerEventsPerSecond?: number;
  };
  readonly spillway: SpillwayConfig;
  /** Streams of producers that send with PutRecords, one for each account. @default none */
  readonly doors?: readonly KinesisDoorConfig[];
  readonly sink: FunctionConfig & {
    /** Largest batch of one invocation. */
    readonly batchRecords: number;
    readonly batchWindowSeconds: number;
  };
  readonly query: HttpFunctionConfig;
  readonly serving: ServingConfig;
  readonly processors: ProcessorConfig;
  readonly tracing: TracingConfig;
  /**
   * `essential`: the alarms that page and those that roll a deployment back, and the platform's dashboard. `all`: also those
   * that are tickets and notices, and a dashboard for each pipeline. docs/costs.md says what it costs.
   */
  readonly watching: "all" | "essential";
  /** Whom alarms tell, by severity. @default nobody: they are in the console only */
  readonly alarms?: AlarmTargets;
}

/** Addresses: `somebody@example.org`, which must confirm, or the https URL of a service that takes what SNS sends. */
export interface AlarmTargets {
  readonly page?: readonly string[];
  readonly ticket?: readonly string[];
  readonly notice?: readonly string[];
}

export interface EnvironmentTags {
  readonly owner: string;
  readonly costCenter: string;
  readonly dataClassification: string;
}

export interface KafkaConfig {
  /** MSK's name of a Kafka version; `.kraft` at its end. */
  readonly version: string;
  readonly instanceType: string;
  readonly brokersPerZone: number;
  /** Fixed: storage that scales itself makes the template disagree with what runs, and later updates fail. */
  readonly volumeGib: number;
}

export interface FunctionConfig {
  readonly memoryMib: number;
  readonly timeoutSeconds: number;
}

/**
 * How a caller of `POST /events` proves who it is. `iam`: by a signature (SigV4); without `producers` every caller whose
 * policies allow it the API may send everything, with them only those they name may send, and only their types. `jwt`: by
 * a token of an issuer, whose scopes say what it may send: `events:<type>`, or `events:*`; `subjectLimits` say how much
 * some may send where that is not the environment's `ingest.producerEventsPerSecond`.
 */
export type IngestAuth =
  | { readonly kind: "iam"; readonly producers?: readonly ProducerRule[] }
  | {
      readonly kind: "jwt";
      readonly issuer: string;
      readonly audience: readonly string[];
      readonly subjectLimits?: readonly SubjectLimit[];
    };

export interface StreamConfig {
  /**
   * On demand a new stream takes 4 MB/s, and doubles within 15 minutes of twice as much; a shard takes 1 MB/s and 1,000
   * records/s from the start, and costs while it is idle. docs/ingestion.md says how many are needed.
   */
  readonly shards: number | "on-demand";
  /** How long events are kept; a day before it, or at half of it, they are given up, and filed in a bucket. */
  readonly retentionHours: number;
}

export interface SpillwayConfig extends StreamConfig {
  /** As `shards`, of the stream that topics of high priority have of their own. */
  readonly highShards: StreamConfig["shards"];
  readonly forward: FunctionConfig;
  /** Largest batch of one invocation; a record holds several events. */
  readonly batchRecords: number;
}

export interface KinesisDoorConfig extends StreamConfig {
  /** The producer, in names of resources: lower case, digits, `-`. */
  readonly name: string;
  /** The AWS account that may write to the stream; nobody else may. */
  readonly producerAccount: string;
  /** Types of the catalogue that it may send. */
  readonly eventTypes: readonly string[];
  readonly function: FunctionConfig;
  /** Largest batch of one invocation. */
  readonly batchRecords: number;
}

export interface HttpFunctionConfig extends FunctionConfig {
  /** The HTTP API refuses (429) what is above these. */
  readonly requestsPerSecond: number;
  readonly burstRequests: number;
}

export interface TracingConfig {
  /**
   * Of the requests at the door, the share whose way is recorded: 0 to 1; 0 leaves traces out. What it costs is in
   * docs/operations.md. Above 0 the account needs CloudWatch's Transaction Search.
   */
  readonly sampleRate: number;
}

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html */
const LOG_RETENTION_DAYS: readonly number[] = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

/** API Gateway ends an HTTP API's call after 30 s; a function that is still at it would answer nobody. */
const HTTP_TIMEOUT_SECONDS = 29;

/** Checks every field and each pair that could contradict; throws {@link EnvironmentConfigError} at the first. */
export function validateEnvironment(config: EnvironmentConfig): EnvironmentConfig {
  matches("name", config.name, /^[a-z][a-z0-9-]{0,10}[a-z0-9]$/, "2 to 12 of a-z, 0-9 and -, such as dev");
  if (config.account !== undefined) matches("account", config.account, /^\d{12}$/, "twelve digits");
  if (config.region !== undefined)
    matches("region", config.region, /^[a-z]{2}(-[a-z]+)+-\d$/, "a region's name");
  within("availabilityZoneCount", config.availabilityZoneCount, 2, 3);
  if (config.natGateways !== "instance")
    within("natGateways", config.natGateways, 1, config.availabilityZoneCount);
  oneOf("removalPolicy", config.removalPolicy, ["destroy", "retain"]);
  oneOf("logRetentionDays", config.logRetentionDays, LOG_RETENTION_DAYS);
  for (const [tag, value] of Object.entries(config.tags)) {
    matches(`tags.${tag}`, value, /^[\w .:/=+@-]{1,256}$/, "1 to 256 characters that a tag may hold");
  }
  validateKafka(config);
  validateFunctions(config);
  validateStream("spillway", config.spillway);
  validateShards("spillway.highShards", config.spillway.highShards);
  validateDrain("spillway.forward", config.spillway.forward);
  validateDoors(config.doors ?? []);
  validateAuth(config.ingest.auth);
  validateShedding(config.ingest.shedding);
  validateServing(config.serving, config.region);
  checkCapacity(config);
  validateProcessors(config.processors);
  validateTracing(config.tracing);
  oneOf("watching", config.watching, ["all", "essential"]);
  validateAlarms(config.alarms ?? {});
  return config;
}

function validateKafka({ kafka, availabilityZoneCount }: EnvironmentConfig): void {
  matches(
    "kafka.version",
    kafka.version,
    /^\d+\.\d+\.x\.kraft$/,
    "a KRaft version of MSK, such as 4.1.x.kraft",
  );
  matches("kafka.instanceType", kafka.instanceType, /^kafka\.[a-z0-9]+\.[a-z0-9]+$/, "an MSK broker type");
  within("kafka.brokersPerZone", kafka.brokersPerZone, 1, 20);
  if (availabilityZoneCount * kafka.brokersPerZone < 3) {
    throw new EnvironmentConfigError(
      "kafka.brokersPerZone",
      kafka.brokersPerZone,
      "such that there are three brokers at least: every topic has three copies",
    );
  }
  within("kafka.volumeGib", kafka.volumeGib, 1, 16_384);
}

function validateFunctions({ ingest, sink, query }: EnvironmentConfig): void {
  for (const [name, { memoryMib }] of Object.entries({ ingest, sink, query })) {
    within(`${name}.memoryMib`, memoryMib, 128, 10_240);
  }
  for (const [name, http] of Object.entries({ ingest, query })) {
    within(`${name}.timeoutSeconds`, http.timeoutSeconds, 1, HTTP_TIMEOUT_SECONDS);
    within(`${name}.requestsPerSecond`, http.requestsPerSecond, 1, 1_000_000);
    within(`${name}.burstRequests`, http.burstRequests, 1, 1_000_000);
  }
  // Storing may take 10 s, and answering and telling others a little more.
  within("ingest.timeoutSeconds", ingest.timeoutSeconds, 12, HTTP_TIMEOUT_SECONDS);
  if (ingest.producerEventsPerSecond !== undefined)
    within("ingest.producerEventsPerSecond", ingest.producerEventsPerSecond, 1, 1_000_000);
  within("ingest.reservedConcurrency", ingest.reservedConcurrency, 1, 10_000);
  const { highShare } = ingest.expected;
  if (!(highShare >= 0 && highShare <= 1)) {
    throw new EnvironmentConfigError("ingest.expected.highShare", highShare, "a share, from 0 to 1");
  }
  within("sink.timeoutSeconds", sink.timeoutSeconds, 1, 900);
  within("sink.batchRecords", sink.batchRecords, 1, 10_000);
  within("sink.batchWindowSeconds", sink.batchWindowSeconds, 0, 300);
}

/** https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html; a mapping's oldest record has 7 days. */
function validateStream(
  field: string,
  { shards, retentionHours, batchRecords }: StreamConfig & { readonly batchRecords: number },
): void {
  validateShards(`${field}.shards`, shards);
  within(`${field}.retentionHours`, retentionHours, 24, 192);
  within(`${field}.batchRecords`, batchRecords, 1, 10_000);
}

function validateShards(field: string, shards: StreamConfig["shards"]): void {
  if (shards !== "on-demand") within(field, shards, 1, 10_000);
}

function validateDrain(field: string, { memoryMib, timeoutSeconds }: FunctionConfig): void {
  within(`${field}.memoryMib`, memoryMib, 128, 10_240);
  within(`${field}.timeoutSeconds`, timeoutSeconds, 30, 900);
}

function validateAuth(auth: IngestAuth): void {
  if (auth.kind === "jwt") {
    matches("ingest.auth.issuer", auth.issuer, /^https:\/\/\S+$/, "the issuer's https URL");
    if (auth.audience.length === 0) {
      throw new EnvironmentConfigError("ingest.auth.audience", auth.audience, "one or several audiences");
    }
    validateSubjectLimits(auth.subjectLimits);
    return;
  }
  if (auth.producers?.length === 0) {
    const expected = "absent, where every caller may send everything, or one or several rules";
    throw new EnvironmentConfigError("ingest.auth.producers", auth.producers, expected);
  }
  auth.producers?.forEach(({ principal, eventTypes, eventsPerSecond }, index) => {
    const field = `ingest.auth.producers[${index}]`;
    const arn = /^arn:aws[a-z-]*:iam::\d{12}:(role|user)\/[^/]+$/;
    matches(`${field}.principal`, principal, arn, "the ARN of an IAM role or user, without its path");
    if (eventTypes !== "any") knownTypes(`${field}.eventTypes`, eventTypes);
    if (eventsPerSecond !== undefined) within(`${field}.eventsPerSecond`, eventsPerSecond, 1, 1_000_000);
  });
}

function validateSubjectLimits(limits: readonly SubjectLimit[] = []): void {
  const subjects = new Set<string>();
  limits.forEach(({ subject, eventsPerSecond }, index) => {
    const field = `ingest.auth.subjectLimits[${index}]`;
    // OpenID Connect Core 1.0, section 2: a subject has at most 255 ASCII characters.
    matches(
      `${field}.subject`,
      subject,
      /^[\x20-\x7e]{1,255}$/,
      "a token's subject: 1 to 255 ASCII characters",
    );
    if (subjects.has(subject))
      throw new EnvironmentConfigError(`${field}.subject`, subject, "one that no limit before has");
    subjects.add(subject);
    within(`${field}.eventsPerSecond`, eventsPerSecond, 1, 1_000_000);
  });
}

function validateShedding(shedding: SheddingThresholds | undefined): void {
  if (shedding === undefined) return;
  let least = Number.MIN_VALUE;
  let expected = "a number above 0";
  for (const name of ["spillLow", "refuseLow", "refuseNormal"] as const) {
    const value = shedding[name];
    const field = `ingest.shedding.${name}`;
    if (!Number.isFinite(value) || value < least) throw new EnvironmentConfigError(field, value, expected);
    least = value;
    expected = `a number of at least ${name}, which is ${value}`;
  }
}

function knownTypes(field: string, types: readonly string[]): void {
  const known: readonly string[] = catalogue.map(({ type }) => type);
  if (types.length > 0 && types.every((type) => known.includes(type))) return;
  throw new EnvironmentConfigError(field, types, `one or several of ${known.join(", ")}`);
}

function validateDoors(doors: readonly KinesisDoorConfig[]): void {
  const names = new Set<string>();
  doors.forEach((door, index) => {
    const field = `doors[${index}]`;
    matches(`${field}.name`, door.name, /^[a-z][a-z0-9-]{0,30}$/, "1 to 31 of a-z, 0-9 and -");
    if (names.has(door.name))
      throw new EnvironmentConfigError(`${field}.name`, door.name, "one that no door before has");
    names.add(door.name);
    matches(`${field}.producerAccount`, door.producerAccount, /^\d{12}$/, "twelve digits");
    knownTypes(`${field}.eventTypes`, door.eventTypes);
    validateStream(field, door);
    validateDrain(`${field}.function`, door.function);
  });
}

function validateTracing({ sampleRate }: TracingConfig): void {
  if (sampleRate >= 0 && sampleRate <= 1) return;
  throw new EnvironmentConfigError("tracing.sampleRate", sampleRate, "a share, from 0 to 1");
}

function validateAlarms(alarms: AlarmTargets): void {
  for (const [severity, targets] of Object.entries(alarms)) {
    oneOf("alarms", severity, ["page", "ticket", "notice"]);
    (targets as readonly string[]).forEach((target, index) => {
      const address = /^([^\s@:/]+@[^\s@:/]+\.[^\s@:/]+|https:\/\/\S+)$/;
      matches(`alarms.${severity}[${index}]`, target, address, "a mail address or an https URL");
    });
  }
}
