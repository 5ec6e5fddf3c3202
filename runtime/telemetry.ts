import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics } from "@aws-lambda-powertools/metrics";
import { environmentVariables } from "../contracts/environment.ts";
import { METRIC_NAMESPACE } from "../contracts/metrics.ts";
import { requireEnvironment } from "./environment.ts";

export interface Telemetry {
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * Logger and metrics of one stage (`ingest`, `sink`, `query`). Metrics gather during an invocation and are
 * published once at its end, as one embedded-metric-format line with the dimensions environment and stage.
 */
export function createTelemetry(stage: string): Telemetry {
  const environment = requireEnvironment(environmentVariables.environment);
  const logger = new Logger({ serviceName: stage, persistentKeys: { environment } });
  return { logger, metrics: createMetrics(logger, { stage }) };
}

/** Metrics of their own, for one stage of a pipeline or for a function, which serves every pipeline. */
export function createMetrics(
  logger: Logger,
  dimensions: { readonly pipeline?: string; readonly stage: string },
): Metrics {
  const environment = requireEnvironment(environmentVariables.environment);
  const metrics = new Metrics({ namespace: METRIC_NAMESPACE, serviceName: dimensions.stage, logger });
  // Powertools adds a `service` dimension of its own; every further dimension is a further metric to pay for.
  metrics.clearDefaultDimensions();
  metrics.setDefaultDimensions({ environment, ...dimensions });
  return metrics;
}
