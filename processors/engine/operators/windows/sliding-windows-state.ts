/**
 * What a task holds for sliding windows: for each key the elements that still count, as a row for each event time,
 * and the windows that they make. A window's own row is calculated when it is emitted.
 */
import type { Row } from "../../aggregates/aggregate.ts";
import type { RowLayout } from "../../aggregates/row-layout.ts";
import type { ByteReader, ByteWriter } from "../../state/bytes.ts";
import { type Due, DueQueue } from "../../state/due-queue.ts";
import { KeyedStore, type ValueCodec } from "../../state/keyed-store.ts";
import type { SectionSchema } from "../../state/section.ts";
import type { SlidingWindow } from "../../windows/window.ts";
import type { Operator, OperatorContext, OperatorState } from "../operator.ts";
import { SlidingWindows } from "./sliding-windows.ts";
import type { WindowsDefinition } from "./windows-definition.ts";

/** The elements of one key and event time. */
export interface Instant {
  readonly timeMs: number;
  readonly row: Row;
}

/** [start, start + size], both inclusive; never empty. */
export interface Sliding {
  readonly timeMs: number;
  /** How often it was emitted. */
  revision: number;
}

/** One key's elements and windows. */
export class SlidingKey {
  /** In the order of time. */
  readonly instants: Instant[] = [];
  /** In the order of their starts, which are their `timeMs`, and so of their ends. */
  readonly windows: Sliding[] = [];
  /** How many windows were emitted: the first ones, as they are emitted in their order. */
  emitted = 0;
  /** Its one valid place in the queue. */
  turn: Turn | undefined = undefined;
}

/** When to look at a key. It may come too early: then it is put off. */
export interface Turn extends Due {
  readonly state: SlidingKey;
}

export class SlidingWindowsState implements OperatorState {
  readonly #definition: WindowsDefinition<SlidingWindow>;
  readonly keys: KeyedStore<SlidingKey>;
  readonly queue = new DueQueue<Turn>();
  /** The instants of all keys. */
  entries = 0;

  constructor(definition: WindowsDefinition<SlidingWindow>) {
    this.#definition = definition;
    this.keys = new KeyedStore(codecOf(definition.rows, definition.rows.schema));
  }

  open(context: OperatorContext): Operator {
    return new SlidingWindows(this.#definition, this, context);
  }

  /** When there is something to do for a key: to emit its next window, or to forget all of it. */
  dueOf({ instants, windows, emitted }: SlidingKey): number {
    const { window, allowedLatenessMs } = this.#definition;
    const next = windows[emitted];
    if (next !== undefined) return next.timeMs + window.sizeMs + 1;
    // One more than the end of the last window that holds it: an element may begin a window right after its time.
    return instants.at(-1)!.timeMs + window.sizeMs + 2 + allowedLatenessMs;
  }

  /** Sees to it that the key's turn comes in time. */
  schedule(key: string, state: SlidingKey): void {
    const dueMs = this.dueOf(state);
    if (state.turn === undefined || dueMs < state.turn.dueMs) this.enqueue(key, state, dueMs);
  }

  /** Gives the key a turn in place of the one that it had. Windows that end together start together. */
  enqueue(key: string, state: SlidingKey, dueMs: number): void {
    state.turn = { dueMs, startMs: dueMs, key, state };
    this.queue.push(state.turn);
  }

  /** Forgets what no window can need any more when the watermark is `nowMs`. */
  trim(state: SlidingKey, nowMs: number): void {
    const { window, allowedLatenessMs } = this.#definition;
    const keptFromMs = nowMs - window.sizeMs - 1 - allowedLatenessMs;
    const closed = firstFrom(state.windows, keptFromMs + 1);
    state.windows.splice(0, closed);
    state.emitted -= closed;
    this.entries -= state.instants.splice(0, firstFrom(state.instants, keptFromMs)).length;
  }

  writeBase(writer: ByteWriter): void {
    this.keys.writeBase(writer);
  }

  writeDelta(writer: ByteWriter): void {
    this.keys.writeDelta(writer);
  }

  readBase(reader: ByteReader, { aggregates }: SectionSchema): void {
    this.keys.readBase(reader, codecOf(this.#definition.rows, aggregates));
  }

  readDelta(reader: ByteReader, { aggregates }: SectionSchema): void {
    this.keys.readDelta(reader, codecOf(this.#definition.rows, aggregates));
  }

  restored(): void {
    for (const [key, state] of this.keys.entries()) {
      this.entries += state.instants.length;
      this.schedule(key, state);
    }
  }
}

/** Index of the first whose time is not before `timeMs`. */
export function firstFrom(list: readonly { readonly timeMs: number }[], timeMs: number): number {
  let low = 0;
  let high = list.length;
  // Most are asked for at the end, since most elements come in the order of their times.
  if (high > 0 && list[high - 1]!.timeMs < timeMs) return high;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (list[middle]!.timeMs < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** @param written the aggregates of whoever wrote the rows that are read */
function codecOf(rows: RowLayout, written: SectionSchema["aggregates"]): ValueCodec<SlidingKey> {
  const readRow = rows.readerOf(written);
  return {
    write: (writer, { instants, windows }) => {
      writer.varint(instants.length);
      for (const { timeMs, row } of instants) {
        writer.float64(timeMs);
        rows.write(writer, row);
      }
      writer.varint(windows.length);
      for (const { timeMs, revision } of windows) {
        writer.float64(timeMs);
        writer.varint(revision);
      }
    },
    read: (reader) => {
      const state = new SlidingKey();
      for (let left = reader.varint(); left > 0; left--) {
        state.instants.push({ timeMs: reader.float64(), row: readRow(reader) });
      }
      for (let left = reader.varint(); left > 0; left--) {
        const window = { timeMs: reader.float64(), revision: reader.varint() };
        state.windows.push(window);
        if (window.revision > 0) state.emitted += 1;
      }
      return state;
    },
  };
}
