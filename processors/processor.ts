/**
 * A processor: runs the pipelines that its environment names (contracts/environment.ts) until it is told to stop.
 * SIGTERM makes a last checkpoint and leaves the groups; anything unexpected ends the process with status 1, and
 * whoever takes its partitions over recovers them.
 */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { MetricUnit } from "@aws-lambda-powertools/metrics";
import { environmentVariables } from "../contracts/environment.ts";
import { metrics } from "../contracts/metrics.ts";
import { SIGNAL_INTERVAL_MS } from "../contracts/signals.ts";
import { topics } from "../contracts/topics.ts";
import { createDynamoDBClient } from "../runtime/dynamodb.ts";
import { requireEnvironment, requireEnvironmentList } from "../runtime/environment.ts";
import { ConfigurationError } from "../runtime/errors.ts";
import { createS3Client } from "../runtime/s3.ts";
import { SignalsTable } from "../runtime/signals.ts";
import { createMetrics, createTelemetry } from "../runtime/telemetry.ts";
import { createTracing } from "../runtime/tracing.ts";
import { AwsCheckpointStore } from "./adapters/aws-checkpoint-store.ts";
import { KafkaLog } from "./adapters/kafka-log.ts";
import { checkpointSpans } from "./checkpoint-spans.ts";
import { CompactionThread } from "./compaction/compaction-thread.ts";
import { type PipelineDefinition, stagesOf } from "./engine/pipeline/definition.ts";
import type { Clock } from "./engine/worker/ports.ts";
import { defaultLimits, Worker } from "./engine/worker/worker.ts";
import { Health, serveHealth } from "./health.ts";
import { LoadSignals } from "./load-signals.ts";
import { pipelines } from "./pipelines/all.ts";
import { rackOf } from "./rack.ts";
import { StageMetrics } from "./stage-metrics.ts";
import { createObserver } from "./telemetry.ts";

const METRICS_INTERVAL_MS = 10_000;
/** Spans wait so long to be sent, and then may take so long. */
const SPANS_INTERVAL_MS = 5_000;
const SPANS_TIMEOUT_MS = 2_000;
const DEFAULT_STOP_TIMEOUT_MS = 25_000;

const clock: Clock = {
  nowMs: () => Math.round(performance.now()),
  epochMs: () => Date.now(),
  sleep: (ms, signal) => delay(ms, undefined, { signal }).catch(() => undefined),
  yield: () => new Promise((resolve) => setImmediate(resolve)),
};

const environment = requireEnvironment(environmentVariables.environment);
const { logger, metrics: lostSpans } = createTelemetry("processor");
const rackId = await rackOf(process.env, (error) =>
  logger.warn("the task's zone is not known; it reads from leaders in all zones", { error }),
);
const log = new KafkaLog({
  bootstrapServers: requireEnvironment(environmentVariables.bootstrapServers),
  clientId: `${environment}-processor`,
  rackId,
});
const dynamodb = createDynamoDBClient();
const signalsTable = new SignalsTable(dynamodb, requireEnvironment(environmentVariables.signalsTable));
const store = new AwsCheckpointStore({
  dynamodb,
  s3: createS3Client(),
  table: requireEnvironment(environmentVariables.checkpointTable),
  bucket: requireEnvironment(environmentVariables.checkpointBucket),
});
const { compact } = new CompactionThread(process.argv[1]!);
const ticks = readTicks();
const stopTimeoutMs = readMilliseconds(environmentVariables.stopTimeoutMs, DEFAULT_STOP_TIMEOUT_MS);
const limits = {
  ...defaultLimits,
  checkpointIntervalMs: readMilliseconds(
    environmentVariables.checkpointIntervalMs,
    defaultLimits.checkpointIntervalMs,
  ),
};
const running = requireEnvironmentList(environmentVariables.pipelines).map(find);
const definitions = running.flatMap(stagesOf);
const tracing = createTracing({
  stage: "processor",
  onLost: (spans, cause) => {
    lostSpans.addMetric(metrics.traces.spansLost, MetricUnit.Count, spans);
    lostSpans.publishStoredMetrics();
    logger.warn("spans were not taken; their traces have gaps", { spans, error: cause });
  },
});
const stageMetrics = new Map(running.flatMap(metricsOfStages));
const loads = new LoadSignals(clock, topicsByStage());
const health = new Health(clock, limits.checkpointIntervalMs);
const observer = health.observing(
  createObserver(
    logger,
    (stage) => stageMetrics.get(stage)!,
    () => exit(1),
  ),
);

const workers = definitions.map((definition) => {
  const owner = `${hostname()}/${process.pid}`;
  const context = {
    log,
    store,
    clock,
    newId: randomUUID,
    observer,
    traceCheckpoint: tracing.enabled ? checkpointSpans(tracing) : undefined,
    environment,
    owner,
    compact,
    definition: withTicks(definition),
  };
  const onCrash = (error: Error): never => {
    logger.error("the Kafka client crashed", { error });
    stageMetrics.get(definition.name)!.crashed();
    return exit(1);
  };
  const worker = new Worker(context, { onCrash }, limits);
  health.watch(definition.name, worker);
  return worker;
});

function metricsOfStages(pipeline: PipelineDefinition): (readonly [string, StageMetrics])[] {
  return stagesOf(pipeline).map(({ name }) => {
    return [name, new StageMetrics(createMetrics(logger, { pipeline: pipeline.name, stage: name }), clock)];
  });
}

/** Without ticks every input waits for its next record, however long that takes. */
function withTicks(definition: PipelineDefinition): PipelineDefinition {
  if (ticks) return definition;
  return { ...definition, inputs: definition.inputs.map((input) => ({ ...input, idleTimeoutMs: null })) };
}

function readTicks(): boolean {
  const name = environmentVariables.idleTicks;
  const text = process.env[name] ?? "on";
  if (text === "on" || text === "off") return text === "on";
  throw new ConfigurationError(`${name} is "${text}"`, "Set it to on or off");
}

function readMilliseconds(name: string, defaultMs: number): number {
  const text = process.env[name] ?? String(defaultMs);
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new ConfigurationError(
    `${name} is "${text}", which is no number of milliseconds`,
    `Set it to a whole number`,
  );
}

function find(name: string): PipelineDefinition {
  const definition = pipelines.find((pipeline) => pipeline.name === name);
  if (definition !== undefined) return definition;
  const known = pipelines.map((pipeline) => pipeline.name).join(", ");
  throw new ConfigurationError(
    `${environmentVariables.pipelines} names the pipeline ${name}, which processors/pipelines/all.ts does not list`,
    `Use one of: ${known}`,
  );
}

/** A later stage of a pipeline holds up those that send to the first one. */
function topicsByStage(): Map<string, readonly string[]> {
  const pairs = pipelines.flatMap((pipeline) => {
    const stages = stagesOf(pipeline);
    const sources = stages.flatMap(({ inputs }) => inputs.map(({ topic }) => topic));
    const sentTo = [...new Set(sources)].filter((topic) => topic in topics);
    return stages.map(({ name }) => [name, sentTo] as const);
  });
  return new Map(pairs);
}

/** What is not told is not a reason to stop: the door takes a silent stage for idle. */
async function tellLoads(): Promise<void> {
  const abortSignal = AbortSignal.timeout(SIGNAL_INTERVAL_MS);
  const outcomes = await Promise.allSettled(
    loads
      .signals(workers.flatMap((worker) => worker.vitals()))
      .map((signal) => signalsTable.write(signal, abortSignal)),
  );
  const failure = outcomes.find((outcome) => outcome.status === "rejected");
  if (failure) logger.warn("the signals table did not take the tasks' loads", { error: failure.reason });
}

function publishMetrics(): void {
  for (const [index, worker] of workers.entries()) {
    stageMetrics.get(definitions[index]!.name)!.publish(worker.taskStates(), worker.vitals());
  }
}

function exit(status: number): never {
  publishMetrics();
  process.exit(status);
}

/** A last checkpoint of every task, then out of the groups; at the deadline the process ends as it is. */
async function stop(): Promise<void> {
  const deadline = setTimeout(() => {
    logger.warn("not finished within the stop timeout; what is left is recovered elsewhere", {
      stopTimeoutMs,
    });
    exit(1);
  }, stopTimeoutMs);
  await Promise.all(workers.map((worker) => worker.finish()));
  await log.close();
  await tracing.flush(SPANS_TIMEOUT_MS);
  clearTimeout(deadline);
  exit(0);
}

for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void stop());
setInterval(publishMetrics, METRICS_INTERVAL_MS).unref();
setInterval(() => void tellLoads(), SIGNAL_INTERVAL_MS).unref();
setInterval(() => void tracing.flush(SPANS_TIMEOUT_MS), SPANS_INTERVAL_MS).unref();
serveHealth(health, process.pid);
await Promise.all(workers.map((worker) => worker.start()));
logger.info("processor started", { stages: definitions.map(({ name }) => name), rackId });
