/** Names of the environment variables that stacks set and code reads; one place, so that neither can drift. */
export const environmentVariables = {
  /** The deployed environment's name: `dev`, `staging`, `prod`. */
  environment: "SPILLWAY_ENVIRONMENT",
  /** Comma-separated `host:port` of the brokers. A loopback address means the local platform: no TLS, no IAM. */
  bootstrapServers: "SPILLWAY_BOOTSTRAP_SERVERS",
  spillwayStream: "SPILLWAY_STREAM",
  /** The spillway of topics of high priority. */
  highSpillwayStream: "SPILLWAY_HIGH_STREAM",
  signalsTable: "SPILLWAY_SIGNALS_TABLE",
  /** Over how many milliseconds execution environments that start together spread their connections to Kafka. @default 0 */
  connectWindowMs: "SPILLWAY_CONNECT_WINDOW_MS",
  /** Above which loads events are shed: SheddingThresholds (signals.ts) as JSON. @default defaultShedding */
  shedding: "SPILLWAY_SHEDDING",
  /** Who may send what to the HTTP door: {@link ProducerRule}s as JSON. @default everyone who may call it, everything */
  producers: "SPILLWAY_PRODUCERS",
  /** Limits of their own of who sends with tokens: {@link SubjectLimit}s as JSON. @default they have none */
  subjectLimits: "SPILLWAY_SUBJECT_LIMITS",
  /** How many events a producer may send to the HTTP door a second, at all execution environments. @default no limit */
  producerEventsPerSecond: "SPILLWAY_PRODUCER_EVENTS_PER_SECOND",
  /** Execution environments of the HTTP door that are busy at the expected load; each counts its share of that limit. */
  expectedEnvironments: "SPILLWAY_EXPECTED_ENVIRONMENTS",
  /** The producer of a Kinesis door's stream. */
  producer: "SPILLWAY_PRODUCER",
  /** Comma-separated event types that a producer's stream may bring. */
  eventTypes: "SPILLWAY_EVENT_TYPES",
  /** What the producers of all Kinesis doors may send: {@link DoorRules} as JSON. @default there are none */
  doors: "SPILLWAY_DOORS",
  controlTable: "SPILLWAY_CONTROL_TABLE",
  /** The name by which the flow control knows the mapping that feeds the function. */
  mapping: "SPILLWAY_MAPPING",
  /** The mappings that the flow control pauses and resumes: see contracts/flow-control.ts. */
  controlledMappings: "SPILLWAY_CONTROLLED_MAPPINGS",
  resultsTable: "SPILLWAY_RESULTS_TABLE",
  /** How many records make a batch of the sink full. */
  batchRecords: "SPILLWAY_BATCH_RECORDS",
  /** By each topic of the catalogue, the names of the results that its events end up in, as JSON: {@link ResultNames}. */
  resultNames: "SPILLWAY_RESULT_NAMES",
  /** The series of results, and how they are served: see contracts/served-series.ts. */
  servedSeries: "SPILLWAY_SERVED_SERIES",
  /** The event bus that notices are put on, and the table of those that were. @default nothing is told */
  noticesBus: "SPILLWAY_NOTICES_BUS",
  noticesTable: "SPILLWAY_NOTICES_TABLE",
  /** Where notices are sent to, and the secret that signs them. */
  webhookUrl: "SPILLWAY_WEBHOOK_URL",
  webhookSecret: "SPILLWAY_WEBHOOK_SECRET",
  checkpointTable: "SPILLWAY_CHECKPOINT_TABLE",
  checkpointBucket: "SPILLWAY_CHECKPOINT_BUCKET",
  archiveTable: "SPILLWAY_ARCHIVE_TABLE",
  archiveBucket: "SPILLWAY_ARCHIVE_BUCKET",
  /** Where the mappings of streams file what is too old: `formatAgedOut` of contracts/aged-out.ts. */
  agedOutBuckets: "SPILLWAY_AGED_OUT_BUCKETS",
  redriveFunction: "SPILLWAY_REDRIVE_FUNCTION",
  /** Of what begins here, the share that is recorded as a trace: 0 to 1. @default 0 */
  traceSampleRate: "SPILLWAY_TRACE_SAMPLE_RATE",
  /** Where traces go: the whole URL, that takes OTLP as JSON over HTTP. @default none are recorded */
  otlpEndpoint: "SPILLWAY_OTLP_ENDPOINT",
  /** Comma-separated names of the pipelines a processor service runs. */
  pipelines: "SPILLWAY_PIPELINES",
  /** `on` or `off`: whether the clock closes the windows of silent partitions. Off for replays of old events. @default on */
  idleTicks: "SPILLWAY_IDLE_TICKS",
  /** Time between two checkpoints of a task, in milliseconds. @default 1,000 */
  checkpointIntervalMs: "SPILLWAY_CHECKPOINT_INTERVAL_MS",
  /** The zones that processors and brokers are in: `formatZones` of zones.ts. @default reads go to the leaders */
  zones: "SPILLWAY_ZONES",
  /** How long a processor may take to write its last checkpoints after SIGTERM, in milliseconds. */
  stopTimeoutMs: "SPILLWAY_STOP_TIMEOUT_MS",
} as const;

export type ResultNames = Readonly<Record<string, readonly string[]>>;

/** Holds the base URL of a service that pipelines ask, such as `SPILLWAY_GEOLOCATION_URL` for `geolocation`. */
export const serviceUrlVariable = (service: string): string =>
  `SPILLWAY_${service.replaceAll("-", "_").toUpperCase()}_URL`;

/** The consumer group of a pipeline: one group per pipeline (design, section 4). */
export const consumerGroup = (environment: string, pipeline: string): string => `${environment}-${pipeline}`;

/** The transactional id of one task; a task is one partition of one pipeline. */
export const transactionalId = (environment: string, pipeline: string, partition: number): string =>
  `${environment}-${pipeline}-${partition}`;

/** What the names of an environment's savepoints begin with: outside of the names that its tasks write and collect. */
export const savepointPrefix = (environment: string): string => `savepoints/${environment}/`;

/**
 * The consumer group of the sink function's mapping for one pipeline. No pipeline's own group is called like it, as
 * their names hold no dot.
 */
export const sinkConsumerGroup = (environment: string, pipeline: string): string =>
  `${environment}-${pipeline}.sink`;

/** The consumer group of the archiver's mapping of the dead letters; no pipeline's group is called like it. */
export const archiveConsumerGroup = (environment: string): string => `${environment}-dead-letters.archive`;
