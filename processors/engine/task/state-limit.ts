/**
 * Keeps a task's state within what a process can hold: past its limits, an event that would need a further entry, or
 * whose id could not be remembered, goes to the dead letters, where a redrive finds it once there is room. Events of
 * what is there already still count, and event time goes on, so that windows close and make room.
 */
import type { Operator } from "../operators/operator.ts";
import type { PipelineDefinition } from "../pipeline/definition.ts";
import type { TableRows } from "../state/table-rows.ts";
import type { TaskState } from "../state/task-state.ts";
import { Rejection } from "./rejection.ts";

type Limits = Pick<PipelineDefinition, "maxEntriesPerTask" | "maxIdsPerTask">;

export class StateLimit {
  readonly #state: TaskState;
  readonly #limits: Limits;
  #refusal: Rejection | undefined;

  constructor(state: TaskState, limits: Limits) {
    this.#state = state;
    this.#limits = limits;
  }

  /** Rows, keyed states, timers, held events, and rows of tables. */
  get entries(): number {
    let entries = 0;
    for (const operator of this.#state.operators) entries += operator.entries;
    for (const { table } of this.#state.inputs) entries += table?.size ?? 0;
    return entries;
  }

  /** Identities that are remembered for dedupe. */
  get ids(): number {
    let ids = 0;
    for (const { seen } of this.#state.inputs) ids += seen?.size ?? 0;
    return ids;
  }

  /** How much of its limits the task has used, of the one that is nearer: 1 is all of it. */
  get share(): number {
    return Math.max(this.entries / this.#limits.maxEntriesPerTask, this.ids / this.#limits.maxIdsPerTask);
  }

  /** Why there is no room for the record at hand; undefined: there is. */
  get refusal(): Rejection | undefined {
    return this.#refusal;
  }

  /** A record is about to be staged. */
  begin(): void {
    this.#refusal = undefined;
  }

  /** Notes an element that the operators have staged. */
  staged(operators: readonly Operator[], key: string, timeMs: number): void {
    if (this.entries < this.#limits.maxEntriesPerTask) return;
    if (operators.some((operator) => operator.needsRow(key, timeMs))) this.#refusal = this.#noEntry();
  }

  /** Whether there is room for what was staged, and for a further id. */
  hasRoomForId(): boolean {
    const { maxIdsPerTask } = this.#limits;
    if (this.ids >= maxIdsPerTask) this.#refusal ??= full(`${maxIdsPerTask} ids, its limit (maxIdsPerTask)`);
    return this.#refusal === undefined;
  }

  /** @throws Rejection where the row would be a further one, and there is no room for it */
  requireRoomFor(table: TableRows, key: string): void {
    if (this.entries >= this.#limits.maxEntriesPerTask && !table.has(key)) throw this.#noEntry();
  }

  #noEntry(): Rejection {
    return full(`${this.#limits.maxEntriesPerTask} entries, its limit (maxEntriesPerTask)`);
  }
}

const full = (held: string): Rejection =>
  new Rejection("state-full", `the task holds ${held}; the record would need another`);
