/**
 * The numeric aggregates: count, sum, mean, min and max. Their state is 1 to 3 float64s; every value must be a
 * finite number. As in SQL, mean, min and max of nothing are null, and a sum of nothing is 0.
 */
import type { Aggregate, Row } from "./aggregate.ts";
import { addCompensated, mergeCompensated } from "./compensated-sum.ts";
import { NoResultError } from "./errors.ts";
import { numberSlots, refuseNumber, requireFinite } from "./numbers.ts";

type Selector<Event> = (event: Event) => number;

/** How many events; with a predicate, how many of them it holds for. Exact. */
export function count<Event>(where?: (event: Event) => boolean): Aggregate<Event, number, number> {
  return {
    ...numberSlots(1),
    kind: "count",
    select: where === undefined ? () => 1 : (event) => (where(event) ? 1 : 0),
    refuse: () => undefined,
    create: (row, at) => {
      row[at] = 0;
    },
    add: addToSlot,
    merge: (into, from, at) => addToSlot(into, at, from[at] as number),
    result: (row, at) => row[at] as number,
  };
}

function addToSlot(row: Row, at: number, value: number): void {
  row[at] = (row[at] as number) + value;
}

/** What was added so far, as bits of the sum's third slot. */
const FRACTIONS = 1;
const UNSAFE_INTEGERS = 2;

/**
 * The sum of numbers. Compensated, so that the result does not depend on how large the sum has grown.
 *
 * Whole numbers are summed exactly or not at all: where only whole numbers were added, and one of them or their
 * sum is beyond 2^53 - 1, the result is an error, since a number holds not every integer there. `sumBigInt` does.
 * Once a number with a fraction was added the sum is a float64 like any other.
 * @throws NoResultError from its result: UNSAFE_INTEGER, FLOAT64_OVERFLOW
 */
export function sum<Event>(select: Selector<Event>): Aggregate<Event, number, number> {
  return {
    ...numberSlots(3),
    kind: "sum",
    select,
    refuse: refuseNumber,
    create: createZeros,
    add: addToSum,
    merge: mergeSums,
    result: sumOf,
  };
}

function createZeros(row: Row, at: number): void {
  row[at] = 0;
  row[at + 1] = 0;
  row[at + 2] = 0;
}

function addToSum(row: Row, at: number, value: number): void {
  const numbers = row as number[];
  addCompensated(numbers, at, value);
  if (!Number.isInteger(value)) numbers[at + 2]! |= FRACTIONS;
  else if (!Number.isSafeInteger(value) || isInexact(numbers, at)) numbers[at + 2]! |= UNSAFE_INTEGERS;
}

/** Whole numbers are summed exactly as long as what rounding took from them is itself a safe integer. */
function isInexact(row: readonly number[], at: number): boolean {
  return Math.abs(row[at + 1]!) > Number.MAX_SAFE_INTEGER;
}

function mergeSums(into: Row, from: Row, at: number): void {
  const numbers = into as number[];
  mergeCompensated(numbers, from as number[], at);
  numbers[at + 2]! |= from[at + 2] as number;
  if (isInexact(numbers, at)) numbers[at + 2]! |= UNSAFE_INTEGERS;
}

function sumOf(row: Row, at: number): number {
  const [high, low, flags] = row.slice(at, at + 3) as [number, number, number];
  const total = requireFinite("sum", high + low);
  if (flags & FRACTIONS) return total;
  if (flags === 0 && Number.isSafeInteger(total)) return total;
  throw new NoResultError(
    "UNSAFE_INTEGER",
    "whole numbers were summed beyond 2^53 - 1, where a number holds not every integer; " +
      "use sumBigInt, which is exact at any size",
  );
}

/**
 * The arithmetic mean: a compensated sum over a count, so that integers average as in SQL.
 * @throws NoResultError from its result: FLOAT64_OVERFLOW where the sum of the values overflows
 */
export function mean<Event>(select: Selector<Event>): Aggregate<Event, number | null, number> {
  return {
    ...numberSlots(3),
    kind: "mean",
    select,
    refuse: refuseNumber,
    create: createZeros,
    add: (row, at, value) => {
      addCompensated(row as number[], at, value);
      addToSlot(row, at + 2, 1);
    },
    merge: (into, from, at) => {
      mergeCompensated(into as number[], from as number[], at);
      addToSlot(into, at + 2, from[at + 2] as number);
    },
    result: (row, at) => {
      const [high, low, events] = row.slice(at, at + 3) as [number, number, number];
      return events === 0 ? null : requireFinite("sum of the mean", high + low) / events;
    },
  };
}

/** The smallest value. Exact. */
export function min<Event>(select: Selector<Event>): Aggregate<Event, number | null, number> {
  return extreme("min", select, Number.POSITIVE_INFINITY, (value, kept) => value < kept);
}

/** The largest value. Exact. */
export function max<Event>(select: Selector<Event>): Aggregate<Event, number | null, number> {
  return extreme("max", select, Number.NEGATIVE_INFINITY, (value, kept) => value > kept);
}

function extreme<Event>(
  kind: string,
  select: Selector<Event>,
  empty: number,
  beats: (value: number, kept: number) => boolean,
): Aggregate<Event, number | null, number> {
  const add = (row: Row, at: number, value: number) => {
    if (beats(value, row[at] as number)) row[at] = value;
  };
  return {
    ...numberSlots(1),
    kind,
    select,
    refuse: refuseNumber,
    create: (row, at) => {
      row[at] = empty;
    },
    add,
    merge: (into, from, at) => add(into, at, from[at] as number),
    result: (row, at) => (row[at] === empty ? null : (row[at] as number)),
  };
}
