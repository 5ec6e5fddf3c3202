/**
 * The batches that wait for a task, a queue for each input, each bounded: past the limit the input is paused until half
 * is worked off.
 */
import type { RecordBatch } from "../log/port.ts";

const MAX_QUEUED_BATCHES = 8;

export interface Head {
  readonly batch: RecordBatch;
  /** Index of the next record to apply. */
  next: number;
}

/** What happens to the fetching of an input, by its index. */
export interface Flow {
  pause(input: number): void;
  resume(input: number): void;
}

interface InputQueue {
  readonly waiting: Head[];
  paused: boolean;
  /** How far it was fetched, commit markers included. */
  reached: number;
  /** The partition's end offset, as the last batch told it. */
  highWatermark: number;
}

export class Intake {
  readonly #topics: readonly string[];
  readonly #queues: readonly InputQueue[];
  readonly #flow: Flow;

  constructor(topics: readonly string[], flow: Flow) {
    this.#topics = topics;
    this.#queues = topics.map(() => ({ waiting: [], paused: false, reached: 0, highWatermark: 0 }));
    this.#flow = flow;
  }

  /** Whether an input's queue is full; it resumes by itself. */
  isPaused(topic: string): boolean {
    return this.#queues[this.#topics.indexOf(topic)]!.paused;
  }

  head(input: number): Head | undefined {
    return this.#queues[input]!.waiting[0];
  }

  /** What waits of an input, in order. */
  waiting(input: number): readonly Head[] {
    return this.#queues[input]!.waiting;
  }

  /**
   * Where reading an input goes on, once all that was fetched of it is applied; undefined while some of it waits.
   * @param applied one past the last record that was applied: commit markers may lie behind it
   */
  position(input: number, applied: number): number | undefined {
    const { waiting, reached } = this.#queues[input]!;
    return waiting.length > 0 ? undefined : Math.max(applied, reached);
  }

  /**
   * Records fetched or to be fetched beyond these offsets.
   * @param offsets the next offset of each input
   */
  backlog(offsets: readonly number[]): number {
    return offsets.reduce((sum, offset, input) => sum + this.backlogOf(input, offset), 0);
  }

  /** The same of one input. */
  backlogOf(input: number, offset: number): number {
    return Math.max(0, this.#queues[input]!.highWatermark - offset);
  }

  add(batch: RecordBatch): void {
    const input = this.#topics.indexOf(batch.topic);
    const queue = this.#queues[input]!;
    queue.reached = batch.nextOffset;
    if (batch.count === 0) return;
    queue.waiting.push({ batch, next: 0 });
    queue.highWatermark = batch.highWatermark;
    if (!queue.paused && queue.waiting.length >= MAX_QUEUED_BATCHES) {
      queue.paused = true;
      this.#flow.pause(input);
    }
  }

  /**
   * Forgets everything that waits: it was read beyond a checkpoint that is about to be loaded, and a task would
   * take it for a jump forward and lose what lies between.
   */
  clear(): void {
    for (const queue of this.#queues) {
      queue.waiting.length = 0;
      queue.reached = 0;
      queue.paused = false;
    }
  }

  /** The input's head is applied whole. */
  drop(input: number): void {
    const queue = this.#queues[input]!;
    queue.waiting.shift();
    if (queue.paused && queue.waiting.length <= MAX_QUEUED_BATCHES / 2) {
      queue.paused = false;
      this.#flow.resume(input);
    }
  }
}
