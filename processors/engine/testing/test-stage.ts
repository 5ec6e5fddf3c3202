/** A stage of a pipeline under test: its tasks, and what they have written that nobody has looked at. */
import type { OutputRecord } from "../log/port.ts";
import type { PipelineDefinition } from "../pipeline/definition.ts";
import type { Task } from "../task/task.ts";
import { type ListedRecord, RecordList } from "./record-list.ts";
import { RecoverableTask } from "./recoverable-task.ts";
import { partitionOfOutput, type Stage } from "./stages.ts";

const MAX_STEPS = 1_000;

export class TestStage {
  readonly definition: PipelineDefinition;
  readonly #tasks: readonly RecoverableTask[];
  /** The offset that the next record of a topic gets, for each partition; and what it was at the last checkpoint. */
  readonly #nextOffsets = new Map<string, number[]>();
  #committedOffsets = new Map<string, number[]>();
  /** How many of each task's pending outputs were taken. */
  #taken: number[];

  constructor({ definition, partitions }: Stage) {
    this.definition = definition;
    this.#tasks = Array.from(
      { length: partitions },
      (_, partition) => new RecoverableTask({ definition, partition, partitions }),
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
    const { task } = this.#tasks[batch.partition]!;
    for (let next = 0; next < batch.count; this.#finishFiring(task)) {
      next = task.apply(batch, next, MAX_STEPS);
    }
  }

  tick(partition: number, input: number, nowMs: number): void {
    const { task } = this.#tasks[partition]!;
    task.tick(input, nowMs);
    this.#finishFiring(task);
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

  #finishFiring(task: Task): void {
    while (task.firing) task.fire(MAX_STEPS);
  }
}
