/** A task under test, with the records that wait in it for answers. */
import type { PipelineDefinition } from "../pipeline/definition.ts";
import type { Answer } from "../task/enquiry.ts";
import type { Task } from "../task/task.ts";
import type { RecordList } from "./record-list.ts";
import { RecoverableTask, type RecoverableTaskOptions } from "./recoverable-task.ts";
import { TestEnquiries } from "./test-enquiries.ts";

const MAX_STEPS = 1_000;

export class TestTask {
  readonly #definition: PipelineDefinition;
  readonly #recoverable: RecoverableTask;
  #waiting: RecordList[] = [];
  #enquiries = new TestEnquiries();

  constructor(options: RecoverableTaskOptions) {
    this.#definition = options.definition;
    this.#recoverable = new RecoverableTask(options);
  }

  /** As it runs now; another one after {@link crash}. */
  get task(): Task {
    return this.#recoverable.task;
  }

  get enquiries(): Pick<TestEnquiries, "questions" | "answered"> {
    return this.#enquiries;
  }

  /** What was fed and is not applied whole. */
  get waiting(): readonly RecordList[] {
    return this.#waiting;
  }

  /** Applies records, up to the first that waits for an answer. */
  feed(batch: RecordList): void {
    this.#waiting.push(batch);
    this.#enquire(batch);
    this.#apply();
  }

  answer(question: string, answer: Answer): void {
    this.#enquiries.answer(question, answer);
    this.#apply();
  }

  /** As a worker does: not while records of the input wait. */
  tick(input: number, nowMs: number): void {
    const { topic } = this.#definition.inputs[input]!;
    if (this.#waiting.some((batch) => batch.topic === topic)) return;
    this.task.tick(input, nowMs);
    this.#finishFiring();
  }

  checkpoint(): void {
    this.#recoverable.checkpoint();
  }

  crash(): void {
    this.#recoverable.crash();
    this.#waiting = [];
    this.#enquiries = new TestEnquiries();
  }

  #enquire(batch: RecordList): void {
    const input = this.#inputOf(batch);
    if (this.#definition.inputs[input]!.enrich === null) return;
    for (let index = 0; index < batch.count; index++) {
      if (batch.offset(index) < this.task.offsets[input]!) continue;
      const enquiry = this.task.enquire(batch, index, false);
      if (enquiry !== null) this.#enquiries.add({ input, offset: batch.offset(index), enquiry });
    }
  }

  #inputOf({ topic }: RecordList): number {
    return this.#definition.inputs.findIndex((input) => input.topic === topic);
  }

  /** In the order in which they were fed, but for what waits behind a record of its own topic. */
  #apply(): void {
    const left: RecordList[] = [];
    for (const batch of this.#waiting) {
      const isBehind = left.some(({ topic }) => topic === batch.topic);
      if (isBehind || !this.#applyBatch(batch)) left.push(batch);
    }
    this.#waiting = left;
    this.#enquiries.forgetBefore(this.task.offsets);
  }

  /** Whether it was applied whole. */
  #applyBatch(batch: RecordList): boolean {
    for (let next = 0; next < batch.count; this.#finishFiring()) {
      next = this.task.apply(batch, next, MAX_STEPS, this.#enquiries);
      if (this.task.blocked && !this.#asked(batch, next)) return false;
    }
    return true;
  }

  /** Whether the record that the task stopped at has its answers by now; it may not have been asked about. */
  #asked(batch: RecordList, index: number): boolean {
    const input = this.#inputOf(batch);
    const offset = batch.offset(index);
    if (this.#enquiries.of(input, offset) !== undefined) return false;
    const enquiry = this.task.enquire(batch, index, true);
    if (enquiry !== null) this.#enquiries.add({ input, offset, enquiry });
    return enquiry === null || enquiry.complete;
  }

  #finishFiring(): void {
    while (this.task.firing) this.task.fire(MAX_STEPS);
  }
}
