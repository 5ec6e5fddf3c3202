/** One partition of a stage: its task, and which line each of its outputs came of. */
import type { OutputRecord, RecordBatch } from "../../processors/engine/log/port.ts";
import type { PipelineDefinition } from "../../processors/engine/pipeline/definition.ts";
import type { Enquiries, Enquiry } from "../../processors/engine/task/enquiry.ts";
import { RecoverableTask } from "../../processors/engine/testing/recoverable-task.ts";
import type { Answers } from "./answers.ts";
import { LineBatch } from "./line-batch.ts";
import { PlacedBatch } from "./placed-batch.ts";
import type { Schedule } from "./schedule.ts";

/** A record that was written, and the number of the line that it came of. */
export interface PlacedOutput {
  readonly line: number;
  readonly output: OutputRecord;
}

export interface PartitionOptions {
  readonly definition: PipelineDefinition;
  readonly partition: number;
  readonly partitions: number;
  readonly schedule: Schedule;
  /** What services said about every record that is added. */
  readonly answers: Answers;
}

export class Partition {
  readonly #options: PartitionOptions;
  readonly #task: RecoverableTask;
  /** The next record's offset in each topic, and what it was at the last hand-over. */
  readonly #nextOffsets = new Map<string, number>();
  #handedOffsets = new Map<string, number>();
  /** What waits to be applied; the lines of the batch that is being filled are the last. */
  #batches: RecordBatch[] = [];
  #filling: LineBatch | undefined;
  /** The line that the task is at. */
  #line = 0;
  /** Outputs since the last hand-over; so many of them are in a checkpoint, and so many were passed on already. */
  #outputs: PlacedOutput[] = [];
  #safe = 0;
  #passedOn = 0;
  /** How many of the task's pending outputs are among them, and the line at which the last checkpoint was made. */
  #taken = 0;
  #safeLine = 0;
  /** The batch that is being applied. */
  #applied: RecordBatch | undefined;
  readonly #enquiries: Enquiries = { of: (_, offset) => this.#enquiryAbout(this.#applied!, offset) };

  constructor(options: PartitionOptions) {
    this.#options = options;
    this.#task = new RecoverableTask(options);
  }

  get counters() {
    return this.#task.task.counters;
  }

  /** The batch to add lines of this chunk to, until {@link apply}. */
  linesOf(topic: string, bytes: Buffer): LineBatch {
    const { partition } = this.#options;
    if (this.#filling === undefined) {
      const offset = this.#nextOffsets.get(topic) ?? 0;
      this.#filling = new LineBatch({ topic, partition }, offset, bytes, (line) => this.#reach(line));
      this.#batches.push(this.#filling);
    }
    return this.#filling;
  }

  /** Adds records of this partition: what the stage before this one forwards, or a table's rows. */
  add(topic: string, records: readonly PlacedOutput[]): void {
    const { partition } = this.#options;
    const offset = this.#nextOffsets.get(topic) ?? 0;
    this.#batches.push(new PlacedBatch({ topic, partition }, offset, records, (line) => this.#reach(line)));
  }

  /** Applies what was added, and fires whatever that makes due. */
  apply(): void {
    this.#finishFiring();
    for (const batch of this.#batches) {
      this.#applied = batch;
      for (let next = 0; next < batch.count; this.#finishFiring()) {
        next = this.#task.task.apply(batch, next, this.#options.schedule.stepsPerSlice(), this.#enquiries);
        this.#afterSlice();
      }
      this.#nextOffsets.set(batch.topic, batch.nextOffset);
    }
    this.#batches = [];
    this.#filling = undefined;
  }

  /** The outputs for a topic that came of lines up to this one, and were not passed on yet. */
  passOn(topic: string, untilLine: number): PlacedOutput[] {
    this.#reach(this.#line);
    const outputs: PlacedOutput[] = [];
    for (; this.#passedOn < this.#outputs.length; this.#passedOn++) {
      const placed = this.#outputs[this.#passedOn]!;
      // A task whose checkpoint is ahead of the others' has written what they have not read yet.
      if (placed.line > untilLine) break;
      if (placed.output.topic === topic) outputs.push(placed);
    }
    return outputs;
  }

  /**
   * Makes a checkpoint and hands over what was written since the last hand-over. After a crash the records since then
   * are to be added again.
   */
  checkpoint(): readonly PlacedOutput[] {
    this.#checkpoint();
    const outputs = this.#outputs;
    this.#outputs = [];
    this.#safe = 0;
    this.#passedOn = 0;
    this.#handedOffsets = new Map(this.#nextOffsets);
    return outputs;
  }

  /** Drops everything in memory and goes on from the last checkpoint. */
  crash(): void {
    this.#task.crash();
    this.#outputs.length = this.#safe;
    this.#taken = 0;
    this.#passedOn = 0;
    this.#line = this.#safeLine;
    for (const topic of this.#nextOffsets.keys()) {
      this.#nextOffsets.set(topic, this.#handedOffsets.get(topic) ?? 0);
    }
  }

  #enquiryAbout(batch: RecordBatch, offset: number): Enquiry | undefined {
    // Offsets have no gaps here; and to ask the batch for one would tell that the task has come to it.
    const index = offset - (this.#nextOffsets.get(batch.topic) ?? 0);
    const enquiry = this.#task.task.enquire(batch, index, true) ?? undefined;
    enquiry?.answerFrom(this.#options.answers.to);
    return enquiry;
  }

  #finishFiring(): void {
    while (this.#task.task.firing) {
      this.#task.task.fire(this.#options.schedule.stepsPerSlice());
      this.#afterSlice();
    }
  }

  #afterSlice(): void {
    if (this.#options.schedule.checkpointsAlone()) this.#checkpoint();
  }

  #checkpoint(): void {
    this.#reach(this.#line);
    this.#task.checkpoint();
    this.#taken = 0;
    this.#safe = this.#outputs.length;
    this.#safeLine = this.#line;
  }

  /** The task comes to a line: what it has written until now came of the line before. */
  #reach(line: number): void {
    const { pendingOutputs } = this.#task.task;
    for (; this.#taken < pendingOutputs.length; this.#taken++) {
      this.#outputs.push({ line: this.#line, output: pendingOutputs[this.#taken]! });
    }
    this.#line = line;
  }
}
