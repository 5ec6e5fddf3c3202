/**
 * Sliding windows at work, as Kafka Streams has them. For a key and each event time t that it has, there is the window
 * [t - size, t], and the window [t + 1, t + 1 + size] where that holds an element: so there is one for every distinct
 * set of elements that lie within `size` of each other. Whatever order the elements come in, they make the same ones.
 */
import { REVISION, type RowLayout } from "../../aggregates/row-layout.ts";
import type { SlidingWindow } from "../../windows/window.ts";
import { COUNTED, type OperatorContext } from "../operator.ts";
import { PaneWriter } from "./pane-writer.ts";
import {
  firstFrom,
  type Sliding,
  SlidingKey,
  type SlidingWindowsState,
  type Turn,
} from "./sliding-windows-state.ts";
import { StagingOperator } from "./staging-operator.ts";
import type { WindowsDefinition } from "./windows-definition.ts";

export class SlidingWindows extends StagingOperator {
  readonly #sizeMs: number;
  readonly #allowedLatenessMs: number;
  readonly #state: SlidingWindowsState;
  readonly #rows: RowLayout;
  readonly #panes: PaneWriter;

  constructor(
    definition: WindowsDefinition<SlidingWindow>,
    state: SlidingWindowsState,
    context: OperatorContext,
  ) {
    const { series, rows, emission, window, allowedLatenessMs } = definition;
    super(rows);
    this.#sizeMs = window.sizeMs;
    this.#allowedLatenessMs = allowedLatenessMs;
    this.#state = state;
    this.#rows = rows;
    this.#panes = new PaneWriter(series, rows, emission.panes, context);
  }

  get dueMs(): number {
    return this.#state.queue.dueMs;
  }

  fire(watermarkMs: number, maxSteps: number): number {
    const { queue } = this.#state;
    let steps = 0;
    for (; steps < maxSteps && queue.dueMs <= watermarkMs; steps++) this.#take(queue.pop()!);
    return steps;
  }

  /** An element is late once no window can be open that holds it: the last one would begin with it. */
  protected place(index: number, watermarkMs: number): number {
    const key = this.staged.keys[index]!;
    const timeMs = this.staged.timesMs[index]!;
    const lateByMs = watermarkMs - (this.#endOf(timeMs) + this.#allowedLatenessMs);
    if (lateByMs >= 0) return lateByMs;
    let state = this.#state.keys.get(key);
    if (state === undefined) {
      state = new SlidingKey();
      this.#state.keys.set(key, state);
    }
    this.#add(index, state, timeMs, watermarkMs);
    this.#state.keys.touch(key);
    if (this.#allowedLatenessMs > 0) this.#emitClosed(key, state, timeMs, watermarkMs);
    this.#state.schedule(key, state);
    return COUNTED;
  }

  /** An element has a row of its own, but where another is of the same millisecond. */
  needsRow(): boolean {
    return true;
  }

  protected rehearse(index: number): void {
    const timeMs = this.staged.timesMs[index]!;
    const instants = this.#state.keys.get(this.staged.keys[index]!)?.instants ?? [];
    const instant = instants[firstFrom(instants, timeMs)];
    this.staged.rehearse(index, [instant?.timeMs === timeMs ? instant.row : undefined]);
  }

  #endOf(startMs: number): number {
    return startMs + this.#sizeMs + 1;
  }

  #add(index: number, state: SlidingKey, timeMs: number, watermarkMs: number): void {
    const { instants } = state;
    const at = firstFrom(instants, timeMs);
    if (instants[at]?.timeMs !== timeMs) {
      instants.splice(at, 0, { timeMs, row: this.#rows.create() });
      this.#state.entries += 1;
      this.#makeWindows(state, at, watermarkMs);
    }
    this.#rows.add(instants[at]!.row, this.staged.values, this.staged.at(index), timeMs);
  }

  /**
   * Makes the windows that a new event time calls for: the one that ends with it, and those right after it and right
   * after the time before it, where they hold something. A window after a time further back holds the time before, so
   * it is there already.
   */
  #makeWindows(state: SlidingKey, at: number, watermarkMs: number): void {
    const { timeMs } = state.instants[at]!;
    const before = state.instants[at - 1]?.timeMs ?? Number.NEGATIVE_INFINITY;
    const after = state.instants[at + 1]?.timeMs ?? Number.POSITIVE_INFINITY;
    this.#make(state, timeMs - this.#sizeMs, watermarkMs);
    if (timeMs < this.#endOf(before + 1)) this.#make(state, before + 1, watermarkMs);
    if (after < this.#endOf(timeMs + 1)) this.#make(state, timeMs + 1, watermarkMs);
  }

  /** Makes a window, where it is not there and not closed for good. */
  #make(state: SlidingKey, startMs: number, watermarkMs: number): void {
    const endMs = this.#endOf(startMs);
    const at = firstFrom(state.windows, startMs);
    if (state.windows[at]?.timeMs === startMs || endMs + this.#allowedLatenessMs <= watermarkMs) return;
    state.windows.splice(at, 0, { timeMs: startMs, revision: 0 });
    // A window that is made within its lateness is emitted at once.
    if (endMs <= watermarkMs) state.emitted += 1;
  }

  /** Emits the windows that the watermark has closed, still take elements, and were made or changed by this one. */
  #emitClosed(key: string, state: SlidingKey, timeMs: number, watermarkMs: number): void {
    const { windows } = state;
    const openFromMs = watermarkMs - this.#sizeMs - this.#allowedLatenessMs;
    for (let at = firstFrom(windows, Math.max(timeMs - this.#sizeMs, openFromMs)); at < state.emitted; at++) {
      const window = windows[at]!;
      if (window.timeMs > timeMs + 1) return;
      if (window.timeMs <= timeMs || window.revision === 0) this.#emit(key, state, window);
    }
  }

  /** A key's turn: its next window has closed, or all of it can be forgotten, or the turn is put off. */
  #take(turn: Turn): void {
    const { state, key } = turn;
    if (state.turn !== turn) return;
    const window = state.windows[state.emitted];
    const isDue = this.#state.dueOf(state) <= turn.dueMs;
    if (isDue && window === undefined) {
      this.#state.entries -= state.instants.length;
      this.#state.keys.delete(key);
      return;
    }
    if (isDue) {
      this.#emit(key, state, window!);
      state.emitted += 1;
      this.#state.trim(state, turn.dueMs);
      this.#state.keys.touch(key);
    }
    this.#state.enqueue(key, state, this.#state.dueOf(state));
  }

  #emit(key: string, { instants }: SlidingKey, window: Sliding): void {
    const endMs = this.#endOf(window.timeMs);
    const row = this.#rows.create();
    row[REVISION] = window.revision;
    for (let at = firstFrom(instants, window.timeMs); at < instants.length; at++) {
      const instant = instants[at]!;
      if (instant.timeMs >= endMs) break;
      this.#rows.merge(row, instant.row);
    }
    this.#panes.emit(key, window.timeMs, endMs, row);
    window.revision = row[REVISION] as number;
  }
}
