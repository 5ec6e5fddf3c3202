import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics } from "@aws-lambda-powertools/metrics";
import { expect, test } from "vitest";
import { createObserver } from "../../processors/telemetry.ts";

test("a checkpoint's metrics say how near the task's state is to its limits", () => {
  const metrics = new Metrics({ namespace: "Spillway", defaultDimensions: { pipeline: "p" } });
  const observer = createObserver(new Logger({ logLevel: "SILENT" }), metrics, () => undefined);

  observer.checkpointed({
    pipeline: "p",
    partition: 0,
    checkpoint: 1,
    counters: { counted: 5, late: 0, duplicate: 0, dead: 0, ignored: 0, results: 0 },
    outputs: 0,
    snapshotBytes: 10,
    stateEntries: 1_500_000,
    stateLimitShare: 0.75,
    checkpointMs: 1,
    backlogRecords: 0,
  });

  expect(metrics.serializeMetrics()).toMatchObject({
    StateEntries: 1_500_000,
    StateLimitPercent: 75,
  });
});
