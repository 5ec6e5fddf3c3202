/**
 * POST /events: takes CloudEvents 1.0 in (structured, batched or binary; plain, base64 or gzip), validates them
 * against the catalogue and writes them to Kafka. Answers:
 * - 202 `{accepted, results: [{index, id, status: "accepted"} | {index, id, status: "refused", problem}]}`, once
 *   all in-sync replicas hold every accepted event, and where at least one was accepted (or the batch is empty);
 * - otherwise the first problem's status, as problem details (RFC 9457) with every event's under `problems`.
 *   400: unreadable, or no CloudEvents envelope. 413: beyond a limit. 415: content type or encoding. 422: readable,
 *   but refused by the catalogue. 503 with Retry-After: Kafka did not acknowledge in time; send all of it again.
 * See problems.ts for each, and contracts/limits.ts for the limits.
 */
import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import { logMetrics } from "@aws-lambda-powertools/metrics/middleware";
import middy from "@middy/core";
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import { environmentVariables } from "../../contracts/environment.ts";
import { topics } from "../../contracts/topics.ts";
import { requireEnvironment } from "../../runtime/environment.ts";
import { answerErrors } from "../../runtime/http-errors.ts";
import { createKafka } from "../../runtime/kafka.ts";
import { functionKafka } from "../../runtime/producer.ts";
import { RecordPublisher } from "../../runtime/publisher.ts";
import { createTelemetry } from "../../runtime/telemetry.ts";
import { ingest } from "./ingest.ts";
import { recordIngest } from "./telemetry.ts";

const telemetry = createTelemetry("ingest");
const kafka = createKafka({
  ...functionKafka,
  clientId: "spillway-ingest",
  bootstrapServers: requireEnvironment(environmentVariables.bootstrapServers),
});
const partitionCounts = new Map(Object.entries(topics).map(([topic, { partitions }]) => [topic, partitions]));
const ports = { publisher: new RecordPublisher(kafka, partitionCounts), now: Date.now };

export const handler = middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>()
  .use(injectLambdaContext(telemetry.logger))
  .use(logMetrics(telemetry.metrics))
  .use(answerErrors(telemetry))
  .handler(async (event, context) => {
    const { response, report } = await ingest(event, context.getRemainingTimeInMillis(), ports);
    recordIngest(telemetry, report);
    return response;
  });
