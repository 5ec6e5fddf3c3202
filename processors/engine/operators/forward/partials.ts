/** Aggregating in parts at work. */
import { maxForwardedBytes } from "../../../../contracts/limits.ts";
import type { Row } from "../../aggregates/aggregate.ts";
import { lastWindowStart } from "../../windows/window.ts";
import { COUNTED, type OperatorContext } from "../operator.ts";
import { StagingOperator } from "../windows/staging-operator.ts";
import { encodePartial } from "./partial.ts";
import type { PartialsDefinition } from "./partials-definition.ts";
import type { PartialsState } from "./partials-state.ts";

export class Partials extends StagingOperator {
  readonly #definition: PartialsDefinition;
  readonly #state: PartialsState;
  readonly #context: OperatorContext;
  readonly dueMs = Number.POSITIVE_INFINITY;

  constructor(definition: PartialsDefinition, state: PartialsState, context: OperatorContext) {
    super(definition.rows);
    this.#definition = definition;
    this.#state = state;
    this.#context = context;
  }

  needsRow(): boolean {
    return false;
  }

  fire(): number {
    return 0;
  }

  /** Rows go first: what the watermark tells must be behind everything that it covers. */
  progressed(watermarkMs: number, idle: boolean, arrivalMs: number | null): void {
    const { progress, rows } = this.#state;
    if (!progress.isDue(watermarkMs, idle, arrivalMs, rows.size > 0)) return;
    for (const [startMs, part] of rows) {
      for (const [key, row] of part) this.#forward(startMs, key, row);
    }
    rows.clear();
    progress.told(watermarkMs, idle, arrivalMs);
    const { outbox, partition, partitions } = this.#context;
    const { topic, partitions: own } = this.#definition.stage;
    outbox.announce(topic, own ?? partitions, { task: partition, tasks: partitions, watermarkMs, idle });
  }

  /** Late by this task's watermark for all of its windows: what comes later than that would be late downstream. */
  protected place(index: number, watermarkMs: number): number {
    const { window, allowedLatenessMs, parts, rows } = this.#definition;
    const { keys, values, timesMs } = this.staged;
    const timeMs = timesMs[index]!;
    const lateByMs = watermarkMs - (lastWindowStart(window, timeMs) + window.sizeMs + allowedLatenessMs);
    if (lateByMs >= 0) return lateByMs;
    const row = this.#state.at(lastWindowStart(parts, timeMs), keys[index]!);
    rows.add(row, values, this.staged.at(index), timeMs);
    return COUNTED;
  }

  protected rehearse(index: number): void {
    const startMs = lastWindowStart(this.#definition.parts, this.staged.timesMs[index]!);
    this.staged.rehearse(index, [this.#state.rows.get(startMs)?.get(this.staged.keys[index]!)]);
  }

  #forward(startMs: number, key: string, row: Row): void {
    const { outbox, keys } = this.#context;
    const { stage, rows, series, parts } = this.#definition;
    const value = encodePartial(rows, { key, startMs, row });
    if (value.length <= maxForwardedBytes) {
      outbox.forward(stage.topic, keys.of(key).bytes, value);
      return;
    }
    // A record that Kafka refuses would stop the partition.
    const window = { start: startMs, end: startMs + parts.sizeMs };
    const detail = `the row to forward is ${value.length} bytes; the limit is ${maxForwardedBytes}`;
    outbox.deadPane(series, { key, window, state: rows.encode(row) }, detail);
  }
}
