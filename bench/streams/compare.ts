/** Holds the results of an engine against what they have to be. */
import type { Results, Totals } from "./reference.ts";

const SHOWN = 5;

export interface Difference {
  /** Rows that are missing, wrong, or none of the expected. */
  readonly count: number;
  /** The first of them, in words. */
  readonly examples: readonly string[];
}

/** Window by window; none of them where they are equal. */
export function differenceOf(expected: Results, actual: Results): Difference {
  const examples: string[] = [];
  let count = 0;
  const tell = (sentence: string): void => {
    count += 1;
    if (examples.length < SHOWN) examples.push(sentence);
  };
  for (const [row, totals] of expected) {
    const found = actual.get(row);
    if (found === undefined) tell(`${row}: missing, expected ${textOf(totals)}`);
    else if (!areEqual(totals, found)) tell(`${row}: ${textOf(found)}, expected ${textOf(totals)}`);
  }
  for (const [row, totals] of actual) {
    if (!expected.has(row)) tell(`${row}: ${textOf(totals)}, where nothing was expected`);
  }
  return { count, examples };
}

export const areEqual = (a: Totals, b: Totals): boolean =>
  a.count === b.count && a.sum === b.sum && a.max === b.max;

const textOf = ({ count, sum, max }: Totals): string => `count ${count}, sum ${sum}, max ${max}`;
