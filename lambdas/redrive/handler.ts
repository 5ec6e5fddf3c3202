/**
 * Sends archived events back to their topics. Invoked with a RedriveRequest (contracts/dead-letter-archive.ts), answers
 * with a RedriveAnswer: a redrive that is longer than one call may take answers `more` and is called again with the
 * progress that it answered. It fails with RedriveRequestError where the request is wrong, and where a store is away.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import { MetricUnit } from "@aws-lambda-powertools/metrics";
import { logMetrics } from "@aws-lambda-powertools/metrics/middleware";
import middy from "@middy/core";
import type { RedriveAnswer, RedriveProgress, RedriveRequest } from "../../contracts/dead-letter-archive.ts";
import { environmentVariables } from "../../contracts/environment.ts";
import { metrics } from "../../contracts/metrics.ts";
import type { DoorRules } from "../../contracts/producers.ts";
import { topics } from "../../contracts/topics.ts";
import { ArchiveIndex } from "../../runtime/archive/archive-index.ts";
import { ArchiveObjects } from "../../runtime/archive/archive-objects.ts";
import { createDynamoDBClient } from "../../runtime/dynamodb.ts";
import { requireEnvironment } from "../../runtime/environment.ts";
import { createKafka } from "../../runtime/kafka.ts";
import { functionKafka } from "../../runtime/producer.ts";
import { RecordPublisher } from "../../runtime/publisher.ts";
import { createS3Client } from "../../runtime/s3.ts";
import { createTelemetry } from "../../runtime/telemetry.ts";
import { redrive } from "./redrive.ts";
import { readRequest } from "./request.ts";

const telemetry = createTelemetry("redrive");
const kafka = createKafka({
  ...functionKafka,
  clientId: "spillway-redrive",
  bootstrapServers: requireEnvironment(environmentVariables.bootstrapServers),
});
const partitionCounts = new Map(Object.entries(topics).map(([topic, { partitions }]) => [topic, partitions]));
const ports = {
  objects: new ArchiveObjects(createS3Client(), requireEnvironment(environmentVariables.archiveBucket)),
  index: new ArchiveIndex(createDynamoDBClient(), requireEnvironment(environmentVariables.archiveTable)),
  // The stack writes them, so that they are well-formed or absent.
  doors: JSON.parse(process.env[environmentVariables.doors] ?? "{}") as DoorRules,
  publisher: new RecordPublisher(kafka, partitionCounts),
  now: Date.now,
  sleep,
};

export const handler = middy<RedriveRequest, RedriveAnswer>()
  .use(injectLambdaContext(telemetry.logger))
  .use(logMetrics(telemetry.metrics))
  .handler(async (event, context) => {
    const request = readRequest(event);
    const answer = await redrive(request, () => context.getRemainingTimeInMillis(), ports);
    if (request.execute) record(request, answer);
    return answer;
  });

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
