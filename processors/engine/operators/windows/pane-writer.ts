/** Emits rows as results: what every kind of window shares. */
import type { Row } from "../../aggregates/aggregate.ts";
import { CHANGED, REVISION, type RowLayout } from "../../aggregates/row-layout.ts";
import type { KeyCache } from "../../task/key-cache.ts";
import type { Outbox } from "../../task/outbox.ts";
import { Rejection, rejectionOf } from "../../task/rejection.ts";
import type { Panes } from "../../windows/emission.ts";
import type { OperatorContext } from "../operator.ts";

export class PaneWriter {
  readonly #series: string;
  readonly #rows: RowLayout;
  readonly #discarding: boolean;
  readonly #outbox: Outbox;
  readonly #keys: KeyCache;

  constructor(series: string, rows: RowLayout, panes: Panes, { outbox, keys }: OperatorContext) {
    this.#series = series;
    this.#rows = rows;
    this.#discarding = panes === "discarding";
    this.#outbox = outbox;
    this.#keys = keys;
  }

  /** Emits the row's result. A result that cannot be made goes to the dead letters as a pane, and counts as emitted. */
  emit(key: string, startMs: number, endMs: number, row: Row): void {
    const window = { start: startMs, end: endMs };
    const revision = (row[REVISION] as number) + 1;
    row[REVISION] = revision;
    row[CHANGED] = 0;
    try {
      const value = this.#rows.result(row);
      const pane = this.#discarding ? { pane: revision } : {};
      const record = { key, window, value, revision, ...pane };
      rejectionOf("user-code-failed", () =>
        this.#outbox.result(this.#series, record, this.#keys.of(key).bytes),
      );
    } catch (error) {
      if (!(error instanceof Rejection)) throw error;
      this.#outbox.deadPane(this.#series, { key, window, state: this.#rows.encode(row) }, error.message);
    }
    if (this.#discarding) this.#rows.reset(row);
  }

  /**
   * The row goes on as that of another window, because this one is no more. What was emitted of it is taken back;
   * but not discarding panes: each holds elements that no other has, and stays.
   */
  replace(key: string, startMs: number, endMs: number, row: Row): void {
    const revision = row[REVISION] as number;
    if (revision === 0) return;
    row[REVISION] = 0;
    if (this.#discarding) return;
    const window = { start: startMs, end: endMs };
    this.#outbox.retract(this.#series, { key, window, revision }, this.#keys.of(key).bytes);
  }
}
