/** One partition of a replay: its task, and which line each of its outputs came of. */
import type { OutputRecord } from "../../processors/engine/log/port.ts";
import type { PipelineDefinition } from "../../processors/engine/pipeline/definition.ts";
import { RecoverableTask } from "../../processors/engine/testing/recoverable-task.ts";
import { LineBatch } from "./line-batch.ts";
import type { Schedule } from "./schedule.ts";

/** An output and its place: whatever the batches and checkpoints were, sorted by line, then partition, it is the same. */
export interface PlacedOutput {
  readonly line: number;
  readonly partition: number;
  readonly output: OutputRecord;
}

export interface PartitionOptions {
  readonly definition: PipelineDefinition;
  readonly partition: number;
  readonly partitions: number;
  readonly schedule: Schedule;
}

export class Partition {
  readonly #options: PartitionOptions;
  readonly #task: RecoverableTask;
  /** The offset that the next line gets, and the one that was next at the last hand-over. */
  #nextOffset = 0;
  #rereadOffset = 0;
  /** The line that the task is at, and for each pending output the line that it came of. */
  #line = 0;
  #pendingLines: number[] = [];
  /** Outputs of the partition's checkpoints that were not taken yet, and the line at which the last one was made. */
  #committed: PlacedOutput[] = [];
  #committedLine = 0;
  #batch: LineBatch | undefined;

  constructor(options: PartitionOptions) {
    this.#options = options;
    this.#task = new RecoverableTask(options);
  }

  get counters() {
    return this.#task.task.counters;
  }

  /** The batch to add lines of this chunk to; {@link apply} takes it. */
  batchOf(bytes: Buffer): LineBatch {
    const { definition, partition } = this.#options;
    const { topic } = definition.inputs[0]!;
    this.#batch ??= new LineBatch({ topic, partition }, this.#nextOffset, bytes, (line) => this.#reach(line));
    return this.#batch;
  }

  /** Applies what was added, and fires whatever that makes due. */
  apply(): void {
    const { schedule } = this.#options;
    const batch = this.#batch;
    this.#batch = undefined;
    const count = batch?.count ?? 0;
    for (let next = 0; next < count || this.#task.task.firing; ) {
      const { task } = this.#task;
      if (task.firing) task.fire(schedule.stepsPerSlice());
      else next = task.apply(batch!, next, schedule.stepsPerSlice());
      if (schedule.checkpointsAlone()) this.#checkpoint();
    }
    this.#nextOffset += count;
  }

  /**
   * Makes a checkpoint and hands over what was written since the last hand-over. After a crash the lines since then
   * are to be added again.
   */
  checkpoint(): readonly PlacedOutput[] {
    this.#checkpoint();
    this.#rereadOffset = this.#nextOffset;
    const outputs = this.#committed;
    this.#committed = [];
    return outputs;
  }

  /** Drops everything in memory, goes on from the last checkpoint, and ends a firing that it fell into. */
  crash(): void {
    this.#task.crash();
    this.#pendingLines = [];
    this.#line = this.#committedLine;
    this.#nextOffset = this.#rereadOffset;
    this.apply();
  }

  #checkpoint(): void {
    this.#reach(this.#line);
    const { partition } = this.#options;
    const lines = this.#pendingLines;
    this.#pendingLines = [];
    for (const [index, output] of this.#task.checkpoint().entries()) {
      this.#committed.push({ line: lines[index]!, partition, output });
    }
    this.#committedLine = this.#line;
  }

  /** The task comes to a line: what it has written until now came of the line before. */
  #reach(line: number): void {
    const written = this.#task.task.pendingOutputs.length;
    while (this.#pendingLines.length < written) this.#pendingLines.push(this.#line);
    this.#line = line;
  }
}
