/** The batches that wait for a task, bounded: past the limit the partition is paused until half is worked off. */
import type { RecordBatch } from "../log/port.ts";

const MAX_QUEUED_BATCHES = 8;

export interface Head {
  readonly batch: RecordBatch;
  /** Index of the next record to apply. */
  next: number;
}

export class Intake {
  readonly #queue: Head[] = [];
  readonly #pause: () => void;
  readonly #resume: () => void;
  #paused = false;
  #highWatermark = 0;
  /** How far each topic was fetched. */
  readonly #reached = new Map<string, number>();

  constructor(flow: { readonly pause: () => void; readonly resume: () => void }) {
    this.#pause = flow.pause;
    this.#resume = flow.resume;
  }

  /** The partition's end offset, as the last batch told it. */
  get highWatermark(): number {
    return this.#highWatermark;
  }

  /** Whether it is full; it resumes by itself. */
  get paused(): boolean {
    return this.#paused;
  }

  head(): Head | undefined {
    return this.#queue[0];
  }

  /**
   * Where reading a topic goes on, once all that was fetched of it is applied; undefined while some of it waits.
   * @param applied one past the last record that was applied: commit markers may lie behind it
   */
  position(topic: string, applied: number): number | undefined {
    if (this.#queue.some(({ batch }) => batch.topic === topic)) return undefined;
    return Math.max(applied, this.#reached.get(topic) ?? 0);
  }

  add(batch: RecordBatch): void {
    this.#reached.set(batch.topic, batch.nextOffset);
    if (batch.count === 0) return;
    this.#queue.push({ batch, next: 0 });
    this.#highWatermark = batch.highWatermark;
    if (!this.#paused && this.#queue.length >= MAX_QUEUED_BATCHES) {
      this.#paused = true;
      this.#pause();
    }
  }

  /**
   * Forgets everything that waits: it was read beyond a checkpoint that is about to be loaded, and a task would
   * take it for a jump forward and lose what lies between.
   */
  clear(): void {
    this.#queue.length = 0;
    this.#reached.clear();
    this.#paused = false;
  }

  /** The head is applied whole. */
  drop(): void {
    this.#queue.shift();
    if (this.#paused && this.#queue.length <= MAX_QUEUED_BATCHES / 2) {
      this.#paused = false;
      this.#resume();
    }
  }
}
