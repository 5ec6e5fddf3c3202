/**
 * Keeps a task's state within what a process can hold: past its limit, an event that would need a further entry goes to
 * the dead letters, where a redrive finds it once there is room; events of what is there already still count.
 */
import type { Operator } from "../operators/operator.ts";
import type { TaskState } from "../state/task-state.ts";
import { Rejection } from "./rejection.ts";

export class StateLimit {
  readonly #state: TaskState;
  readonly #maxEntries: number;

  constructor(state: TaskState, maxEntries: number) {
    this.#state = state;
    this.#maxEntries = maxEntries;
  }

  get entries(): number {
    let entries = 0;
    for (const operator of this.#state.operators) entries += operator.entries;
    return entries;
  }

  /** @throws Rejection where the state is full and the element would need more of it */
  requireRoom(operators: readonly Operator[], key: string, timeMs: number): void {
    if (this.entries < this.#maxEntries) return;
    if (!operators.some((operator) => operator.needsRow(key, timeMs))) return;
    throw new Rejection(
      "state-full",
      `the task holds ${this.#maxEntries} entries, its limit (maxEntriesPerTask); the event would need another`,
    );
  }
}
