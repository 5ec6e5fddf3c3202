import { MetricUnit } from "@aws-lambda-powertools/metrics";
import { metrics } from "../../contracts/metrics.ts";
import type { Telemetry } from "../../runtime/telemetry.ts";
import type { IngestReport } from "./ingest.ts";

/** One value a metric and request, so that the invocation publishes a single line. */
export function recordIngest(telemetry: Telemetry, report: IngestReport): void {
  const names = metrics.ingest;
  const count = (name: string, value: number) => telemetry.metrics.addMetric(name, MetricUnit.Count, value);
  count(names.eventsAccepted, report.accepted);
  count(names.eventsRefused, report.refused);
  telemetry.metrics.addMetric(names.bytesAccepted, MetricUnit.Bytes, report.bytesAccepted);
  telemetry.metrics.addMetric(names.produceMs, MetricUnit.Milliseconds, report.produceMs);
  if (report.spilled > 0) count(names.eventsSpilled, report.spilled);
  if (report.overloaded > 0) count(names.eventsOverloaded, report.overloaded);
  if (report.limited) count(names.requestsLimited, 1);
  const { kafkaFailure, tripped, unavailable } = report.delivery ?? {};
  if (tripped) count(names.breakerTrips, 1);
  if (kafkaFailure) {
    count(names.kafkaUnavailable, 1);
    telemetry.logger.warn("Kafka did not take the events; they go to the spillway.", kafkaFailure);
  }
  if (unavailable) {
    count(names.unavailable, 1);
    telemetry.logger.error("Nothing took the events; the request was answered 503.", unavailable);
  }
}
