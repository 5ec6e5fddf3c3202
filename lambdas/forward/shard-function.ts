/** What the functions share that move a stream's shards to Kafka: clients, metrics, log. */
import { setTimeout as sleep } from "node:timers/promises";
import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import { MetricUnit } from "@aws-lambda-powertools/metrics";
import { logMetrics } from "@aws-lambda-powertools/metrics/middleware";
import middy from "@middy/core";
import type { KinesisStreamBatchResponse, KinesisStreamEvent } from "aws-lambda";
import { environmentVariables } from "../../contracts/environment.ts";
import { metrics } from "../../contracts/metrics.ts";
import { DEAD_LETTERS_PARTITIONS, DEAD_LETTERS_TOPIC, topics } from "../../contracts/topics.ts";
import { ControlTable } from "../../runtime/control-table.ts";
import { createDynamoDBClient } from "../../runtime/dynamodb.ts";
import { requireEnvironment } from "../../runtime/environment.ts";
import { createKafka } from "../../runtime/kafka.ts";
import { functionKafka } from "../../runtime/producer.ts";
import { RecordPublisher } from "../../runtime/publisher.ts";
import { sheddingThresholds } from "../../runtime/shedding.ts";
import { RecentSignals, SignalsTable } from "../../runtime/signals.ts";
import { createTelemetry } from "../../runtime/telemetry.ts";
import { flushTraces, functionTracing } from "../../runtime/traced-invocation.ts";
import { HeededSignals } from "./heeded-signals.ts";
import type { ShardOutcome, ShardPorts } from "./shard.ts";
import { WaitingSignal } from "./waiting-signal.ts";

/** The handler of a stage that moves a batch with `move`. */
export function shardFunction(
  stage: string,
  move: (event: KinesisStreamEvent, ports: ShardPorts) => Promise<ShardOutcome>,
) {
  const telemetry = createTelemetry(stage);
  const tracing = functionTracing(stage, telemetry);
  const kafka = createKafka({
    ...functionKafka,
    clientId: `spillway-${stage}`,
    bootstrapServers: requireEnvironment(environmentVariables.bootstrapServers),
  });
  const partitionCounts = new Map(
    Object.entries(topics).map(([topic, { partitions }]): [string, number] => [topic, partitions]),
  ).set(DEAD_LETTERS_TOPIC, DEAD_LETTERS_PARTITIONS);
  const publisher = new RecordPublisher(kafka, partitionCounts);
  const { spillLow } = sheddingThresholds();
  const mapping = requireEnvironment(environmentVariables.mapping);
  const dynamodb = createDynamoDBClient();
  const signalsTable = new SignalsTable(dynamodb, requireEnvironment(environmentVariables.signalsTable));
  const warn = (message: string) => (error: Error) => telemetry.logger.warn(message, error);
  const heededSignals = new HeededSignals(
    mapping,
    new RecentSignals(signalsTable, warn("The signals table was not read; the signals of before count on.")),
    new ControlTable(dynamodb, requireEnvironment(environmentVariables.controlTable)),
    warn("The override was not read; the one of before counts on."),
  );
  const waitingSignal = new WaitingSignal(
    mapping,
    signalsTable,
    warn("The signals table was not told since when records wait."),
  );
  return middy<KinesisStreamEvent, KinesisStreamBatchResponse>()
    .use(injectLambdaContext(telemetry.logger))
    .use(logMetrics(telemetry.metrics))
    .use(flushTraces(tracing))
    .handler(async (event, context) => {
      const outcome = await move(event, {
        publisher,
        signals: (nowMs) => heededSignals.read(nowMs),
        holdAboveLoad: spillLow,
        sleep: (ms) => sleep(ms),
        now: Date.now,
        remainingMs: () => context.getRemainingTimeInMillis(),
        tracing,
      });
      await waitingSignal.tell(event, outcome.waitingSinceMs, Date.now());
      const names = metrics.forward;
      telemetry.metrics.addMetric(names.eventsForwarded, MetricUnit.Count, outcome.forwarded);
      telemetry.metrics.addMetric(names.eventsDead, MetricUnit.Count, outcome.dead);
      telemetry.metrics.addMetric(names.spilledMs, MetricUnit.Milliseconds, outcome.spilledMs);
      if (outcome.postponed !== undefined) {
        telemetry.metrics.addMetric(names.batchesPostponed, MetricUnit.Count, 1);
        telemetry.logger.warn(`The rest of the batch goes back to the stream: ${outcome.postponed}.`, {
          ...(outcome.failure && { error: outcome.failure }),
        });
      }
      return outcome.response;
    });
}
