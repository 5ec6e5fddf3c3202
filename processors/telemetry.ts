/** What a processor says of itself: JSON lines to standard output, metrics among them (embedded metric format). */
import type { Logger } from "@aws-lambda-powertools/logger";
import { type Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import { metrics as names } from "../contracts/metrics.ts";
import type { Checkpointed, Observer, Recovery, TaskName } from "./engine/worker/ports.ts";

/** How many retries of one action pass silently: a broker that restarts costs a few, and says nothing new. */
const LOG_EVERY_NTH_RETRY = 10;

/** An observer that logs what an operator needs to know, and gathers metrics until {@link publish}. */
export function createObserver(logger: Logger, metrics: Metrics, onFailed: () => void): Observer {
  const retries = new Map<string, number>();
  return {
    recovered: ({ recoveryMs, ...recovery }: Recovery) => {
      metrics.addMetric(names.processor.recoveryMs, MetricUnit.Milliseconds, recoveryMs);
      logger.info("task recovered", { ...recovery, recoveryMs });
    },
    checkpointed: (checkpointed) => {
      for (const key of retries.keys()) if (key.startsWith(keyOf(checkpointed))) retries.delete(key);
      addCheckpoint(metrics, checkpointed);
    },
    parked: (task, code, message) =>
      logger.error("task parked", {
        ...task,
        code,
        reason: message,
        runbook: "docs/runbooks/task-parked.md",
      }),
    dropped: (task, reason) => logger.info("task dropped", { ...task, reason }),
    retried: (task, action, error) => {
      const key = `${keyOf(task)}${action}`;
      const count = retries.get(key) ?? 0;
      retries.set(key, count + 1);
      if (action === "write" || action === "register" || action === "commit") {
        metrics.addMetric(names.processor.checkpointFailures, MetricUnit.Count, 1);
      }
      if (count % LOG_EVERY_NTH_RETRY === 0)
        logger.warn("retrying", { ...describe(task, action), error, count });
    },
    failed: (task, error) => {
      logger.error("task failed", { ...task, error });
      onFailed();
    },
  };
}

const keyOf = ({ pipeline, partition }: TaskName): string => `${pipeline}/${partition}/`;

const describe = (task: TaskName, action: string) => ({ ...task, action });

function addCheckpoint(metrics: Metrics, { counters, ...checkpointed }: Checkpointed): void {
  const { counted, late, duplicate, dead, ignored, results } = counters;
  const add = (
    name: string,
    value: number,
    unit: (typeof MetricUnit)[keyof typeof MetricUnit] = MetricUnit.Count,
  ) => metrics.addMetric(name, unit, value);
  add(names.processor.recordsProcessed, counted + late + duplicate + dead + ignored);
  add(names.processor.eventsLate, late);
  add(names.processor.eventsDuplicate, duplicate);
  add(names.processor.eventsDead, dead);
  add(names.processor.resultsWritten, results);
  add(names.processor.checkpointMs, checkpointed.checkpointMs, MetricUnit.Milliseconds);
  add(names.processor.checkpointBytes, checkpointed.snapshotBytes, MetricUnit.Bytes);
  add(names.processor.stateEntries, checkpointed.stateEntries);
  add(names.processor.stateLimitPercent, 100 * checkpointed.stateLimitShare, MetricUnit.Percent);
  add(names.processor.backlogRecords, checkpointed.backlogRecords);
}
