/** A process step at work. */
import { ByteWriter } from "../../state/bytes.ts";
import { rejectionOf, toRejection } from "../../task/rejection.ts";
import { COUNTED, type Operator, type OperatorContext } from "../operator.ts";
import type { ProcessDefinition } from "./process-definition.ts";
import { ProcessRun } from "./process-run.ts";
import type { ProcessState } from "./process-state.ts";

export class Process implements Operator {
  readonly #definition: ProcessDefinition;
  readonly #state: ProcessState;
  readonly #context: OperatorContext;
  readonly #run: ProcessRun;
  #staged = 0;

  constructor(definition: ProcessDefinition, state: ProcessState, context: OperatorContext) {
    this.#definition = definition;
    this.#state = state;
    this.#context = context;
    this.#run = new ProcessRun(definition, state);
  }

  get dueMs(): number {
    return Math.min(this.#state.timers.dueMs, this.#state.expiryDueMs);
  }

  stage(event: unknown, key: string, timeMs: number, watermarkMs: number): void {
    const moment = { key, timeMs, watermarkMs, nowMs: watermarkMs, timersAfterMs: Number.NEGATIVE_INFINITY };
    rejectionOf("user-code-failed", () => this.#run.onEvent(event, moment), "onEvent threw");
    this.#staged += 1;
  }

  /** No event is late here: what to do with one that comes behind the watermark is for the function to say. */
  commit(): number {
    const counted = this.#staged > 0;
    this.#apply();
    this.#staged = 0;
    return counted ? COUNTED : Number.POSITIVE_INFINITY;
  }

  /** What the function set is known, and nothing else would be kept. */
  needsRow(): boolean {
    return this.#run.grows;
  }

  discard(): void {
    this.#run.discard();
    this.#staged = 0;
  }

  /** Timers and expiries in order of time, so that a timer sees the state as it is at its own time. */
  fire(watermarkMs: number, maxSteps: number): number {
    let steps = 0;
    for (; steps < maxSteps && this.dueMs <= watermarkMs; steps++) {
      if (this.#state.expiryDueMs <= this.#state.timers.dueMs) this.#state.expireNext();
      else this.#fireTimer(watermarkMs);
    }
    return steps;
  }

  #fireTimer(watermarkMs: number): void {
    const { key, dueMs: timeMs } = this.#state.timers.pop();
    try {
      this.#run.onTimer({ key, timeMs, watermarkMs, nowMs: timeMs, timersAfterMs: timeMs });
    } catch (cause) {
      this.#run.discard();
      const { message } = toRejection("user-code-failed", cause, "onTimer threw");
      const pane = { key, window: { start: timeMs, end: timeMs + 1 }, state: this.#encodedState(key) };
      this.#context.outbox.deadPane(this.#definition.series, pane, message);
      return;
    }
    this.#apply();
  }

  #apply(): void {
    const { outbox, keys } = this.#context;
    this.#run.apply(({ key, timeMs, text, window }) => {
      const number = ++this.#state.emitted;
      const startMs = Math.floor(timeMs);
      const place =
        window === null ? { window: { start: startMs, end: startMs + 1 }, pane: number } : { window };
      const result = { key, value: JSON.parse(text), revision: number, ...place };
      outbox.result(this.#definition.series, result, keys.of(key).bytes);
    });
  }

  #encodedState(key: string): string {
    const state = this.#state.get(key);
    if (state === undefined) return "";
    const writer = new ByteWriter();
    this.#definition.state.form.write(writer, state.kept);
    return Buffer.from(writer.finish()).toString("base64");
  }
}
