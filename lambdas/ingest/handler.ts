/**
 * POST /events: takes CloudEvents 1.0 in (structured, batched or binary; plain, base64 or gzip), validates them
 * against the catalogue and writes them to Kafka, or to the spillway stream where Kafka is away or has enough to do.
 * Answers:
 * - 202 `{accepted, results: [{index, id, status: "accepted"} | {index, id, status: "refused", problem}]}`, once
 *   every accepted event is stored with copies, and where at least one was accepted (or the batch is empty);
 * - otherwise the first problem's status, as problem details (RFC 9457) with every event's under `problems`.
 *   400: unreadable, or no CloudEvents envelope. 413: beyond a limit. 415: content type or encoding. 422: readable,
 *   but refused by the catalogue. 429 with Retry-After: valid, but too much waits already for the event's priority;
 *   within a 202 it is one event's problem; also where its producer sends more than it may, for the request as a whole.
 *   503 with Retry-After: nothing stored it in time; send all of it again.
 * Every answer has a header `backpressure`: the load of what the events go to, 0.00 to 1.00 and above.
 * See problems.ts for each, and contracts/limits.ts for the limits.
 *
 * GET /backpressure: `{backpressure, topics: {<topic>: <load>}}`, for producers that send in other ways.
 */
import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import { MetricUnit } from "@aws-lambda-powertools/metrics";
import { logMetrics } from "@aws-lambda-powertools/metrics/middleware";
import middy from "@middy/core";
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import { environmentVariables } from "../../contracts/environment.ts";
import { metrics } from "../../contracts/metrics.ts";
import type { ProducerRule, SubjectLimit } from "../../contracts/producers.ts";
import { topics } from "../../contracts/topics.ts";
import { createDynamoDBClient } from "../../runtime/dynamodb.ts";
import { requireEnvironment } from "../../runtime/environment.ts";
import { answerErrors } from "../../runtime/http-errors.ts";
import { createKafka, needsNoLogin } from "../../runtime/kafka.ts";
import { createKinesisClient } from "../../runtime/kinesis.ts";
import { functionKafka } from "../../runtime/producer.ts";
import { RecordPublisher } from "../../runtime/publisher.ts";
import { sheddingThresholds } from "../../runtime/shedding.ts";
import { RecentSignals, SignalsTable } from "../../runtime/signals.ts";
import { createTelemetry } from "../../runtime/telemetry.ts";
import { flushTraces, functionTracing } from "../../runtime/traced-invocation.ts";
import { backpressureAnswer } from "./backpressure.ts";
import { FirstConnection } from "./first-connection.ts";
import { ingest } from "./ingest.ts";
import { KafkaOutage } from "./outage.ts";
import { type CallerContext, producerOf } from "./producer.ts";
import { ProducerLimits } from "./producer-limits.ts";
import { Spillway } from "./spillway.ts";
import { Spillways } from "./spillways.ts";
import { recordIngest } from "./telemetry.ts";

const telemetry = createTelemetry("ingest");
const tracing = functionTracing("ingest", telemetry);
const bootstrapServers = requireEnvironment(environmentVariables.bootstrapServers);
const kafka = createKafka({ ...functionKafka, clientId: "spillway-ingest", bootstrapServers });
const partitionCounts = new Map(Object.entries(topics).map(([topic, { partitions }]) => [topic, partitions]));
const signalsTable = new SignalsTable(
  createDynamoDBClient(),
  requireEnvironment(environmentVariables.signalsTable),
);
const recentSignals = new RecentSignals(signalsTable, (error) => {
  telemetry.metrics.addMetric(metrics.ingest.signalsUnread, MetricUnit.Count, 1);
  telemetry.logger.warn("The signals table was not read; the signals of before count on.", error);
});
const producers = listIn<ProducerRule>(environmentVariables.producers);
const subjectLimits = listIn<SubjectLimit>(environmentVariables.subjectLimits);
const outage = new KafkaOutage();
const kinesis = createKinesisClient();
const firstConnection = new FirstConnection(connectWindowMs(), Math.random);
const ports = {
  publisher: new RecordPublisher(kafka, partitionCounts),
  spillway: new Spillways(
    spillway(environmentVariables.highSpillwayStream),
    spillway(environmentVariables.spillwayStream),
  ),
  breaker: outage.breaker,
  firstConnection,
  shedding: sheddingThresholds(),
  limits: producerLimits(),
  tracing,
  now: Date.now,
};

export const handler = middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>()
  .use(injectLambdaContext(telemetry.logger))
  .use(logMetrics(telemetry.metrics))
  .use(answerErrors(telemetry))
  .use(flushTraces(tracing))
  .handler(async (event, context) => {
    const signals = await recentSignals.read(Date.now());
    if (event.requestContext?.http?.method === "GET") return backpressureAnswer(signals, Date.now());
    outage.seed(signals, Date.now());
    const begun = firstConnection.begin(signals, signalsTable, Date.now());
    const caller = event.requestContext as CallerContext | undefined;
    const producer = producerOf(caller, producers, subjectLimits);
    const { response, report } = await ingest(
      event,
      producer,
      context.getRemainingTimeInMillis(),
      signals,
      ports,
    );
    await begun;
    recordIngest(telemetry, report);
    if (report.delivery?.tripped) await outage.tell(signalsTable, Date.now());
    return response;
  });

function producerLimits(): ProducerLimits | undefined {
  const eventsPerSecond = process.env[environmentVariables.producerEventsPerSecond];
  if (eventsPerSecond === undefined) return undefined;
  const environments = Number(requireEnvironment(environmentVariables.expectedEnvironments));
  return new ProducerLimits({ eventsPerSecond: Number(eventsPerSecond), environments });
}

/** The stack writes them, so that they are well-formed or absent. */
function listIn<Entry>(variable: string): readonly Entry[] {
  return JSON.parse(process.env[variable] ?? "[]") as readonly Entry[];
}

function spillway(variable: string): Spillway {
  return new Spillway({ client: kinesis, streamName: requireEnvironment(variable), random: Math.random });
}

/** Only logins are rationed by the brokers; the stack writes the rest, so that it is well-formed or absent. */
function connectWindowMs(): number {
  return needsNoLogin(bootstrapServers) ? 0 : Number(process.env[environmentVariables.connectWindowMs] ?? 0);
}
