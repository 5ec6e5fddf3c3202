/** Hopping windows at work that are emitted when they close: put together of slices, see slices.ts. */
import type { Row } from "../../aggregates/aggregate.ts";
import { CHANGED, type RowLayout } from "../../aggregates/row-layout.ts";
import { firstWindowStart, type HoppingWindow, lastWindowStart } from "../../windows/window.ts";
import { COUNTED, type OperatorContext } from "../operator.ts";
import type { OpenWindow } from "./open-windows.ts";
import { PaneWriter } from "./pane-writer.ts";
import type { SlicedWindowsState } from "./sliced-windows-state.ts";
import { sliceStart } from "./slices.ts";
import { StagingOperator } from "./staging-operator.ts";
import type { WindowsDefinition } from "./windows-definition.ts";

export class SlicedWindows extends StagingOperator {
  readonly #definition: WindowsDefinition<HoppingWindow>;
  readonly #state: SlicedWindowsState;
  readonly #rows: RowLayout;
  readonly #panes: PaneWriter;
  /** Where putting together the window that fires goes on; derived, so not part of a snapshot. */
  #combining: Iterator<[string, Row]> | undefined;

  constructor(
    definition: WindowsDefinition<HoppingWindow>,
    state: SlicedWindowsState,
    context: OperatorContext,
  ) {
    const { series, rows, emission } = definition;
    super(rows);
    this.#definition = definition;
    this.#state = state;
    this.#rows = rows;
    this.#panes = new PaneWriter(series, rows, emission.panes, context);
  }

  get dueMs(): number {
    return this.#state.dueMs;
  }

  fire(watermarkMs: number, maxSteps: number): number {
    let steps = 0;
    for (;;) {
      const window = this.#state.nextToFire(watermarkMs);
      if (window === undefined) break;
      for (let next = this.#nextRow(window); next !== undefined; next = this.#nextRow(window)) {
        this.#emitRow(window, next[0], next[1]);
        steps += 1;
        if (steps >= maxSteps) return steps;
      }
      this.#combining = undefined;
      this.#state.markFired(window);
    }
    this.#state.settle(watermarkMs);
    return steps;
  }

  needsRow(key: string, timeMs: number): boolean {
    const { window } = this.#definition;
    const { slices, windows } = this.#state;
    // One that comes when all of its windows have ended is in no slice, but may be in the rows of its last one.
    return (
      slices.get(sliceStart(window, timeMs))?.rows.has(key) !== true &&
      windows.get(lastWindowStart(window, timeMs))?.rows.has(key) !== true
    );
  }

  /**
   * Adds an element to its slice, for the windows that are still to fire, and to each of its windows that has rows of its
   * own and still takes events. Late is only what comes too late for all.
   */
  protected place(index: number, watermarkMs: number): number {
    const { window, allowedLatenessMs } = this.#definition;
    const timeMs = this.staged.timesMs[index]!;
    const lastMs = lastWindowStart(window, timeMs);
    const lastEndMs = lastMs + window.sizeMs;
    const lateByMs = watermarkMs - (lastEndMs + allowedLatenessMs);
    if (lateByMs >= 0) return lateByMs;
    const firstMs = firstWindowStart(window, timeMs);
    if (this.#state.windows.size > 0 || firstMs + window.sizeMs <= watermarkMs) {
      for (let startMs = firstMs; startMs <= lastMs; startMs += window.advanceMs) {
        this.#addToWindow(index, startMs, watermarkMs);
      }
    }
    if (lastEndMs > watermarkMs) this.#addToSlice(index, timeMs, watermarkMs);
    return COUNTED;
  }

  /** User code may throw when two rows are put together, which is too late to refuse an element: it is not sliced. */
  protected rehearse(): void {}

  #addToSlice(index: number, timeMs: number, watermarkMs: number): void {
    const slice = this.#state.sliceAt(timeMs, watermarkMs);
    const key = this.staged.keys[index]!;
    const row = this.#state.slices.rowOf(slice, key);
    this.#rows.add(row, this.staged.values, this.staged.at(index), timeMs);
    this.#state.slices.mark(slice, key, row);
  }

  #addToWindow(index: number, startMs: number, watermarkMs: number): void {
    const { window, allowedLatenessMs } = this.#definition;
    const endMs = startMs + window.sizeMs;
    if (endMs + allowedLatenessMs <= watermarkMs) return;
    // Of one that is to fire and has no rows of its own the slices are enough.
    if (endMs > watermarkMs && this.#state.windows.get(startMs) === undefined) return;
    const open = this.#state.windowAt(startMs);
    const key = this.staged.keys[index]!;
    const row = this.#state.windows.rowOf(open, key);
    this.#rows.add(row, this.staged.values, this.staged.at(index), this.staged.timesMs[index]!);
    row[CHANGED] = 1;
    this.#state.windows.mark(open, key, row);
    // A window that has fired and still takes events emits each update at once.
    if (open.fired) this.#emitRow(open, key, row);
  }

  #nextRow(window: OpenWindow): [string, Row] | undefined {
    if (!window.combining) return window.nextChanged();
    this.#combining ??= this.#combined(window);
    const { done, value } = this.#combining.next();
    return done ? undefined : value;
  }

  /** The rows of a window of each key that its slices hold, by the first slice that does; not those that it has. */
  *#combined(window: OpenWindow): Iterator<[string, Row]> {
    const slices = this.#state.slicesOf(window);
    for (const [index, slice] of slices.entries()) {
      const later = slices.slice(index + 1);
      for (const [key, first] of slice.rows) {
        if (window.rows.has(key)) continue;
        const row = this.#state.windows.rowOf(window, key);
        this.#rows.merge(row, first);
        for (const { rows } of later) {
          const more = rows.get(key);
          if (more !== undefined) this.#rows.merge(row, more);
        }
        yield [key, row];
      }
    }
  }

  #emitRow(window: OpenWindow, key: string, row: Row): void {
    this.#state.windows.mark(window, key, row);
    this.#panes.emit(key, window.startMs, window.endMs, row);
  }
}
