/** A stage of a pipeline under test: its tasks, and what they have written that nobody has looked at. */
import type { OutputRecord } from "../log/port.ts";
import type { PipelineDefinition } from "../pipeline/definition.ts";
import type { Answer } from "../task/enquiry.ts";
import type { Task } from "../task/task.ts";
import { type ListedRecord, RecordList } from "./record-list.ts";
import { partitionOfOutput, type Stage } from "./stages.ts";
import type { TestEnquiries } from "./test-enquiries.ts";
import { TestTask } from "./test-task.ts";

export class TestStage {
  readonly definition: PipelineDefinition;
  readonly #tasks: readonly TestTask[];
  /** The offset that the next record of a topic gets, for each partition; and what it was at the last checkpoint. */
  readonly #nextOffsets = new Map<string, number[]>();
  #committedOffsets = new Map<string, number[]>();
  /** How many of each task's pending outputs were taken. */
  #taken: number[];

  constructor({ definition, partitions }: Stage) {
    this.definition = definition;
    this.#tasks = Array.from(
      { length: partitions },
      (_, partition) => new TestTask({ definition, partition, partitions }),
    );
    for (const { topic } of definition.inputs)
      this.#nextOffsets.set(
        topic,
        this.#tasks.map(() => 0),
      );
    this.#taken = this.#tasks.map(() => 0);
  }

  get partitions(): number {
    return this.#tasks.length;
  }

  task(partition: number): Task {
    return this.#tasks[partition]!.task;
  }

  /** Appends records to a partition of a topic. */
  append(topic: string, partition: number, records: readonly ListedRecord[]): RecordList {
    const offsets = this.#nextOffsets.get(topic)!;
    const batch = new RecordList({ topic, partition }, offsets[partition]!, records);
    offsets[partition] = batch.nextOffset;
    return batch;
  }

  apply(batch: RecordList): void {
    this.#tasks[batch.partition]!.feed(batch);
  }

  tick(partition: number, input: number, nowMs: number): void {
    this.#tasks[partition]!.tick(input, nowMs);
  }

  /** Questions without an answer. */
  get questions(): readonly string[] {
    return this.#tasks.flatMap(({ enquiries }) => enquiries.questions);
  }

  /** Records that wait for an answer, and what their questions were answered so far. */
  get waiting(): { readonly batches: readonly RecordList[]; readonly answered: TestEnquiries["answered"] } {
    return {
      batches: this.#tasks.flatMap(({ waiting }) => waiting),
      answered: this.#tasks.flatMap(({ enquiries }) => enquiries.answered),
    };
  }

  answer(question: string, answer: Answer): void {
    for (const task of this.#tasks) task.answer(question, answer);
  }

  /** Appends what the stage before this one forwards, and applies it. */
  forward(topic: string, records: readonly OutputRecord[], arrivalMs: number): void {
    const ofPartitions = Map.groupBy(records, (record) => partitionOfOutput(record, this.partitions));
    for (const [partition, own] of ofPartitions) {
      const listed = own.map(({ key, value, headers }) => ({ key, value, headers, arrivalMs }));
      this.apply(this.append(topic, partition, listed));
    }
  }

  /** What the tasks have written since the last look, by partition. */
  take(): OutputRecord[] {
    return this.#tasks.flatMap(({ task }, partition) => {
      const outputs = task.pendingOutputs.slice(this.#taken[partition]);
      this.#taken[partition] = task.pendingOutputs.length;
      return outputs;
    });
  }

  checkpoint(): void {
    for (const task of this.#tasks) task.checkpoint();
    this.#taken = this.#tasks.map(() => 0);
    this.#committedOffsets = new Map([...this.#nextOffsets].map(([topic, offsets]) => [topic, [...offsets]]));
  }

  /** Drops all memory and goes on from the last checkpoint; a topic that a stage writes will be written again. */
  crash(): void {
    for (const task of this.#tasks) task.crash();
    this.#taken = this.#tasks.map(() => 0);
    for (const { topic, role } of this.definition.inputs) {
      const committed = this.#committedOffsets.get(topic) ?? this.#tasks.map(() => 0);
      if (role === "forwarded") this.#nextOffsets.set(topic, [...committed]);
    }
  }
}
