/**
 * EventBridge rule of the notices' bus → the webhook. Takes one event, whose detail is the notice, answers nothing, and
 * fails where the webhook did not take it: Lambda calls it twice more, and then sends the event to the dead-letter queue.
 */
import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import { MetricUnit } from "@aws-lambda-powertools/metrics";
import { logMetrics } from "@aws-lambda-powertools/metrics/middleware";
import middy from "@middy/core";
import { SpanKind } from "@opentelemetry/api";
import type { EventBridgeEvent } from "aws-lambda";
import { environmentVariables } from "../../contracts/environment.ts";
import { metrics } from "../../contracts/metrics.ts";
import type { Notice } from "../../contracts/notices.ts";
import { requireEnvironment } from "../../runtime/environment.ts";
import { createSecretsManagerClient } from "../../runtime/secrets-manager.ts";
import { createTelemetry } from "../../runtime/telemetry.ts";
import { flushTraces, functionTracing } from "../../runtime/traced-invocation.ts";
import { within } from "../../runtime/tracing.ts";
import { deliver } from "./deliver.ts";
import { WebhookSecrets } from "./secrets.ts";

const telemetry = createTelemetry("webhook");
const tracing = functionTracing("webhook", telemetry);
const url = requireEnvironment(environmentVariables.webhookUrl);
const secrets = new WebhookSecrets(
  createSecretsManagerClient(),
  requireEnvironment(environmentVariables.webhookSecret),
);

export const handler = middy<EventBridgeEvent<string, Notice>, void>()
  .use(injectLambdaContext(telemetry.logger))
  .use(logMetrics(telemetry.metrics))
  .use(flushTraces(tracing))
  .handler(async ({ detail }) => {
    telemetry.metrics.addMetric(metrics.webhook.deliveriesTried, MetricUnit.Count, 1);
    const span = tracing.begin("webhook", undefined, SpanKind.CONSUMER);
    const work = async () => deliver(detail, { url, secrets: await secrets.read(Date.now()) });
    await within(span, work, () => ({}));
    telemetry.metrics.addMetric(metrics.webhook.noticesDelivered, MetricUnit.Count, 1);
  });
