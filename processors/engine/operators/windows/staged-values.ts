/** The elements of the record that is being applied, and what each contributes; the arrays are used again and again. */
import type { Row } from "../../aggregates/aggregate.ts";
import type { RowLayout } from "../../aggregates/row-layout.ts";

export class StagedValues {
  readonly #rows: RowLayout;
  readonly keys: string[] = [];
  readonly timesMs: number[] = [];
  /** The selected values of all elements, one after the other. */
  readonly values: unknown[] = [];
  count = 0;

  constructor(rows: RowLayout) {
    this.#rows = rows;
  }

  /** @throws Rejection where the element's values cannot be taken */
  add(element: unknown, key: string, timeMs: number): void {
    const index = this.count;
    this.#rows.select(element, this.values, index * this.#rows.count);
    this.keys[index] = key;
    // Windows begin and end at whole milliseconds, and the next moment after one of them is the next millisecond.
    this.timesMs[index] = Math.floor(timeMs);
    this.count = index + 1;
  }

  /** Runs the user code of adding an element to rows, see {@link RowLayout.rehearse}. */
  rehearse(index: number, rows: readonly (Row | undefined)[]): void {
    this.#rows.rehearse(rows, this.values, this.at(index), this.timesMs[index]!);
  }

  /** Index of the element's first value. */
  at(index: number): number {
    return index * this.#rows.count;
  }

  clear(): void {
    this.count = 0;
  }
}
