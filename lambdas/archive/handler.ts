/**
 * The topic of dead letters and the dead-letter queue → the archive (S3 and its index). Takes the batches of both
 * mappings. Of the queue's it answers which messages could not be filed. With one of the topic's it fails where a store is
 * away, so that the mapping delivers the batch again; what it answers is not looked at there.
 */
import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import { MetricUnit } from "@aws-lambda-powertools/metrics";
import { logMetrics } from "@aws-lambda-powertools/metrics/middleware";
import middy from "@middy/core";
import type { MSKEvent, SQSBatchResponse, SQSEvent } from "aws-lambda";
import { environmentVariables } from "../../contracts/environment.ts";
import { metrics } from "../../contracts/metrics.ts";
import { ArchiveIndex } from "../../runtime/archive/archive-index.ts";
import { ArchiveObjects } from "../../runtime/archive/archive-objects.ts";
import { createDynamoDBClient } from "../../runtime/dynamodb.ts";
import { requireEnvironment } from "../../runtime/environment.ts";
import { traceparentsOf } from "../../runtime/record-traceparents.ts";
import { createS3Client } from "../../runtime/s3.ts";
import { createTelemetry } from "../../runtime/telemetry.ts";
import { flushTraces, functionTracing } from "../../runtime/traced-invocation.ts";
import { within } from "../../runtime/tracing.ts";
import { type ArchiveReport, archiveMessages, archiveRecords, batchResponse } from "./archive.ts";

const telemetry = createTelemetry("archive");
const tracing = functionTracing("archive", telemetry);
const ports = {
  objects: new ArchiveObjects(createS3Client(), requireEnvironment(environmentVariables.archiveBucket)),
  index: new ArchiveIndex(createDynamoDBClient(), requireEnvironment(environmentVariables.archiveTable)),
  now: Date.now,
};

/** Only letters of the topic have a trace context that goes on here; a message of the queue holds many things. */
function archiveLetters(event: MSKEvent): Promise<ArchiveReport> {
  const span = tracing.continue("archive", traceparentsOf(event));
  return within(
    span,
    () => archiveRecords(event, ports),
    ({ archived, repeated }) => ({
      "spillway.entries.archived": archived,
      "spillway.entries.repeated": repeated,
    }),
  );
}

export const handler = middy<MSKEvent | SQSEvent, SQSBatchResponse>()
  .use(injectLambdaContext(telemetry.logger))
  .use(logMetrics(telemetry.metrics))
  .use(flushTraces(tracing))
  .handler(async (event) => {
    const report = "Records" in event ? await archiveMessages(event, ports) : await archiveLetters(event);
    telemetry.metrics.addMetric(metrics.archive.entriesArchived, MetricUnit.Count, report.archived);
    telemetry.metrics.addMetric(metrics.archive.entriesRepeated, MetricUnit.Count, report.repeated);
    telemetry.metrics.addMetric(metrics.archive.messagesFailed, MetricUnit.Count, report.failed.length);
    for (const { messageId, error } of report.failed) {
      telemetry.logger.error("A message could not be archived; it is delivered again.", {
        messageId,
        error: error as Error,
      });
    }
    return batchResponse(report);
  });
