/** Tumbling and hopping windows at work. */
import type { Row } from "../../aggregates/aggregate.ts";
import { CHANGED, type RowLayout } from "../../aggregates/row-layout.ts";
import type { EmitPolicy } from "../../windows/emission.ts";
import { advanceOf, type FixedWindow, firstWindowStart, lastWindowStart } from "../../windows/window.ts";
import { COUNTED, type OperatorContext } from "../operator.ts";
import type { FixedWindowsState } from "./fixed-windows-state.ts";
import type { OpenWindow } from "./open-windows.ts";
import { PaneWriter } from "./pane-writer.ts";
import { StagingOperator } from "./staging-operator.ts";
import type { WindowsDefinition } from "./windows-definition.ts";

export class FixedWindows extends StagingOperator {
  readonly #definition: WindowsDefinition<FixedWindow>;
  readonly #state: FixedWindowsState;
  readonly #rows: RowLayout;
  readonly #emit: EmitPolicy;
  readonly #panes: PaneWriter;

  constructor(
    definition: WindowsDefinition<FixedWindow>,
    state: FixedWindowsState,
    context: OperatorContext,
  ) {
    const { series, rows, emission } = definition;
    super(rows);
    this.#definition = definition;
    this.#state = state;
    this.#rows = rows;
    this.#emit = emission.emit;
    this.#panes = new PaneWriter(series, rows, emission.panes, context);
  }

  get dueMs(): number {
    return this.#state.dueMs;
  }

  fire(watermarkMs: number, maxSteps: number): number {
    let steps = 0;
    for (const window of this.#due(watermarkMs)) {
      for (let next = window.nextChanged(); next !== undefined; next = window.nextChanged()) {
        this.#emitRow(window, next[0], next[1]);
        steps += 1;
        if (steps >= maxSteps) return steps;
      }
      if (window.endMs <= watermarkMs) this.#state.windows.markFired(window);
    }
    if (this.#state.nextEarlyMs <= watermarkMs) this.#state.nextEarlyMs = Number.POSITIVE_INFINITY;
    this.#state.settle(watermarkMs);
    return steps;
  }

  /** Adds an element to those of its windows that still take events; late is only what comes too late for all. */
  protected place(index: number, watermarkMs: number): number {
    const { window, allowedLatenessMs } = this.#definition;
    const timeMs = this.staged.timesMs[index]!;
    const lastMs = lastWindowStart(window, timeMs);
    const lateByMs = watermarkMs - (lastMs + window.sizeMs + allowedLatenessMs);
    if (lateByMs >= 0) return lateByMs;
    for (let startMs = firstWindowStart(window, timeMs); startMs <= lastMs; startMs += advanceOf(window)) {
      const endMs = startMs + window.sizeMs;
      if (endMs + allowedLatenessMs > watermarkMs) this.#add(index, startMs, endMs, watermarkMs);
    }
    return COUNTED;
  }

  needsRow(key: string, timeMs: number): boolean {
    const startMs = lastWindowStart(this.#definition.window, timeMs);
    return this.#state.windows.get(startMs)?.rows.has(key) !== true;
  }

  protected rehearse(index: number): void {
    const { window } = this.#definition;
    const timeMs = this.staged.timesMs[index]!;
    const lastMs = lastWindowStart(window, timeMs);
    for (let startMs = firstWindowStart(window, timeMs); startMs <= lastMs; startMs += advanceOf(window)) {
      const row = this.#state.windows.get(startMs)?.rows.get(this.staged.keys[index]!);
      this.staged.rehearse(index, [row]);
    }
  }

  #add(index: number, startMs: number, endMs: number, watermarkMs: number): void {
    const { keys, values, timesMs } = this.staged;
    const key = keys[index]!;
    const window = this.#state.at(startMs, endMs);
    const row = this.#state.windows.rowOf(window, key);
    this.#rows.add(row, values, this.staged.at(index), timesMs[index]!);
    row[CHANGED] = 1;
    window.changed = true;
    this.#state.windows.mark(window, key, row);
    // A window that has fired and still takes events emits each update at once.
    if (window.fired || this.#emit.kind === "on-update") this.#emitRow(window, key, row);
    else if (this.#emit.kind === "every") this.#state.emitEarly(this.#emit.everyMs, watermarkMs);
  }

  #emitRow(window: OpenWindow, key: string, row: Row): void {
    this.#state.windows.mark(window, key, row);
    this.#panes.emit(key, window.startMs, window.endMs, row);
  }

  /** The windows with rows to emit, in the order of firing: those that the watermark closed, then the open ones. */
  #due(watermarkMs: number): OpenWindow[] {
    const windows = this.#state.windows.inOrder();
    const closed = windows.filter(({ endMs, fired }) => !fired && endMs <= watermarkMs);
    if (this.#emit.kind !== "every" || !this.#state.isEarlyDue(this.#emit.everyMs, watermarkMs))
      return closed;
    return [...closed, ...windows.filter(({ endMs, changed }) => changed && endMs > watermarkMs)];
  }
}
