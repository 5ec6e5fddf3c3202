/**
 * A schedule, every minute → pauses or resumes the event source mappings that SPILLWAY_CONTROLLED_MAPPINGS names. Takes
 * nothing of the event and answers nothing. Throws where a mapping could not be looked at or changed, once the others
 * have been; the next run comes in a minute, so that nothing tries this one again.
 */
import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import { MetricUnit } from "@aws-lambda-powertools/metrics";
import { logMetrics } from "@aws-lambda-powertools/metrics/middleware";
import middy from "@middy/core";
import type { ScheduledEvent } from "aws-lambda";
import { environmentVariables } from "../../contracts/environment.ts";
import { parseMappings } from "../../contracts/flow-control.ts";
import { ControlTable } from "../../runtime/control-table.ts";
import { createDynamoDBClient } from "../../runtime/dynamodb.ts";
import { requireEnvironment } from "../../runtime/environment.ts";
import { ConfigurationError } from "../../runtime/errors.ts";
import { createLambdaClient, EventSourceMappings } from "../../runtime/event-source-mappings.ts";
import { SignalsTable } from "../../runtime/signals.ts";
import { createTelemetry } from "../../runtime/telemetry.ts";
import type { FlowControlPorts } from "./control.ts";
import { runFlowControl } from "./run.ts";

const SIGNALS_TIMEOUT_MS = 5_000;

const telemetry = createTelemetry("flow-control");
const mappings = controlledMappings();
const dynamodb = createDynamoDBClient();
const signalsTable = new SignalsTable(dynamodb, requireEnvironment(environmentVariables.signalsTable));
const ports: FlowControlPorts = {
  table: new ControlTable(dynamodb, requireEnvironment(environmentVariables.controlTable)),
  mappings: new EventSourceMappings(createLambdaClient()),
  now: Date.now,
  warn: (message, error) => telemetry.logger.warn(message, error as Error),
  changed: (mapping, change) => telemetry.logger.info("flow changed", { mapping, ...change }),
};

export const handler = middy<ScheduledEvent, void>()
  .use(injectLambdaContext(telemetry.logger))
  .use(logMetrics(telemetry.metrics))
  .handler(async () => {
    const readSignals = () => signalsTable.read(AbortSignal.timeout(SIGNALS_TIMEOUT_MS));
    const { metrics, failures } = await runFlowControl(mappings, readSignals, ports);
    for (const [name, value] of Object.entries(metrics)) {
      telemetry.metrics.addMetric(
        name,
        name.endsWith("Ms") ? MetricUnit.Milliseconds : MetricUnit.Count,
        value,
      );
    }
    if (failures.length > 0)
      throw new AggregateError(failures, "Not every mapping was looked at and changed.");
  });

function controlledMappings() {
  const text = requireEnvironment(environmentVariables.controlledMappings);
  const parsed = parseMappings(text);
  if (parsed !== undefined) return parsed;
  throw new ConfigurationError(
    `${environmentVariables.controlledMappings} is ${JSON.stringify(text)}; it must be name:UUID:hours:topic+topic, comma-separated.`,
    "Set it by contracts/flow-control.ts, as the stacks do.",
  );
}
