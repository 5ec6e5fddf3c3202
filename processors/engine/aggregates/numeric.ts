/** The numeric aggregates: count, sum, min, max, mean. */
import type { Aggregate } from "./aggregate.ts";

type Selector<Event> = (event: Event) => number;

/** How many events; with a predicate, how many of them it holds for. */
export function count<Event>(where?: (event: Event) => boolean): Aggregate<Event> {
  return {
    kind: "count",
    slots: 1,
    select: where === undefined ? () => 1 : (event) => (where(event) ? 1 : 0),
    create: (row, at) => {
      row[at] = 0;
    },
    add: (row, at, value) => {
      row[at]! += value;
    },
    result: (row, at) => row[at]!,
  };
}

/**
 * The sum. Compensated (Neumaier 1974): the rounding errors are kept in a second slot, so that the result does
 * not depend on how large the sum has grown.
 */
export function sum<Event>(select: Selector<Event>): Aggregate<Event> {
  return {
    kind: "sum",
    slots: 2,
    select,
    create: (row, at) => {
      row[at] = 0;
      row[at + 1] = 0;
    },
    add: addCompensated,
    result: (row, at) => row[at]! + row[at + 1]!,
  };
}

/** The arithmetic mean: a compensated sum over a count, so that integers average exactly as in SQL. */
export function mean<Event>(select: Selector<Event>): Aggregate<Event> {
  return {
    kind: "mean",
    slots: 3,
    select,
    create: (row, at) => {
      row[at] = 0;
      row[at + 1] = 0;
      row[at + 2] = 0;
    },
    add: (row, at, value) => {
      addCompensated(row, at, value);
      row[at + 2]! += 1;
    },
    result: (row, at) => (row[at]! + row[at + 1]!) / row[at + 2]!,
  };
}

/** The smallest value. */
export function min<Event>(select: Selector<Event>): Aggregate<Event> {
  return extreme("min", select, Number.POSITIVE_INFINITY, (value, kept) => value < kept);
}

/** The largest value. */
export function max<Event>(select: Selector<Event>): Aggregate<Event> {
  return extreme("max", select, Number.NEGATIVE_INFINITY, (value, kept) => value > kept);
}

function extreme<Event>(
  kind: string,
  select: Selector<Event>,
  empty: number,
  beats: (value: number, kept: number) => boolean,
): Aggregate<Event> {
  return {
    kind,
    slots: 1,
    select,
    create: (row, at) => {
      row[at] = empty;
    },
    add: (row, at, value) => {
      if (beats(value, row[at]!)) row[at] = value;
    },
    result: (row, at) => row[at]!,
  };
}

function addCompensated(row: number[], at: number, value: number): void {
  const before = row[at]!;
  const after = before + value;
  const error = Math.abs(before) >= Math.abs(value) ? before - after + value : value - after + before;
  row[at] = after;
  row[at + 1]! += error;
}
