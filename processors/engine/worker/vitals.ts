/** How a task that runs is at the moment: telemetry asks every few seconds. */
import type { Task } from "../task/task.ts";
import type { Intake } from "./intake.ts";
import type { TaskName, TaskVitals } from "./ports.ts";
import type { WorkRecord } from "./work-record.ts";

/** `run`: another object where the task is run anew. */
export function vitalsOf(
  name: TaskName,
  run: object,
  task: Task,
  intake: Intake,
  work: WorkRecord,
): TaskVitals {
  const { busyMs, records, lastArrivalMs, uncommittedMs } = work;
  // A commit marker behind the last record is nothing that waits.
  const positions = task.offsets.map((applied, input) => intake.position(input, applied) ?? applied);
  return {
    ...name,
    run,
    busyMs,
    records,
    backlogRecords: intake.backlog(positions),
    lastArrivalMs,
    watermarkMs: task.watermarkMs,
    uncommittedMs,
  };
}
