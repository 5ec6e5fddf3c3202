/** How a task's watermark moves (design, section 4, rules 1 to 3): by records, watermark records, stages upstream, and ticks. */
import { WATERMARK_HEADER } from "../../../contracts/dead-letter.ts";
import type { RecordBatch } from "../log/port.ts";
import type { InputState } from "../state/input-state.ts";
import type { TaskState } from "../state/task-state.ts";
import type { UpstreamWatermarks } from "../state/upstream-watermarks.ts";
import { type Announcement, announcementIn } from "./announcement.ts";
import { Rejection } from "./rejection.ts";
import { combinedWatermark } from "./watermarks.ts";

export class EventClock {
  readonly #state: TaskState;
  /** The inputs that have a time: all but tables. */
  readonly #streams: readonly InputState[];

  constructor(state: TaskState) {
    this.#state = state;
    this.#streams = state.inputs.filter(({ table }) => table === null);
  }

  /** Whether another input's silence matters. */
  get hasOneStream(): boolean {
    return this.#streams.length === 1;
  }

  /** Whether every input is silent. */
  get idle(): boolean {
    return this.#streams.every((input) => input.idle);
  }

  /** A record says how far event time has come, and that its input is not idle. */
  sawRecord(input: number, watermarkMs: number, arrivalMs: number): void {
    const state = this.#state.inputs[input]!;
    // What was forwarded says nothing of how far the others upstream have come.
    if (state.upstream !== null) return;
    state.lastArrivalMs = arrivalMs;
    const wasIdle = state.idle;
    state.idle = false;
    if (watermarkMs > state.recordWatermarkMs) state.recordWatermarkMs = watermarkMs;
    if (watermarkMs > state.watermarkMs) state.watermarkMs = watermarkMs;
    else if (!wasIdle) return;
    this.#advance();
  }

  /** @throws Rejection where a record without a value is no watermark record */
  readWatermark(batch: RecordBatch, index: number, input: number): void {
    const header = batch.header(index, WATERMARK_HEADER);
    if (header === undefined || batch.key(index) !== null) {
      throw new Rejection("undecodable", "the record has no value");
    }
    const { upstream } = this.#state.inputs[input]!;
    if (upstream !== null) {
      this.#hear(input, upstream, announcementIn(batch, index));
      return;
    }
    const watermarkMs = Number(header);
    if (!Number.isSafeInteger(watermarkMs)) {
      throw new Rejection("undecodable", `${WATERMARK_HEADER} is not a whole number of milliseconds`);
    }
    this.sawRecord(input, watermarkMs, batch.arrivalMs(index));
  }

  /** The clock moved a silent input's watermark. */
  ticked(input: number, watermarkMs: number): void {
    const state = this.#state.inputs[input]!;
    state.idle = true;
    state.watermarkMs = Math.max(state.watermarkMs, watermarkMs);
    this.#advance();
  }

  /** A task of the stage upstream says how far it has come. */
  #hear(input: number, upstream: UpstreamWatermarks, heard: Announcement): void {
    const state = this.#state.inputs[input]!;
    upstream.report(heard.task, heard.tasks, heard);
    state.idle = upstream.idle;
    state.watermarkMs = upstream.watermarkMs;
    this.#advance();
  }

  /** The task's watermark never goes back, whatever an input does that wakes up. */
  #advance(): void {
    const watermarkMs = combinedWatermark(this.#streams);
    if (watermarkMs <= this.#state.watermarkMs) return;
    this.#state.watermarkMs = watermarkMs;
    for (const { seen } of this.#state.inputs) seen?.expire(watermarkMs);
  }
}
