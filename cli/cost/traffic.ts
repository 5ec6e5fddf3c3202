/** What is paid by use: requests, bytes, and the processors that a load needs. */
import { type MetricName, metrics } from "../../contracts/metrics.ts";
import { assumed } from "./assumptions.ts";
import { type Line, line } from "./line.ts";
import { FARGATE_SPOT_DISCOUNT } from "./prices.ts";
import type { ServiceShape, Shape } from "./shape.ts";

/** What comes in; 0 events a second is an environment at rest. */
export interface Load {
  readonly eventsPerSecond: number;
  readonly eventBytes: number;
  readonly eventsPerRequest: number;
  readonly requestMs: number;
}

const SECONDS_PER_HOUR = 3_600;
const GB = 1e9;
const KIB = 1_024;
/** Up to this a part of a checkpoint is kept in DynamoDB (docs/checkpoint-format.md). */
const MAX_ITEM_BYTES = 4 * KIB;
/** Of the pipelines' metrics (processors/processor.ts). */
const METRICS_INTERVAL_S = 10;
/** The door reads the signals that often at most (docs/ingestion.md). */
const SIGNALS_READ_S = 2;
const FLOW_CONTROL_RUNS_PER_HOUR = 60;
const FLOW_CONTROL_MS = 500;

interface Rates {
  readonly seconds: number;
  readonly events: number;
  readonly requests: number;
  readonly results: number;
  readonly queries: number;
  /** Of what clients write to brokers and read from them, that which may cross zones. */
  readonly kafkaGb: number;
}

/** All lines of a month under the load. */
export function trafficLines(shape: Shape, load: Load): readonly Line[] {
  const rates = ratesOf(shape, load);
  return [
    ...processorLines(shape, load),
    ...functionLines(shape, load, rates),
    ...transferLines(shape, rates),
    ...tableLines(shape, load, rates),
    ...bucketLines(shape, load, rates),
    ...logLines(shape, rates),
    ...metricLines(shape, load),
    line("metrics, alarms, dashboards", "traces", rates.requests * shape.traceSampleRate, "trace"),
    ...noticeLines(rates),
  ].filter(({ usd }) => usd > 0);
}

function ratesOf({ readsStayInZone }: Shape, { eventsPerSecond, eventBytes, eventsPerRequest }: Load): Rates {
  const seconds = assumed("hoursPerMonth") * SECONDS_PER_HOUR;
  const events = eventsPerSecond * seconds;
  return {
    seconds,
    events,
    requests: events / eventsPerRequest,
    results: events * assumed("resultsPerEvent"),
    queries: events * assumed("queriesPerEvent"),
    kafkaGb: (events * eventBytes * (1 + (readsStayInZone ? 0 : assumed("readersPerEvent")))) / GB,
  };
}

/** Tasks of the processors: those that are configured, or as many more as the load needs, in the same proportions. */
export function processorScale(services: readonly ServiceShape[], eventsPerSecond: number): number {
  const vcpus = services.reduce((sum, service) => sum + service.vcpus * service.desiredCount, 0);
  const needed = (eventsPerSecond * assumed("readersPerEvent")) / assumed("recordsPerVcpuSecond");
  return vcpus === 0 ? 1 : Math.max(1, needed / vcpus);
}

function processorLines({ services }: Shape, { eventsPerSecond }: Load): readonly Line[] {
  const scale = processorScale(services, eventsPerSecond);
  const paidHours = services.map(
    ({ desiredCount, spotShare }) =>
      desiredCount * scale * assumed("hoursPerMonth") * (1 - spotShare * FARGATE_SPOT_DISCOUNT),
  );
  const sum = (size: "vcpus" | "memoryGb"): number =>
    services.reduce((total, service, index) => total + service[size] * paidHours[index]!, 0);
  return [
    line("processors", "tasks: vCPU", sum("vcpus"), "fargateArmVcpuHour"),
    line("processors", "tasks: memory", sum("memoryGb"), "fargateArmGbHour"),
  ];
}

function functionLines(shape: Shape, { requestMs }: Load, rates: Rates): readonly Line[] {
  const { seconds, requests, results, queries } = rates;
  const sinkRuns = sinkInvocations(shape, rates);
  const flowControlRuns = (seconds / SECONDS_PER_HOUR) * FLOW_CONTROL_RUNS_PER_HOUR;
  const runs = [
    ["Ingest", requests, requestMs * requests],
    ["Sink", sinkRuns, 20 * sinkRuns + assumed("sinkMsPerResult") * results],
    ["Query", queries, 20 * queries],
    ["FlowControl", flowControlRuns, FLOW_CONTROL_MS * flowControlRuns],
  ] as const;
  const gbSeconds = runs.reduce((sum, [name, , ms]) => sum + ((ms / 1_000) * shape.memoryMib(name)) / KIB, 0);
  const invocations = runs.reduce((sum, [, count]) => sum + count, 0);
  return [
    line("functions and APIs", "Lambda: requests", invocations, "lambdaRequest"),
    line("functions and APIs", "Lambda: duration", gbSeconds, "lambdaArmGbSecond"),
    line("functions and APIs", "HTTP APIs: requests", requests + queries, "httpApiRequest"),
  ];
}

/** A batch goes off when it is full or its window is over, whichever is first. */
function sinkInvocations(shape: Shape, { seconds, results }: Rates): number {
  const full = results / shape.sinkBatchRecords;
  const byTime = (shape.series * seconds) / Math.max(1, shape.sinkWindowSeconds);
  return Math.min(results, Math.max(full, byTime));
}

function transferLines(
  { hasCdn, hasNatGateway }: Shape,
  { requests, queries, kafkaGb }: Rates,
): readonly Line[] {
  const answersGb = (answers: number) => (answers * assumed("answerKb") * KIB) / GB;
  return [
    line("network", "Kafka's clients across zones", kafkaGb * assumed("zoneCrossings"), "crossZoneGb"),
    // What CloudFront fetches from its origin is free.
    line("network", "answers to the internet", answersGb(requests + (hasCdn ? 0 : queries)), "internetGb"),
    line("network", "CDN: requests", hasCdn ? queries : 0, "cloudFrontRequest"),
    line("network", "CDN: answers", hasCdn ? answersGb(queries) : 0, "cloudFrontGb"),
    line("network", "through NAT", hasNatGateway ? assumed("natIdleGb") : 0, "natGatewayGb"),
  ];
}

function checkpointsOf({ tasks, checkpointIntervalMs }: Shape, load: Load, { seconds }: Rates) {
  const records = load.eventsPerSecond * assumed("readersPerEvent");
  const perSecond = Math.min((tasks * 1_000) / checkpointIntervalMs, records);
  const bytes = perSecond === 0 ? 0 : (records / perSecond) * assumed("deltaBytesPerRecord");
  return { count: perSecond * seconds, isSmall: bytes <= MAX_ITEM_BYTES };
}

function tableLines(shape: Shape, load: Load, rates: Rates): readonly Line[] {
  const { seconds, results, queries } = rates;
  const checkpoints = checkpointsOf(shape, load, rates);
  // Manifest (two units) and slot; of a small one its state (four) and outputs too.
  const writesPerCheckpoint = checkpoints.isSmall ? 8 : 3;
  const signals =
    (shape.tasks * seconds) / assumed(load.eventsPerSecond === 0 ? "idleSignalSeconds" : "signalSeconds");
  const busy = Math.ceil((load.eventsPerSecond / load.eventsPerRequest) * (load.requestMs / 1_000));
  const scanUnits = Math.max(1, (shape.tasks * assumed("signalBytes")) / (4 * KIB)) / 2;
  const scans = (busy * seconds) / SIGNALS_READ_S + seconds / 60;
  const storedGb = (results * KIB * (assumed("resultRetentionDays") / (assumed("hoursPerMonth") / 24))) / GB;
  return [
    line("tables", "results", results, "dynamodbWrite"),
    line("tables", "checkpoints", checkpoints.count * writesPerCheckpoint, "dynamodbWrite"),
    line("tables", "signals", signals, "dynamodbWrite"),
    line("tables", "reads of signals", scans * scanUnits, "dynamodbRead"),
    line("tables", "reads of results", queries / 2, "dynamodbRead"),
    line("tables", "results: storage", storedGb, "dynamodbGbMonth"),
    line("tables", "results: recovery to a point in time", storedGb, "dynamodbRecoveryGbMonth"),
  ];
}

function bucketLines(shape: Shape, load: Load, rates: Rates): readonly Line[] {
  const { count, isSmall } = checkpointsOf(shape, load, rates);
  if (count === 0) return [];
  return [
    line("buckets", "checkpoints: PUTs", isSmall ? 0 : 2 * count, "s3Put"),
    line("buckets", "checkpoints: storage", shape.tasks * assumed("stateGbPerTask"), "s3GbMonth"),
  ];
}

function logLines(shape: Shape, { seconds, requests, queries }: Rates): readonly Line[] {
  const requestsGb = ((requests + queries) * assumed("logBytesPerRequest")) / GB;
  const processes = shape.services.reduce((sum, { desiredCount }) => sum + desiredCount, 0);
  // A service has the stages of its pipelines, so that all processes of all services have this many on average.
  const stagesEach = processes === 0 ? 0 : shape.stages * (processes / shape.services.length);
  const metricsGb = (stagesEach * (seconds / METRICS_INTERVAL_S) * assumed("logBytesPerStageInterval")) / GB;
  return [
    line("logs", "requests", requestsGb, "logsGb"),
    line("logs", "processors", metricsGb, "logsGb"),
    line("logs", "kept", (requestsGb + metricsGb) * 0.15, "logsGbMonth"),
  ];
}

/**
 * What a stage says while no event comes (processors/stage-metrics.ts): a metric is paid for the hours in which it is
 * emitted, and the others are where it happens only.
 */
export const STAGE_METRICS_AT_REST: readonly MetricName[] = [
  metrics.processor.tasksRunning,
  metrics.processor.tasksParked,
  metrics.processor.backlogRecords,
  metrics.processor.backlogSeconds,
  metrics.processor.busyPercent,
  metrics.processor.checkpointAgeMs,
  metrics.processor.lagMs,
  metrics.processor.watermarkDelayMs,
];

/** At rest only processors and the flow control say something. */
function metricLines({ stages }: Shape, { eventsPerSecond }: Load): readonly Line[] {
  const { processor, flowControl, ...others } = metrics;
  const count = (names: object) => Object.keys(names).length;
  const ofFunctions = Object.values(others).reduce((sum, names) => sum + count(names), 0);
  const quantity =
    count(flowControl) +
    (eventsPerSecond > 0 ? count(processor) * stages + ofFunctions : STAGE_METRICS_AT_REST.length * stages);
  return [line("metrics, alarms, dashboards", "own metrics", quantity, "metricMonth")];
}

function noticeLines({ results }: Rates): readonly Line[] {
  return [line("the rest", "notices", results * assumed("noticesPerResult"), "eventBridgeEvent")];
}
