/**
 * The row of a key and window: three numbers of the engine's own, then the slots of each aggregate in the order in
 * which the definition names them.
 */
import { type ByteReader, ByteWriter, CorruptBytesError } from "../state/bytes.ts";
import type { SectionSchema } from "../state/section.ts";
import { Rejection, rejectionOf, toRejection } from "../task/rejection.ts";
import type { Aggregate, Row } from "./aggregate.ts";

/** How often the row was emitted. */
export const REVISION = 0;
/** Above 0 where the row was changed since it was emitted last: 1, or how many elements that was where they count. */
export const CHANGED = 1;
/** The cut before which the row was last written down as changed; no part of a snapshot. */
export const MARK = 2;
export const FIRST_SLOT = 3;

export interface NamedAggregate<Event = unknown> {
  readonly name: string;
  readonly aggregate: Aggregate<Event>;
}

/** Reads one row; the layout of whoever wrote it is built in. */
export type RowReader = (reader: ByteReader) => Row;

export class RowLayout {
  readonly #aggregates: readonly NamedAggregate[];
  /** Index of each aggregate's first slot. */
  readonly #slots: readonly number[];
  /** What every row starts as. A copy has the room that it needs; a row that grew would have 16 slots more. */
  readonly #empty: readonly unknown[];

  constructor(aggregates: readonly NamedAggregate[]) {
    this.#aggregates = aggregates;
    let at = FIRST_SLOT;
    this.#slots = aggregates.map(({ aggregate }) => {
      at += aggregate.slots;
      return at - aggregate.slots;
    });
    const empty: Row = [0, 0, 0];
    this.reset(empty);
    this.#empty = empty;
  }

  /** How many values one event contributes. */
  get count(): number {
    return this.#aggregates.length;
  }

  get schema(): SectionSchema["aggregates"] {
    return this.#aggregates.map(({ name, aggregate }) => ({ name, kind: aggregate.kind }));
  }

  /** Index of the first slot of an aggregate that there is. */
  slotOf(name: string): number {
    return this.#slots[this.#aggregates.findIndex((aggregate) => aggregate.name === name)]!;
  }

  create(): Row {
    return this.#empty.slice();
  }

  /** Empties the aggregates; the emissions stay counted. */
  reset(row: Row): void {
    for (let i = 0; i < this.#aggregates.length; i++) {
      this.#aggregates[i]!.aggregate.create(row, this.#slots[i]!);
    }
  }

  /**
   * Takes what an event contributes to each aggregate into `values` from index `from`.
   * @throws Rejection where user code throws, or yields what its aggregate cannot add
   */
  select(event: unknown, values: unknown[], from: number): void {
    for (let i = 0; i < this.#aggregates.length; i++) {
      const { name, aggregate } = this.#aggregates[i]!;
      let value: unknown;
      try {
        value = aggregate.select(event);
      } catch (cause) {
        throw toRejection("user-code-failed", cause, `aggregate ${name} threw`);
      }
      const refusal = aggregate.refuse(value);
      if (refusal !== undefined) {
        throw new Rejection("invalid-event", `aggregate ${name}: the value ${refusal}`);
      }
      values[from + i] = value;
    }
  }

  /** Whether an aggregate's adding is user code: then each element must be rehearsed before it is added. */
  get hasUserCode(): boolean {
    return this.#aggregates.some(({ aggregate }) => aggregate.attempt !== undefined);
  }

  /**
   * Runs the user code that adding an element will run, and keeps nothing of it: whatever it throws is thrown before
   * anything has changed.
   * @param rows what the element will be added to, the first with the others merged in; undefined: an empty row
   * @throws Rejection where it throws
   */
  rehearse(
    rows: readonly (Row | undefined)[],
    values: readonly unknown[],
    from: number,
    timeMs: number,
  ): void {
    for (let i = 0; i < this.#aggregates.length; i++) {
      const { name, aggregate } = this.#aggregates[i]!;
      const { attempt } = aggregate;
      if (attempt === undefined) continue;
      const slots = rows.map((row) => (row ?? this.create())[this.#slots[i]!]);
      rejectionOf(
        "user-code-failed",
        () => attempt.add(slots.reduce(attempt.merge), values[from + i], timeMs),
        `aggregate ${name} threw`,
      );
    }
  }

  /** Adds selected values to a row. */
  add(row: Row, values: readonly unknown[], from: number, timeMs: number): void {
    for (let i = 0; i < this.#aggregates.length; i++) {
      this.#aggregates[i]!.aggregate.add(row, this.#slots[i]!, values[from + i], timeMs);
    }
  }

  /** Adds what `from` holds to `into`; `from` stays as it is. */
  merge(into: Row, from: Row): void {
    for (let i = 0; i < this.#aggregates.length; i++) {
      this.#aggregates[i]!.aggregate.merge(into, from, this.#slots[i]!);
    }
  }

  /** @throws Rejection where an aggregate cannot tell its result */
  result(row: Row): Record<string, unknown> {
    const value: Record<string, unknown> = {};
    for (let i = 0; i < this.#aggregates.length; i++) {
      const { name, aggregate } = this.#aggregates[i]!;
      const result = rejectionOf(
        "user-code-failed",
        () => aggregate.result(row, this.#slots[i]!),
        `aggregate ${name} threw`,
      );
      if (typeof result === "number" && !Number.isFinite(result)) {
        throw new Rejection("user-code-failed", `aggregate ${name}: the result is not a finite number`);
      }
      value[name] = result;
    }
    return value;
  }

  write(writer: ByteWriter, row: Row): void {
    writer.varint(row[REVISION] as number);
    writer.varint(row[CHANGED] as number);
    for (let i = 0; i < this.#aggregates.length; i++) {
      this.#aggregates[i]!.aggregate.write(writer, row, this.#slots[i]!);
    }
  }

  /** The row as it would be in a snapshot, base64. */
  encode(row: Row): string {
    const writer = new ByteWriter();
    this.write(writer, row);
    return Buffer.from(writer.finish()).toString("base64");
  }

  /** How to read rows that were written with these aggregates; those that were added since start empty. */
  readerOf(written: SectionSchema["aggregates"]): RowReader {
    const slots = written.map(({ name }) => {
      const index = this.#aggregates.findIndex((aggregate) => aggregate.name === name);
      if (index < 0) throw new CorruptBytesError(`the rows hold an aggregate ${name} that is not defined`);
      return index;
    });
    return (reader) => {
      const row = this.create();
      row[REVISION] = reader.varint();
      row[CHANGED] = reader.varint();
      for (const index of slots) this.#aggregates[index]!.aggregate.read(reader, row, this.#slots[index]!);
      return row;
    };
  }
}
