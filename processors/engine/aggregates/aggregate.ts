/**
 * An aggregate keeps a fixed number of slots in a row that it shares with the other aggregates of its window.
 * Taking a value from an event (user code, may throw) is apart from adding it (engine code, never throws), so that
 * an event whose third selector fails has not already changed the first two.
 */
import type { ByteReader, ByteWriter } from "../state/bytes.ts";

/**
 * What is kept for one key and window. A row of numbers only is stored by the JavaScript engine as plain float64s;
 * a single object in it makes every slot a pointer, so numeric aggregates keep numbers.
 */
export type Row = unknown[];

export interface Aggregate<Event, Result = unknown, Value = unknown> {
  /**
   * What the slots mean, with every parameter that changes their meaning. It is part of the state's schema:
   * another kind under the same name is incompatible.
   */
  readonly kind: string;
  readonly slots: number;
  /** The value that this event contributes. User code: whatever it throws dead-letters the event. */
  select(event: Event): Value;
  /** Why a selected value cannot be added, as the end of a sentence ("is not a finite number"); undefined: it can. */
  refuse(value: Value): string | undefined;
  /** Writes the empty aggregate into `row` from slot `at`: values that two rows may share, such as numbers. */
  create(row: Row, at: number): void;
  /** @param timeMs the event's time, for aggregates to which order matters */
  add(row: Row, at: number, value: Value, timeMs: number): void;
  /** Adds what `from` holds from slot `at` to `into`. `from` stays as it is, and neither can change the other later. */
  merge(into: Row, from: Row, at: number): void;
  /** The result, as JSON will show it. Throws where it cannot be told; the pane then goes to the dead letters. */
  result(row: Row, at: number): Result;
  /** The slots as bytes, and back. */
  write(writer: ByteWriter, row: Row, at: number): void;
  read(reader: ByteReader, row: Row, at: number): void;
  /**
   * Only where adding and merging are user code, which may throw. `add` and `merge` do not throw even then: what they
   * cannot do leaves a slot without a result. These do throw, and are called with what an event will be added to
   * before it is, so that an event whose code throws changes nothing.
   */
  readonly attempt?: Attempt<Value>;
}

/** The next value of the aggregate's only slot, from the value that it has. Stores nothing and changes nothing. */
export interface Attempt<Value = unknown> {
  add(slot: unknown, value: Value, timeMs: number): unknown;
  merge(into: unknown, from: unknown): unknown;
}
