/**
 * What a runner notes down of its work, a slice at a time: how long it worked, how much it applied and when that had
 * arrived, and since when something waits to be committed. Never a record at a time.
 */
import type { RecordBatch } from "../log/port.ts";
import type { Clock } from "./ports.ts";

/** A slice beyond this is cut in half; heartbeats, every second, wait for its end. */
const MAX_SLICE_MS = 50;

/** Records that were applied one after the other, with the arrival of the first, which waited longest. */
export interface AppliedSlice {
  readonly records: number;
  readonly arrivalMs: number;
}

export class WorkRecord {
  readonly #clock: Pick<Clock, "nowMs">;
  readonly #maxSteps: number;
  #steps: number;
  #busyMs = 0;
  #records = 0;
  #lastArrivalMs: number | null = null;
  #slices: AppliedSlice[] = [];
  /** Null where there is nothing that no cut holds. */
  #uncutSinceMs: number | null = null;
  /** The same of the cut that is being committed. */
  #cutSinceMs: number | null = null;

  constructor(clock: Pick<Clock, "nowMs">, maxSteps: number) {
    this.#clock = clock;
    this.#maxSteps = maxSteps;
    this.#steps = maxSteps;
  }

  /** Time in slices, since the runner began. */
  get busyMs(): number {
    return this.#busyMs;
  }

  /** Records applied since the runner began. */
  get records(): number {
    return this.#records;
  }

  /** When the record arrived that was applied last. */
  get lastArrivalMs(): number | null {
    return this.#lastArrivalMs;
  }

  /** How long the oldest of what is not committed has been waiting for it. */
  get uncommittedMs(): number {
    const sinceMs = this.#cutSinceMs ?? this.#uncutSinceMs;
    return sinceMs === null ? 0 : this.#clock.nowMs() - sinceMs;
  }

  /** Code of the pipeline's may be slow: a slice that took long makes the next one smaller, so heartbeats go on. */
  slice<Result>(work: (maxSteps: number) => Result): Result {
    const startedMs = this.#clock.nowMs();
    const result = work(this.#steps);
    const tookMs = this.#clock.nowMs() - startedMs;
    this.#busyMs += tookMs;
    const next = tookMs > MAX_SLICE_MS ? Math.floor(this.#steps / 2) : this.#steps * 2;
    this.#steps = Math.max(1, Math.min(next, this.#maxSteps));
    return result;
  }

  /** A slice applied the batch's records from index `from` to before `to`, one at least. */
  applied(batch: RecordBatch, from: number, to: number): void {
    this.#uncutSinceMs ??= this.#clock.nowMs();
    this.#records += to - from;
    this.#lastArrivalMs = batch.arrivalMs(to - 1);
    this.#slices.push({ records: to - from, arrivalMs: batch.arrivalMs(from) });
  }

  /** Gives what was applied since the cut before, and begins anew. */
  cut(): readonly AppliedSlice[] {
    const slices = this.#slices;
    this.#slices = [];
    this.#cutSinceMs = this.#uncutSinceMs;
    this.#uncutSinceMs = null;
    return slices;
  }

  /** What the last cut holds is committed. */
  committed(): void {
    this.#cutSinceMs = null;
  }

  /** What was applied and not committed is gone with its task. */
  forget(): void {
    this.#slices = [];
    this.#uncutSinceMs = null;
    this.#cutSinceMs = null;
  }
}
