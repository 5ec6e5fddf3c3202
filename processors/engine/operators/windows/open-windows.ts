/**
 * Spans of event time with a row for each key: windows, or slices of windows. It knows what was changed since the last
 * cut. Keys stay in the order in which they entered their span; the snapshot keeps it.
 */
import type { Row } from "../../aggregates/aggregate.ts";
import { CHANGED, MARK, type RowLayout } from "../../aggregates/row-layout.ts";
import type { ByteReader, ByteWriter } from "../../state/bytes.ts";
import type { SectionSchema } from "../../state/section.ts";

/** As a snapshot tells them apart. */
const OPEN = 0;
const FIRED = 1;
const COMBINING = 2;

export class OpenWindow {
  readonly startMs: number;
  readonly endMs: number;
  readonly rows = new Map<string, Row>();
  /** Whether every row was emitted since the watermark passed the end. */
  fired = false;
  /** Whether its rows are yet being made, of slices: while it fires, and until that is done. */
  combining = false;
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

export class OpenWindows {
  readonly #layout: RowLayout;
  readonly #byStart = new Map<number, OpenWindow>();
  /** The one that was asked for last, as most events fall where the one before did. */
  #last: OpenWindow | undefined;
  #cut = 1;
  #dirty = new Set<OpenWindow>();
  #removed: number[] = [];
  /** Rows of all of them. */
  entries = 0;

  constructor(layout: RowLayout) {
    this.#layout = layout;
  }

  get size(): number {
    return this.#byStart.size;
  }

  get(startMs: number): OpenWindow | undefined {
    if (this.#last?.startMs === startMs) return this.#last;
    const window = this.#byStart.get(startMs);
    if (window !== undefined) this.#last = window;
    return window;
  }

  open(startMs: number, endMs: number): OpenWindow {
    const window = new OpenWindow(startMs, endMs);
    this.#byStart.set(startMs, window);
    return window;
  }

  /** The key's row in it, made where there is none yet. */
  rowOf(window: OpenWindow, key: string): Row {
    let row = window.rows.get(key);
    if (row === undefined) {
      row = this.#layout.create();
      window.rows.set(key, row);
      this.entries += 1;
    }
    return row;
  }

  values(): IterableIterator<OpenWindow> {
    return this.#byStart.values();
  }

  /** By end, then start: the order of firing. */
  inOrder(): OpenWindow[] {
    return [...this.#byStart.values()].sort(inFiringOrder);
  }

  /** Notes that a row was changed since the last cut. */
  mark(window: OpenWindow, key: string, row: Row): void {
    if (row[MARK] === this.#cut) return;
    row[MARK] = this.#cut;
    window.dirtyKeys.push(key);
    this.#dirty.add(window);
  }

  markFired(window: OpenWindow): void {
    window.fired = true;
    window.combining = false;
    this.#dirty.add(window);
  }

  /**
   * Drops fired windows whose lateness is over.
   * @returns the watermark at which one of the others ends, or its lateness; positive infinity where there is none
   */
  settle(watermarkMs: number, allowedLatenessMs: number): number {
    let dueMs = Number.POSITIVE_INFINITY;
    for (const window of this.#byStart.values()) {
      const closesMs = window.endMs + allowedLatenessMs;
      if (window.fired && closesMs <= watermarkMs) this.remove(window);
      else dueMs = Math.min(dueMs, window.fired ? closesMs : window.endMs);
    }
    return dueMs;
  }

  remove(window: OpenWindow): void {
    this.#byStart.delete(window.startMs);
    if (this.#last === window) this.#last = undefined;
    this.entries -= window.rows.size;
    this.#dirty.delete(window);
    this.#removed.push(window.startMs);
  }

  writeBase(writer: ByteWriter): void {
    const windows = this.inOrder();
    writer.varint(windows.length);
    for (const window of windows) {
      writeHeader(writer, window, window.rows.size);
      for (const [key, row] of window.rows) this.#writeRow(writer, key, row);
    }
    this.#nextCut();
  }

  writeDelta(writer: ByteWriter): void {
    writer.varint(this.#removed.length);
    for (const startMs of this.#removed) writer.float64(startMs);
    const windows = [...this.#dirty].sort(inFiringOrder);
    writer.varint(windows.length);
    for (const window of windows) {
      writeHeader(writer, window, window.dirtyKeys.length);
      for (const key of window.dirtyKeys) this.#writeRow(writer, key, window.rows.get(key)!);
    }
    this.#nextCut();
  }

  readBase(reader: ByteReader, { aggregates }: SectionSchema): void {
    const readRow = this.#layout.readerOf(aggregates);
    for (let windows = reader.varint(); windows > 0; windows--) {
      const startMs = reader.float64();
      const endMs = reader.float64();
      const window = this.get(startMs) ?? this.open(startMs, endMs);
      const status = reader.varint();
      window.fired = status === FIRED;
      window.combining = status === COMBINING;
      for (let rows = reader.varint(); rows > 0; rows--) {
        const key = reader.text();
        window.rows.set(key, readRow(reader));
      }
    }
  }

  readDelta(reader: ByteReader, written: SectionSchema): void {
    for (let removed = reader.varint(); removed > 0; removed--) {
      const window = this.get(reader.float64());
      if (window !== undefined) this.remove(window);
    }
    this.readBase(reader, written);
  }

  restored(): void {
    this.entries = 0;
    for (const window of this.#byStart.values()) this.entries += window.rows.size;
    this.#nextCut();
  }

  #writeRow(writer: ByteWriter, key: string, row: Row): void {
    writer.text(key);
    this.#layout.write(writer, row);
  }

  #nextCut(): void {
    this.#cut += 1;
    for (const window of this.#dirty) window.dirtyKeys = [];
    this.#dirty.clear();
    this.#removed = [];
  }
}

function writeHeader(writer: ByteWriter, window: OpenWindow, rows: number): void {
  writer.float64(window.startMs);
  writer.float64(window.endMs);
  writer.varint(window.fired ? FIRED : window.combining ? COMBINING : OPEN);
  writer.varint(rows);
}

const inFiringOrder = (a: OpenWindow, b: OpenWindow): number => a.endMs - b.endMs || a.startMs - b.startMs;
