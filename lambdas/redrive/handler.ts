/**
 * Sends archived events back to their topics. Invoked with a RedriveRequest (contracts/dead-letter-archive.ts), or with an
 * AgedOutRequest (contracts/aged-out.ts) for batches that streams' mappings gave up; answers with a RedriveAnswer, or with
 * an AgedOutAnswer: a redrive that is longer than one call may take answers `more` and is called again with the
 * progress that it answered. It fails with RedriveRequestError where the request is wrong, and where a store is away.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import { MetricUnit } from "@aws-lambda-powertools/metrics";
import { logMetrics } from "@aws-lambda-powertools/metrics/middleware";
import middy from "@middy/core";
import { SpanKind } from "@opentelemetry/api";
import { type AgedOutAnswer, type AgedOutRequest, parseAgedOut } from "../../contracts/aged-out.ts";
import type { RedriveAnswer, RedriveProgress, RedriveRequest } from "../../contracts/dead-letter-archive.ts";
import { environmentVariables } from "../../contracts/environment.ts";
import { metrics } from "../../contracts/metrics.ts";
import type { DoorRules } from "../../contracts/producers.ts";
import { DEAD_LETTERS_PARTITIONS, DEAD_LETTERS_TOPIC, topics } from "../../contracts/topics.ts";
import { AgedOutObjects } from "../../runtime/archive/aged-out-objects.ts";
import { ArchiveIndex } from "../../runtime/archive/archive-index.ts";
import { ArchiveObjects } from "../../runtime/archive/archive-objects.ts";
import { createDynamoDBClient } from "../../runtime/dynamodb.ts";
import { requireEnvironment } from "../../runtime/environment.ts";
import { createKafka } from "../../runtime/kafka.ts";
import { functionKafka } from "../../runtime/producer.ts";
import { RecordPublisher } from "../../runtime/publisher.ts";
import { createS3Client } from "../../runtime/s3.ts";
import { createTelemetry } from "../../runtime/telemetry.ts";
import { flushTraces, functionTracing } from "../../runtime/traced-invocation.ts";
import { within } from "../../runtime/tracing.ts";
import { redriveAgedOut } from "./aged-out.ts";
import { redrive } from "./redrive.ts";
import { readAgedOutRequest, readRequest } from "./request.ts";

const telemetry = createTelemetry("redrive");
const tracing = functionTracing("redrive", telemetry);
const kafka = createKafka({
  ...functionKafka,
  clientId: "spillway-redrive",
  bootstrapServers: requireEnvironment(environmentVariables.bootstrapServers),
});
const partitionCounts = new Map(
  Object.entries(topics).map(([topic, { partitions }]): [string, number] => [topic, partitions]),
).set(DEAD_LETTERS_TOPIC, DEAD_LETTERS_PARTITIONS);
const s3 = createS3Client();
const ports = {
  objects: new ArchiveObjects(s3, requireEnvironment(environmentVariables.archiveBucket)),
  index: new ArchiveIndex(createDynamoDBClient(), requireEnvironment(environmentVariables.archiveTable)),
  // The stack writes them, so that they are well-formed or absent.
  doors: JSON.parse(process.env[environmentVariables.doors] ?? "{}") as DoorRules,
  publisher: new RecordPublisher(kafka, partitionCounts),
  now: Date.now,
  sleep,
};
const agedOutPorts = {
  ...ports,
  objects: new AgedOutObjects(s3),
  buckets: parseAgedOut(requireEnvironment(environmentVariables.agedOutBuckets)),
};

export const handler = middy<RedriveRequest | AgedOutRequest, RedriveAnswer | AgedOutAnswer>()
  .use(injectLambdaContext(telemetry.logger))
  .use(logMetrics(telemetry.metrics))
  .use(flushTraces(tracing))
  .handler((event, context) => {
    const span = tracing.begin("redrive", undefined, SpanKind.INTERNAL);
    const remainingMs = () => context.getRemainingTimeInMillis();
    return within(
      span,
      () => answerTo(event, remainingMs),
      ({ end }) => ({ "spillway.redrive.end": end }),
    );
  });

async function answerTo(
  event: RedriveRequest | AgedOutRequest,
  remainingMs: () => number,
): Promise<RedriveAnswer | AgedOutAnswer> {
  if ("agedOut" in event) {
    const before = event.progress?.events ?? 0;
    const answer = await redriveAgedOut(readAgedOutRequest(event), remainingMs, agedOutPorts);
    if (event.execute) {
      const { eventsRedriven } = metrics.redrive;
      telemetry.metrics.addMetric(eventsRedriven, MetricUnit.Count, answer.progress.events - before);
    }
    return answer;
  }
  const request = readRequest(event);
  const answer = await redrive(request, remainingMs, ports);
  if (request.execute) record(request, answer);
  return answer;
}

function record({ redriveId, progress }: RedriveRequest, answer: RedriveAnswer): void {
  const { eventsRedriven, eventsKept, redrivesStopped } = metrics.redrive;
  const [before, after] = [totalsOf(progress), totalsOf(answer.progress)];
  telemetry.metrics.addMetric(eventsRedriven, MetricUnit.Count, after.redriven - before.redriven);
  telemetry.metrics.addMetric(eventsKept, MetricUnit.Count, after.kept - before.kept);
  if (answer.end !== "stopped") return;
  telemetry.metrics.addMetric(redrivesStopped, MetricUnit.Count, 1);
  telemetry.logger.warn("The redrive stopped.", { redriveId, reason: answer.reason ?? "" });
}

function totalsOf(progress: RedriveProgress | undefined): {
  readonly redriven: number;
  readonly kept: number;
} {
  const counts = progress?.counts;
  const all = Object.values(counts ?? {}).reduce((sum, count) => sum + count, 0);
  const redriven = counts?.redriven ?? 0;
  return { redriven, kept: all - redriven };
}
