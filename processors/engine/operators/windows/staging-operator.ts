/** An operator that stages what each element contributes, and finds the element's windows when it commits. */

import type { RowLayout } from "../../aggregates/row-layout.ts";
import { COUNTED, type Operator } from "../operator.ts";
import { StagedValues } from "./staged-values.ts";

export abstract class StagingOperator implements Operator {
  protected readonly staged: StagedValues;
  readonly #hasUserCode: boolean;

  constructor(rows: RowLayout) {
    this.staged = new StagedValues(rows);
    this.#hasUserCode = rows.hasUserCode;
  }

  abstract get dueMs(): number;
  abstract needsRow(key: string, timeMs: number): boolean;
  abstract fire(watermarkMs: number, maxSteps: number): number;

  /**
   * Adds a staged element to the windows that still take it.
   * @returns {@link COUNTED}, or by how many milliseconds it is too late for all of them
   */
  protected abstract place(index: number, watermarkMs: number): number;

  /** Runs the user code that {@link place} will run, and keeps nothing of it. */
  protected abstract rehearse(index: number, watermarkMs: number): void;

  stage(element: unknown, key: string, timeMs: number, watermarkMs: number): void {
    this.staged.add(element, key, timeMs);
    if (this.#hasUserCode) this.rehearse(this.staged.count - 1, watermarkMs);
  }

  discard(): void {
    this.staged.clear();
  }

  /** A record of which one element counts has counted. */
  commit(watermarkMs: number): number {
    let lateByMs = Number.POSITIVE_INFINITY;
    for (let index = 0; index < this.staged.count; index++) {
      lateByMs = Math.min(lateByMs, this.place(index, watermarkMs));
    }
    this.staged.clear();
    return lateByMs;
  }
}
