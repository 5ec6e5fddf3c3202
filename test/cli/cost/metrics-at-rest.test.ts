/** A stage whose tasks have nothing to do says what the sum at rest counts, and nothing else. */
import { Metrics } from "@aws-lambda-powertools/metrics";
import { expect, test, vi } from "vitest";
import { STAGE_METRICS_AT_REST } from "../../../cli/cost/traffic.ts";
import { StageMetrics } from "../../../processors/stage-metrics.ts";

test("metrics at rest are those of the sum", () => {
  const metrics = new Metrics({ namespace: "Spillway" });
  let said: readonly string[] = [];
  vi.spyOn(metrics, "publishStoredMetrics").mockImplementation(() => {
    const { _aws } = metrics.serializeMetrics();
    said = _aws.CloudWatchMetrics.flatMap(({ Metrics: each }) => each.map(({ Name }) => Name));
    metrics.clearMetrics();
    return metrics;
  });
  let nowMs = 0;
  const stage = new StageMetrics(metrics, { nowMs: () => nowMs, epochMs: () => nowMs });
  // It has had events, long ago.
  const task = {
    pipeline: "p",
    partition: 0,
    run: {},
    busyMs: 5,
    records: 10,
    backlogRecords: 0,
    lastArrivalMs: 1,
    watermarkMs: 1,
    uncommittedMs: 0,
  };
  for (const atMs of [0, 10_000]) {
    nowMs = atMs;
    stage.publish({ running: 1, parked: 0 }, [task]);
  }

  expect(said.toSorted()).toEqual(STAGE_METRICS_AT_REST.toSorted());
});
