/**
 * A task's state as bytes that depend on nothing but the state: a snapshot has keys in whatever order they came to be
 * known, which a recovery may change, since nothing may depend on it.
 */
import { ProcessState } from "../../../../processors/engine/operators/process/process-state.ts";
import { SessionWindowsState } from "../../../../processors/engine/operators/windows/session-windows-state.ts";
import type { PipelineDefinition } from "../../../../processors/engine/pipeline/definition.ts";
import { encodeBase } from "../../../../processors/engine/state/snapshot.ts";
import type { TaskState } from "../../../../processors/engine/state/task-state.ts";

/**
 * Changes the order in the state that it is given.
 * @param keys all that the state may know: it has them in this order afterwards
 */
export function canonicalBytes(
  definition: PipelineDefinition,
  state: TaskState,
  keys: readonly string[],
): Uint8Array {
  for (const operator of state.operators) {
    if (operator instanceof SessionWindowsState) orderSessions(operator, keys);
    if (operator instanceof ProcessState) orderProcess(operator, keys);
  }
  return encodeBase(definition, state);
}

function orderSessions({ sessions }: SessionWindowsState, keys: readonly string[]): void {
  for (const key of keys) {
    const ofKey = sessions.get(key);
    if (ofKey === undefined) continue;
    sessions.delete(key);
    sessions.set(key, ofKey);
  }
}

function orderProcess(state: ProcessState, keys: readonly string[]): void {
  for (const key of keys) {
    const kept = state.get(key);
    if (kept === undefined) continue;
    state.delete(key);
    state.set(key, kept);
  }
  // They come by time, then by key.
  const due = Array.from({ length: state.timers.size }, () => state.timers.pop());
  for (const { key, dueMs } of due) state.timers.set(key, dueMs);
}
