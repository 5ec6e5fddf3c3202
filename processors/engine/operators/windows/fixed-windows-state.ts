/**
 * The windows of fixed size that a task holds, and their rows. Keys fire in the order in which they entered their
 * window; the snapshot keeps it.
 */
import type { Row } from "../../aggregates/aggregate.ts";
import { CHANGED, MARK } from "../../aggregates/row-layout.ts";
import type { ByteReader, ByteWriter } from "../../state/bytes.ts";
import type { SectionSchema } from "../../state/section.ts";
import { nextMultiple } from "../../windows/emission.ts";
import type { FixedWindow } from "../../windows/window.ts";
import type { Operator, OperatorContext, OperatorState } from "../operator.ts";
import { FixedWindows } from "./fixed-windows.ts";
import type { WindowsDefinition } from "./windows-definition.ts";

export class OpenWindow {
  readonly startMs: number;
  readonly endMs: number;
  readonly rows = new Map<string, Row>();
  /** Whether every row was emitted since the watermark passed the end. */
  fired = false;
  /** Keys whose rows changed since the last cut, in the order of their first change. */
  dirtyKeys: string[] = [];
  /** Whether rows may have changed since they were emitted. */
  changed = true;
  /** Where an emission that was interrupted goes on; derived, so not part of a snapshot. */
  #emitting: IterableIterator<[string, Row]> | undefined;

  constructor(startMs: number, endMs: number) {
    this.startMs = startMs;
    this.endMs = endMs;
  }

  /** The next row that changed since it was emitted; undefined when there is none. */
  nextChanged(): [string, Row] | undefined {
    this.#emitting ??= this.rows.entries();
    for (let next = this.#emitting.next(); !next.done; next = this.#emitting.next()) {
      if (next.value[1][CHANGED] === 1) return next.value;
    }
    this.changed = false;
    this.#emitting = undefined;
    return undefined;
  }
}

/** Nothing is due before the first event has said what time it is. */
const NOT_SET = -Number.MAX_VALUE;

export class FixedWindowsState implements OperatorState {
  readonly #definition: WindowsDefinition<FixedWindow>;
  readonly windows = new Map<number, OpenWindow>();
  entries = 0;
  /** The watermark at which something is due next: an emission, or the end of a window's lateness. */
  dueMs = Number.POSITIVE_INFINITY;
  /** The watermark at which open windows that changed are emitted next; positive infinity: not before they close. */
  nextEarlyMs = Number.POSITIVE_INFINITY;
  #cut = 1;
  #dirtyWindows = new Set<OpenWindow>();
  #removed: number[] = [];

  constructor(definition: WindowsDefinition<FixedWindow>) {
    this.#definition = definition;
  }

  open(context: OperatorContext): Operator {
    return new FixedWindows(this.#definition, this, context);
  }

  /** The window that starts at `startMs`, made where it is not open yet. */
  at(startMs: number, endMs: number): OpenWindow {
    let window = this.windows.get(startMs);
    if (window === undefined) {
      window = new OpenWindow(startMs, endMs);
      this.windows.set(startMs, window);
      if (endMs < this.dueMs) this.dueMs = endMs;
      if (this.#definition.emission.emit.kind === "every")
        this.dueMs = Math.min(this.dueMs, this.nextEarlyMs);
    }
    return window;
  }

  /** Notes that something changed that is to be emitted the next time that open windows are. */
  emitEarly(everyMs: number, watermarkMs: number): void {
    if (this.nextEarlyMs < Number.POSITIVE_INFINITY) return;
    this.nextEarlyMs = Math.max(NOT_SET, nextMultiple(everyMs, watermarkMs));
    this.dueMs = Math.min(this.dueMs, this.nextEarlyMs);
  }

  /** Whether open windows are emitted at this watermark. */
  isEarlyDue(everyMs: number, watermarkMs: number): boolean {
    if (this.nextEarlyMs === NOT_SET) this.nextEarlyMs = nextMultiple(everyMs, watermarkMs);
    return this.nextEarlyMs <= watermarkMs;
  }

  /** Notes that a row was changed since the last cut. */
  mark(window: OpenWindow, key: string, row: Row): void {
    if (row[MARK] === this.#cut) return;
    row[MARK] = this.#cut;
    window.dirtyKeys.push(key);
    this.#dirtyWindows.add(window);
  }

  markFired(window: OpenWindow): void {
    window.fired = true;
    this.#dirtyWindows.add(window);
  }

  /** The windows, by end, then start: the order of firing. */
  inOrder(): OpenWindow[] {
    return [...this.windows.values()].sort(inFiringOrder);
  }

  writeBase(writer: ByteWriter): void {
    writer.float64(this.nextEarlyMs);
    const windows = this.inOrder();
    writer.varint(windows.length);
    for (const window of windows) {
      this.#writeHeader(writer, window, window.rows.size);
      for (const [key, row] of window.rows) this.#writeRow(writer, key, row);
    }
    this.#nextCut();
  }

  writeDelta(writer: ByteWriter): void {
    writer.float64(this.nextEarlyMs);
    writer.varint(this.#removed.length);
    for (const startMs of this.#removed) writer.float64(startMs);
    const windows = [...this.#dirtyWindows].sort(inFiringOrder);
    writer.varint(windows.length);
    for (const window of windows) {
      this.#writeHeader(writer, window, window.dirtyKeys.length);
      for (const key of window.dirtyKeys) this.#writeRow(writer, key, window.rows.get(key)!);
    }
    this.#nextCut();
  }

  readBase(reader: ByteReader, written: SectionSchema): void {
    this.nextEarlyMs = reader.float64();
    this.#readWindows(reader, written);
  }

  readDelta(reader: ByteReader, written: SectionSchema): void {
    this.nextEarlyMs = reader.float64();
    for (let removed = reader.varint(); removed > 0; removed--) this.windows.delete(reader.float64());
    this.#readWindows(reader, written);
  }

  restored(): void {
    for (const window of this.windows.values()) this.entries += window.rows.size;
    this.settle(Number.NEGATIVE_INFINITY);
    this.#nextCut();
  }

  /** Drops fired windows whose lateness is over, and finds what is due next. */
  settle(watermarkMs: number): void {
    const { allowedLatenessMs } = this.#definition;
    this.dueMs = this.nextEarlyMs;
    for (const window of this.windows.values()) {
      const closesMs = window.endMs + allowedLatenessMs;
      if (window.fired && closesMs <= watermarkMs) this.#remove(window);
      else this.dueMs = Math.min(this.dueMs, window.fired ? closesMs : window.endMs);
    }
  }

  #writeHeader(writer: ByteWriter, window: OpenWindow, rows: number): void {
    writer.float64(window.startMs);
    writer.float64(window.endMs);
    writer.varint(window.fired ? 1 : 0);
    writer.varint(rows);
  }

  #writeRow(writer: ByteWriter, key: string, row: Row): void {
    writer.text(key);
    this.#definition.rows.write(writer, row);
  }

  #readWindows(reader: ByteReader, { aggregates }: SectionSchema): void {
    const readRow = this.#definition.rows.readerOf(aggregates);
    for (let windows = reader.varint(); windows > 0; windows--) {
      const startMs = reader.float64();
      const window = this.at(startMs, reader.float64());
      window.fired = reader.varint() === 1;
      for (let rows = reader.varint(); rows > 0; rows--) {
        const key = reader.text();
        window.rows.set(key, readRow(reader));
      }
    }
  }

  #remove(window: OpenWindow): void {
    this.windows.delete(window.startMs);
    this.entries -= window.rows.size;
    this.#dirtyWindows.delete(window);
    this.#removed.push(window.startMs);
  }

  #nextCut(): void {
    this.#cut += 1;
    for (const window of this.#dirtyWindows) window.dirtyKeys = [];
    this.#dirtyWindows.clear();
    this.#removed = [];
  }
}

const inFiringOrder = (a: OpenWindow, b: OpenWindow): number => a.endMs - b.endMs || a.startMs - b.startMs;
