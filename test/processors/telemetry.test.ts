import { Logger } from "@aws-lambda-powertools/logger";
import { expect, test, vi } from "vitest";
import type { Checkpointed, Recovery } from "../../processors/engine/worker/ports.ts";
import type { StageMetrics } from "../../processors/stage-metrics.ts";
import { createObserver } from "../../processors/telemetry.ts";

test("what happens to a task is told to the metrics of its stage", () => {
  const told = new Map<string, string[]>();
  const metricsOf = (stage: string): StageMetrics => {
    const calls = told.get(stage) ?? [];
    told.set(stage, calls);
    const note = (name: string) => () => void calls.push(name);
    return {
      recovered: note("recovered"),
      checkpointed: note("checkpointed"),
      checkpointFailed: note("checkpointFailed"),
      crashed: note("crashed"),
    } as unknown as StageMetrics;
  };
  const onFailed = vi.fn();
  const observer = createObserver(new Logger({ logLevel: "SILENT" }), metricsOf, onFailed);
  const task = { pipeline: "p", partition: 0 };

  observer.recovered(task as Recovery);
  observer.checkpointed(task as Checkpointed);
  for (const action of ["write", "register", "commit", "read the log's end"]) {
    observer.retried(task, action, new Error("away"));
  }
  observer.failed({ pipeline: "p.before", partition: 1 }, new Error("a bug"));

  expect(Object.fromEntries(told)).toEqual({
    p: ["recovered", "checkpointed", "checkpointFailed", "checkpointFailed", "checkpointFailed"],
    "p.before": ["crashed"],
  });
  expect(onFailed).toHaveBeenCalledOnce();
});
