/** Traces of a function: sent when an invocation ends, where it recorded any, and never for longer than stated. */
import { MetricUnit } from "@aws-lambda-powertools/metrics";
import type { MiddlewareObj } from "@middy/core";
import { metrics } from "../contracts/metrics.ts";
import type { Telemetry } from "./telemetry.ts";
import { createTracing, type Tracing } from "./tracing.ts";

/** Whoever waits for the answer of an invocation that is recorded waits for this too, at the most. */
const FLUSH_TIMEOUT_MS = 250;

export function functionTracing(stage: string, telemetry: Telemetry): Tracing {
  return createTracing({
    stage,
    onLost: (spans, cause) => {
      telemetry.metrics.addMetric(metrics.traces.spansLost, MetricUnit.Count, spans);
      telemetry.logger.warn("Spans were not taken; their traces have gaps.", { spans, error: cause });
    },
  });
}

/** To be used after `logMetrics`, so that what is lost is published with the invocation's metrics. */
export function flushTraces(tracing: Tracing): MiddlewareObj {
  const flush = (): Promise<void> => tracing.flush(FLUSH_TIMEOUT_MS);
  return { after: flush, onError: flush };
}
