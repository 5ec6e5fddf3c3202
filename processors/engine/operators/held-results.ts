/** Emits what a correlation or a join yields: rows of their own, whose values user code may make. */
import { toRejection } from "../task/rejection.ts";
import type { HeldEvent } from "./held-events.ts";
import type { OperatorContext } from "./operator.ts";
import type { ResultWindow } from "./process/process-functions.ts";
import { requireResult } from "./result-value.ts";

export class HeldResults {
  readonly #series: string;
  readonly #context: OperatorContext;

  constructor(series: string, context: OperatorContext) {
    this.#series = series;
    this.#context = context;
  }

  /**
   * Emits what `make` returns. If that throws, or returns what is no result, the events go to the dead letters.
   * @param number the how-manieth row it is of its key and window, from 1
   */
  emit(window: ResultWindow, number: number, events: readonly HeldEvent[], make: () => unknown): void {
    const { outbox, keys } = this.#context;
    const { key } = events[0]!;
    try {
      const value = make();
      requireResult(value);
      const record = { key, window, value, revision: number, pane: number };
      outbox.result(this.#series, record, keys.of(key).bytes);
    } catch (cause) {
      this.dead(window, events, cause, "combine threw");
    }
  }

  /** What user code made of these events came to nothing. */
  dead(window: ResultWindow, events: readonly HeldEvent[], cause: unknown, context: string): void {
    const state = Buffer.from(`[${events.map(({ json }) => json.text).join()}]`).toString("base64");
    const { message } = toRejection("user-code-failed", cause, context);
    this.#context.outbox.deadPane(this.#series, { key: events[0]!.key, window, state }, message);
  }
}
