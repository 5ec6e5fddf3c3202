import { MetricUnit } from "@aws-lambda-powertools/metrics";
import { metrics } from "../../contracts/metrics.ts";
import type { Telemetry } from "../../runtime/telemetry.ts";
import type { IngestReport } from "./ingest.ts";

/** One value a metric and request, so that the invocation publishes a single line. */
export function recordIngest(telemetry: Telemetry, report: IngestReport): void {
  const names = metrics.ingest;
  telemetry.metrics.addMetric(names.eventsAccepted, MetricUnit.Count, report.accepted);
  telemetry.metrics.addMetric(names.eventsRefused, MetricUnit.Count, report.refused);
  telemetry.metrics.addMetric(names.bytesAccepted, MetricUnit.Bytes, report.bytesAccepted);
  telemetry.metrics.addMetric(names.produceMs, MetricUnit.Milliseconds, report.produceMs);
  if (report.unavailable === undefined) return;
  telemetry.metrics.addMetric(names.kafkaUnavailable, MetricUnit.Count, 1);
  telemetry.logger.error("Kafka is unavailable; the request was answered 503.", report.unavailable);
}
