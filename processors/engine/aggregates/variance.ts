/**
 * Variance and standard deviation, in three numbers: how many, their mean, and the sum of squared distances from
 * it. One value at a time by B. P. Welford ("Note on a Method for Calculating Corrected Sums of Squares and
 * Products", Technometrics 4, 1962), two sets by T. F. Chan, G. H. Golub and R. J. LeVeque ("Updating Formulae and
 * a Pairwise Algorithm for Computing Sample Variances", 1979). Stable: unlike the sum of squares minus the square
 * of the sum, they lose no digits where the values are far from zero and close together.
 */
import type { Aggregate, Row } from "./aggregate.ts";
import { numberSlots, refuseNumber, requireFinite } from "./numbers.ts";

type Selector<Event> = (event: Event) => number;

export interface VarianceOptions {
  /**
   * Whether the events are all there is (SQL's VAR_POP: divided by n), or a sample of it (VAR_SAMP: by n - 1).
   * Default false: a sample, as VARIANCE in SQL, Flink and Druid.
   */
  readonly population?: boolean;
}

/**
 * The variance, in the square of the values' unit. Null where it is not defined: a sample of one value.
 * @throws NoResultError from its result: FLOAT64_OVERFLOW
 */
export function variance<Event>(
  select: Selector<Event>,
  { population = false }: VarianceOptions = {},
): Aggregate<Event, number | null, number> {
  return moments(select, (row, at) => varianceOf(row, at, population));
}

/** The standard deviation, in the values' unit: the square root of {@link variance}, with the same options. */
export function stddev<Event>(
  select: Selector<Event>,
  { population = false }: VarianceOptions = {},
): Aggregate<Event, number | null, number> {
  return moments(select, (row, at) => {
    const squared = varianceOf(row, at, population);
    return squared === null ? null : Math.sqrt(squared);
  });
}

/** All of them keep the same, so one may be changed into another without losing state. */
function moments<Event>(
  select: Selector<Event>,
  result: (row: Row, at: number) => number | null,
): Aggregate<Event, number | null, number> {
  return {
    ...numberSlots(3),
    kind: "variance",
    select,
    refuse: refuseNumber,
    create: (row, at) => {
      row[at] = 0;
      row[at + 1] = 0;
      row[at + 2] = 0;
    },
    add: (row, at, value) => {
      const numbers = row as number[];
      const n = numbers[at]! + 1;
      const distance = value - numbers[at + 1]!;
      const mean = numbers[at + 1]! + distance / n;
      numbers[at] = n;
      numbers[at + 1] = mean;
      numbers[at + 2]! += distance * (value - mean);
    },
    merge: mergeMoments,
    result,
  };
}

function mergeMoments(into: Row, from: Row, at: number): void {
  const [n1, mean1, squares1] = into.slice(at, at + 3) as [number, number, number];
  const [n2, mean2, squares2] = from.slice(at, at + 3) as [number, number, number];
  if (n2 === 0) return;
  const n = n1 + n2;
  const distance = mean2 - mean1;
  into[at] = n;
  into[at + 1] = mean1 + distance * (n2 / n);
  into[at + 2] = squares1 + squares2 + distance * (n1 * (n2 / n)) * distance;
}

function varianceOf(row: Row, at: number, population: boolean): number | null {
  const n = row[at] as number;
  const divisor = population ? n : n - 1;
  return divisor < 1 ? null : requireFinite("variance", (row[at + 2] as number) / divisor);
}
