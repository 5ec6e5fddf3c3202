/** A stage of a pipeline at work: its partitions, and what passes from one stage to the next. */
import { partitionOf } from "../../contracts/partitioning.ts";
import type { PipelineDefinition } from "../../processors/engine/pipeline/definition.ts";
import { expectedKey, partitionOfRecord } from "../../processors/engine/testing/routing.ts";
import { partitionOfOutput, type Stage } from "../../processors/engine/testing/stages.ts";
import type { Answers } from "./answers.ts";
import { Partition, type PlacedOutput } from "./partition.ts";
import type { Schedule } from "./schedule.ts";

export class StageRun {
  readonly definition: PipelineDefinition;
  readonly partitions: readonly Partition[];

  readonly #answers: Answers;

  constructor({ definition, partitions }: Stage, schedule: Schedule, answers: Answers) {
    this.definition = definition;
    this.#answers = answers;
    this.partitions = Array.from(
      { length: partitions },
      (_, partition) => new Partition({ definition, partition, partitions, schedule, answers }),
    );
  }

  /** Adds an event's line to the partition that its key hashes to. */
  addLine(topic: string, line: number, bytes: Buffer, start: number, end: number): void {
    this.#partitionOf(topic, bytes, start, end).linesOf(topic, bytes).add(line, start, end);
  }

  /** Adds a table's rows to the partitions that their keys hash to. */
  addRows(topic: string, rows: readonly PlacedOutput[]): void {
    const { length } = this.partitions;
    const ofPartitions = Map.groupBy(rows, ({ output: { key, value } }) =>
      partitionOf(key ?? value!, length),
    );
    for (const [partition, own] of ofPartitions) this.partitions[partition]!.add(topic, own);
  }

  addWatermark(topic: string, line: number, bytes: Buffer, watermarkMs: number): void {
    for (const partition of this.partitions) partition.linesOf(topic, bytes).addWatermark(line, watermarkMs);
  }

  /**
   * Applies what was added.
   * @param before the stages whose output this one reads, which have applied everything up to this line
   */
  apply(before: readonly StageRun[], untilLine: number): void {
    for (const stage of before) this.#takeForwarded(stage, untilLine);
    for (const partition of this.partitions) partition.apply();
  }

  #takeForwarded({ definition, partitions }: StageRun, untilLine: number): void {
    const topic = definition.forwards?.topic;
    if (topic === undefined || !this.definition.inputs.some((input) => input.topic === topic)) return;
    const records = inOrder(partitions.map((partition) => partition.passOn(topic, untilLine)));
    const { length } = this.partitions;
    const ofPartitions = Map.groupBy(records, ({ output }) => partitionOfOutput(output, length));
    for (const [partition, own] of ofPartitions) this.partitions[partition]!.add(topic, own);
  }

  #partitionOf(topic: string, bytes: Buffer, start: number, end: number): Partition {
    const { length } = this.partitions;
    // With one partition nothing is to be decided, and the line need not be decoded twice.
    if (length === 1) return this.partitions[0]!;
    const value = bytes.subarray(start, end);
    const input = this.definition.inputs.find((each) => each.topic === topic)!;
    return this.partitions[partitionOfRecord(expectedKey(input, value, this.#answers.to), value, length)]!;
  }
}

/** By the line that they came of; those of one line as the lists are ordered. */
export function inOrder(outputs: readonly (readonly PlacedOutput[])[]): readonly PlacedOutput[] {
  return outputs.length === 1 ? outputs[0]! : outputs.flat().sort((a, b) => a.line - b.line);
}
