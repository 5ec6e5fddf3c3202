/**
 * Kafka mapping of the results topics → the results table. Takes the mapping's batches (MSKEvent), answers nothing,
 * and fails where the table or Kafka is away, so that the mapping delivers the batch again.
 */
import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import { MetricUnit } from "@aws-lambda-powertools/metrics";
import { logMetrics } from "@aws-lambda-powertools/metrics/middleware";
import middy from "@middy/core";
import type { MSKEvent } from "aws-lambda";
import { environmentVariables, type ResultNames } from "../../contracts/environment.ts";
import { metrics } from "../../contracts/metrics.ts";
import { parseServedSeries } from "../../contracts/served-series.ts";
import { DEAD_LETTERS_PARTITIONS, DEAD_LETTERS_TOPIC } from "../../contracts/topics.ts";
import { createDynamoDBClient } from "../../runtime/dynamodb.ts";
import { requireEnvironment } from "../../runtime/environment.ts";
import { createEventBridgeClient } from "../../runtime/event-bridge.ts";
import { createKafka } from "../../runtime/kafka.ts";
import { functionKafka } from "../../runtime/producer.ts";
import { RecordPublisher } from "../../runtime/publisher.ts";
import { traceparentsOf } from "../../runtime/record-traceparents.ts";
import { SignalsTable } from "../../runtime/signals.ts";
import { createTelemetry } from "../../runtime/telemetry.ts";
import { flushTraces, functionTracing } from "../../runtime/traced-invocation.ts";
import { within } from "../../runtime/tracing.ts";
import { KafkaDeadLetters } from "./dead-letters.ts";
import { EventBridgeBus } from "./event-bridge.ts";
import { SinkLoadSignals } from "./load-signals.ts";
import { DynamoDBNoticeLedger } from "./notice-ledger.ts";
import { oldestMs, type SinkPorts, type SinkReport, sink } from "./sink.ts";
import { DynamoDBResultsTable } from "./table.ts";

const telemetry = createTelemetry("sink");
const tracing = functionTracing("sink", telemetry);
const kafka = createKafka({
  ...functionKafka,
  clientId: "spillway-sink",
  bootstrapServers: requireEnvironment(environmentVariables.bootstrapServers),
});
const dynamodb = createDynamoDBClient();
const loadSignals = new SinkLoadSignals(
  JSON.parse(requireEnvironment(environmentVariables.resultNames)) as ResultNames,
  Number(requireEnvironment(environmentVariables.batchRecords)),
  new SignalsTable(dynamodb, requireEnvironment(environmentVariables.signalsTable)),
  (error) => telemetry.logger.warn("The signals table was not told how loaded the sink is.", error),
);
const ports = {
  table: new DynamoDBResultsTable(dynamodb, requireEnvironment(environmentVariables.resultsTable)),
  series: parseServedSeries(requireEnvironment(environmentVariables.servedSeries)),
  deadLetters: new KafkaDeadLetters(
    new RecordPublisher(kafka, new Map([[DEAD_LETTERS_TOPIC, DEAD_LETTERS_PARTITIONS]])),
  ),
  ...noticesPorts(),
};

/** Only where a pipeline notifies there is a bus. */
function noticesPorts(): Pick<SinkPorts, "notices"> {
  const bus = process.env[environmentVariables.noticesBus];
  if (bus === undefined) return {};
  const table = requireEnvironment(environmentVariables.noticesTable);
  return {
    notices: {
      environment: requireEnvironment(environmentVariables.environment),
      bus: new EventBridgeBus(createEventBridgeClient(), bus, telemetry.logger),
      ledger: new DynamoDBNoticeLedger(dynamodb, table),
    },
  };
}

const attributesOf = ({ stored, superseded, refused, notices }: SinkReport) => ({
  "spillway.results.stored": stored,
  "spillway.results.superseded": superseded,
  "spillway.results.refused": refused,
  "spillway.notices.put": notices.put,
});

export const handler = middy<MSKEvent, void>()
  .use(injectLambdaContext(telemetry.logger))
  .use(logMetrics(telemetry.metrics))
  .use(flushTraces(tracing))
  .handler(async (event, context) => {
    const span = tracing.continue("sink", traceparentsOf(event));
    const work = () => sink(event, () => context.getRemainingTimeInMillis(), ports);
    const report = await within(span, work, attributesOf);
    await loadSignals.stored(event, Date.now());
    telemetry.metrics.addMetric(metrics.sink.resultsStored, MetricUnit.Count, report.stored);
    telemetry.metrics.addMetric(metrics.sink.resultsSuperseded, MetricUnit.Count, report.superseded);
    telemetry.metrics.addMetric(metrics.sink.resultsRefused, MetricUnit.Count, report.refused);
    telemetry.metrics.addMetric(
      metrics.sink.storedMs,
      MetricUnit.Milliseconds,
      Math.max(0, Date.now() - oldestMs(event)),
    );
    telemetry.metrics.addMetric(metrics.sink.noticesPut, MetricUnit.Count, report.notices.put);
    telemetry.metrics.addMetric(metrics.sink.noticesRepeated, MetricUnit.Count, report.notices.repeated);
  });
