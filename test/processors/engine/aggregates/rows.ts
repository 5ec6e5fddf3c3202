/** Rows of one aggregate between two guards, and the laws that every aggregate keeps. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Aggregate, Row } from "../../../../processors/engine/aggregates/aggregate.ts";
import { ByteReader, ByteWriter } from "../../../../processors/engine/state/bytes.ts";

export interface Timed<Value> {
  readonly value: Value;
  readonly timeMs: number;
}

const AT = 1;
const GUARD = "guard";

export function emptyRow(aggregate: Aggregate<never>): Row {
  const row: Row = [GUARD];
  aggregate.create(row, AT);
  row.push(GUARD);
  return row;
}

/** Adds events as the task does: select, refuse, add. Returns the row. */
export function addAll<Event>(
  aggregate: Aggregate<Event>,
  events: readonly Timed<Event>[],
  row: Row = emptyRow(aggregate),
): Row {
  for (const { value, timeMs } of events) {
    const selected = aggregate.select(value);
    const refusal = aggregate.refuse(selected);
    if (refusal !== undefined) throw new Error(`a value of the test ${refusal}`);
    aggregate.add(row, AT, selected, timeMs);
  }
  expect(row).toHaveLength(aggregate.slots + 2);
  expect([row[0], row.at(-1)]).toEqual([GUARD, GUARD]);
  return row;
}

/** The values as events at 0, 1, 2 … ms. */
export function inOrder<Value>(values: readonly Value[]): Timed<Value>[] {
  return values.map((value, timeMs) => ({ value, timeMs }));
}

export function rowOf<Event>(aggregate: Aggregate<Event>, values: readonly Event[]): Row {
  return addAll(aggregate, inOrder(values));
}

export function resultOf<Event, Result>(
  aggregate: Aggregate<Event, Result>,
  values: readonly Event[],
): Result {
  return resultIn(aggregate, rowOf(aggregate, values));
}

export function resultIn<Event, Result>(aggregate: Aggregate<Event, Result>, row: Row): Result {
  return aggregate.result(row, AT);
}

export function refusalOf<Event>(aggregate: Aggregate<Event>, event: Event): string | undefined {
  return aggregate.refuse(aggregate.select(event));
}

export function merged(aggregate: Aggregate<never>, into: Row, from: Row): Row {
  aggregate.merge(into, from, AT);
  return into;
}

export function bytesOf(aggregate: Aggregate<never>, row: Row): string {
  const writer = new ByteWriter();
  aggregate.write(writer, row, AT);
  return Buffer.from(writer.finish()).toString("hex");
}

export function restored(aggregate: Aggregate<never>, row: Row): Row {
  const reader = new ByteReader(Buffer.from(bytesOf(aggregate, row), "hex"));
  const back = emptyRow(aggregate);
  aggregate.read(reader, back, AT);
  expect(reader.done).toBe(true);
  return back;
}

interface Laws<Event> {
  readonly aggregate: Aggregate<Event>;
  readonly value: fc.Arbitrary<Event>;
  /** Compares a merge with adding everything to one row. Default: the results are equal. */
  readonly compareMerged?: (merged: unknown, whole: unknown) => void;
  /** Whether the result does not depend on the order in which events with times of their own arrive. */
  readonly anyOrder: boolean;
}

/** Declares the tests of the laws. */
export function keepsTheLaws<Event>({ aggregate, value, compareMerged, anyOrder }: Laws<Event>): void {
  const events = fc
    .array(fc.tuple(value, fc.integer({ min: -50, max: 50 })), { maxLength: 60 })
    .map((pairs) => pairs.map(([value, timeMs]) => ({ value, timeMs })));
  const result = (row: Row) => {
    try {
      return aggregate.result(row, AT);
    } catch (error) {
      return String(error);
    }
  };

  test("two rows merged are one row that everything was added to", () => {
    const compare = compareMerged ?? ((a: unknown, b: unknown) => expect(a).toEqual(b));
    fc.assert(
      fc.property(events, events, (left, right) => {
        const one = merged(aggregate, addAll(aggregate, left), addAll(aggregate, right));
        compare(result(one), result(addAll(aggregate, [...left, ...right])));
      }),
    );
  });

  test("an empty row merged either way changes nothing", () => {
    fc.assert(
      fc.property(events, (all) => {
        const whole = result(addAll(aggregate, all));
        expect(result(merged(aggregate, addAll(aggregate, all), emptyRow(aggregate)))).toEqual(whole);
        expect(result(merged(aggregate, emptyRow(aggregate), addAll(aggregate, all)))).toEqual(whole);
      }),
    );
  });

  test("a merge leaves the other row as it is, and what is added later goes to one of them only", () => {
    fc.assert(
      fc.property(events, events, events, (left, right, later) => {
        const from = addAll(aggregate, right);
        const before = bytesOf(aggregate, from);
        const into = merged(aggregate, addAll(aggregate, left), from);
        const after = bytesOf(aggregate, into);
        expect(bytesOf(aggregate, from)).toBe(before);
        addAll(aggregate, later, from);
        expect(bytesOf(aggregate, into)).toBe(after);
        const grown = bytesOf(aggregate, from);
        addAll(aggregate, later, into);
        expect(bytesOf(aggregate, from)).toBe(grown);
      }),
    );
  });

  test("a row that was written and read goes on as the original does", () => {
    fc.assert(
      fc.property(events, events, (before, after) => {
        const row = addAll(aggregate, before);
        const back = restored(aggregate, row);
        expect(bytesOf(aggregate, back)).toBe(bytesOf(aggregate, row));
        addAll(aggregate, after, row);
        addAll(aggregate, after, back);
        expect(bytesOf(aggregate, back)).toBe(bytesOf(aggregate, row));
        expect(result(back)).toEqual(result(row));
      }),
    );
  });

  test("a copy of an empty row shares nothing with it", () => {
    fc.assert(
      fc.property(events, (all) => {
        const empty = emptyRow(aggregate);
        const before = bytesOf(aggregate, empty);
        addAll(aggregate, all, empty.slice());
        expect(bytesOf(aggregate, empty)).toBe(before);
      }),
    );
  });

  if (!anyOrder) return;
  test("the order of arrival does not matter", () => {
    const shuffled = fc
      .uniqueArray(fc.tuple(value, fc.integer({ min: -500, max: 500 })), {
        maxLength: 60,
        selector: ([, timeMs]) => timeMs,
      })
      .map((pairs) => pairs.map(([value, timeMs]) => ({ value, timeMs })))
      .chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })));
    fc.assert(
      fc.property(shuffled, ([all, other]) => {
        expect(result(addAll(aggregate, other))).toEqual(result(addAll(aggregate, all)));
      }),
    );
  });
}
