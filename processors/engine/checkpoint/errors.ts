/** Why a task's state cannot be had. Each parks the task: it waits for a person, the others go on. */
export type CheckpointProblem =
  | "missing"
  | "start-unavailable"
  | "corrupt"
  | "offset-absent"
  | "offset-negative"
  | "offset-foreign"
  | "offset-outside-log"
  | "unknown-checkpoint"
  | "partitions-changed"
  | "definition-changed";

/** A checkpoint or a position that cannot be used. The runbook docs/runbooks/task-parked.md has a part for each. */
export class CheckpointError extends Error {
  override readonly name = "CheckpointError";
  readonly code: CheckpointProblem;
  constructor(code: CheckpointProblem, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
