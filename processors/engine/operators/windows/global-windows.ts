/** Global windows at work: one window for all time and each key, emitted when its trigger says so. */
import { CHANGED, type RowLayout } from "../../aggregates/row-layout.ts";
import { GLOBAL_WINDOW, type GlobalWindow, type Trigger } from "../../windows/window.ts";
import { COUNTED, type OperatorContext } from "../operator.ts";
import type { GlobalWindowsState } from "./global-windows-state.ts";
import { PaneWriter } from "./pane-writer.ts";
import { StagingOperator } from "./staging-operator.ts";
import type { WindowsDefinition } from "./windows-definition.ts";

export class GlobalWindows extends StagingOperator {
  readonly #trigger: Trigger;
  readonly #state: GlobalWindowsState;
  readonly #rows: RowLayout;
  readonly #panes: PaneWriter;

  constructor(
    { series, rows, emission, window }: WindowsDefinition<GlobalWindow>,
    state: GlobalWindowsState,
    context: OperatorContext,
  ) {
    super(rows);
    this.#trigger = window.trigger;
    this.#state = state;
    this.#rows = rows;
    this.#panes = new PaneWriter(series, rows, emission.panes, context);
  }

  get dueMs(): number {
    return this.#state.early.dueMs;
  }

  fire(watermarkMs: number, maxSteps: number): number {
    return this.#state.early.fire(watermarkMs, maxSteps, (key) => this.#emit(key));
  }

  /** No element is late for all time. */
  protected place(index: number, watermarkMs: number): number {
    const key = this.staged.keys[index]!;
    let row = this.#state.rows.get(key);
    if (row === undefined) {
      row = this.#rows.create();
      this.#state.rows.set(key, row);
    }
    this.#rows.add(row, this.staged.values, this.staged.at(index), this.staged.timesMs[index]!);
    const count = (row[CHANGED] as number) + 1;
    row[CHANGED] = count;
    this.#state.rows.touch(key);
    if (this.#triggers(count)) this.#emit(key);
    else if (count === 1) this.#state.early.add(key, watermarkMs);
    return COUNTED;
  }

  needsRow(key: string): boolean {
    return this.#state.rows.get(key) === undefined;
  }

  protected rehearse(index: number): void {
    this.staged.rehearse(index, [this.#state.rows.get(this.staged.keys[index]!)]);
  }

  /** @param count elements since the key's last emission */
  #triggers(count: number): boolean {
    const trigger = this.#trigger;
    return trigger.kind === "on-update" || (trigger.kind === "every-count" && count >= trigger.count);
  }

  #emit(key: string): void {
    this.#panes.emit(key, GLOBAL_WINDOW.start, GLOBAL_WINDOW.end, this.#state.rows.get(key)!);
    this.#state.rows.touch(key);
    this.#state.early.delete(key);
  }
}
