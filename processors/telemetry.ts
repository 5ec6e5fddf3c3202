/** What a processor says of itself: JSON lines to standard output, metrics among them (embedded metric format). */
import type { Logger } from "@aws-lambda-powertools/logger";
import type { Observer, Recovery, TaskName } from "./engine/worker/ports.ts";
import type { StageMetrics } from "./stage-metrics.ts";

/** How many retries of one action pass silently: a broker that restarts costs a few, and says nothing new. */
const LOG_EVERY_NTH_RETRY = 10;

/** An observer that logs what an operator needs to know, and gives each stage's metrics what they are made of. */
export function createObserver(
  logger: Logger,
  metricsOf: (stage: string) => StageMetrics,
  onFailed: () => void,
): Observer {
  const retries = new Map<string, number>();
  return {
    recovered: ({ recoveryMs, ...recovery }: Recovery) => {
      metricsOf(recovery.pipeline).recovered(recoveryMs);
      logger.info("task recovered", { ...recovery, recoveryMs });
    },
    checkpointed: (checkpointed) => {
      for (const key of retries.keys()) if (key.startsWith(keyOf(checkpointed))) retries.delete(key);
      metricsOf(checkpointed.pipeline).checkpointed(checkpointed);
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
        metricsOf(task.pipeline).checkpointFailed();
      }
      if (count % LOG_EVERY_NTH_RETRY === 0)
        logger.warn("retrying", { ...describe(task, action), error, count });
    },
    failed: (task, error) => {
      logger.error("task failed", { ...task, error });
      metricsOf(task.pipeline).crashed();
      onFailed();
    },
  };
}

const keyOf = ({ pipeline, partition }: TaskName): string => `${pipeline}/${partition}/`;

const describe = (task: TaskName, action: string) => ({ ...task, action });
