/**
 * The stages of a pipeline, with Kafka as lists in memory: tasks take turns, are cut and die as a seeded generator says,
 * and what a cut wrote is there for the stage behind it. One run of many is possible; each is the same for its seed.
 */
import { partitionOf } from "../../../../contracts/partitioning.ts";
import type { OutputRecord } from "../../../../processors/engine/log/port.ts";
import { type PipelineDefinition, stagesOf } from "../../../../processors/engine/pipeline/definition.ts";
import { decodeSnapshot } from "../../../../processors/engine/state/snapshot.ts";
import { emptyState } from "../../../../processors/engine/state/task-state.ts";
import type { Cut } from "../../../../processors/engine/task/cut.ts";
import { Task } from "../../../../processors/engine/task/task.ts";
import { batchOf, type TestRecord } from "../../../support/records.ts";
import { randomFrom } from "../simulation/world.ts";

const utf8 = new TextEncoder();
const text = (bytes: Uint8Array | null): string | null => bytes && new TextDecoder().decode(bytes);

export type Produced = Omit<TestRecord, "offset">;

export interface ChainOptions {
  readonly seed: number;
  /** How likely a task dies at its turn. @default 0 */
  readonly crashes?: number;
  /** Of topics that no stage writes. */
  readonly partitions: number;
}

interface StageTask {
  readonly definition: PipelineDefinition;
  readonly partition: number;
  readonly partitions: number;
  task: Task;
  /** The last base, the deltas since, and the number of the last checkpoint. */
  saved: { readonly base: Uint8Array; readonly deltas: readonly Uint8Array[]; readonly number: number };
}

export class Chain {
  readonly #options: ChainOptions;
  readonly #random: () => number;
  readonly #topics = new Map<string, TestRecord[][]>();
  readonly tasks: StageTask[] = [];
  /** Everything that the tasks committed, in its order. */
  readonly outputs: OutputRecord[] = [];

  constructor(definition: PipelineDefinition, options: ChainOptions) {
    this.#options = options;
    this.#random = randomFrom(options.seed);
    for (const stage of stagesOf(definition)) this.#addStage(stage);
  }

  /** A source's record; where it has a key, that says in which partition. */
  produce(topic: string, record: Produced, partition?: number): void {
    const log = this.#log(topic, partition ?? this.#partitionOf(topic, record));
    log.push({ ...record, offset: log.length });
  }

  /** A watermark record to every partition of a topic: closes what ends before. */
  flush(topic: string, watermarkMs: number): void {
    for (const log of this.#topics.get(topic)!) {
      const headers = { "spillway-watermark-ms": String(watermarkMs) };
      log.push({ offset: log.length, key: null, value: null, headers });
    }
  }

  /** Runs until everything that was produced is through every stage. */
  run(): void {
    let idle = 0;
    while (idle < 3) {
      for (let turn = 0; turn < this.tasks.length * 8; turn++) this.#turn(this.#pick(this.tasks));
      idle = this.#settle() ? 0 : idle + 1;
    }
  }

  /** Every task applies all there is and is cut, until nobody writes any more; nobody dies. */
  settle(): void {
    while (this.#settle());
  }

  /** The tasks of a stage, by partition. */
  stage(name: string): readonly StageTask[] {
    return this.tasks.filter(({ definition }) => definition.name === name);
  }

  tick(stage: string, partition: number, nowMs: number): void {
    const { task } = this.stage(stage)[partition]!;
    task.tick(0, nowMs);
    fireAll(task);
  }

  #settle(): boolean {
    let progress = false;
    for (const entry of this.tasks) {
      const before = [...entry.task.offsets];
      for (const input of before.keys()) this.#apply(entry, input, Number.POSITIVE_INFINITY);
      if (entry.task.offsets.some((offset, input) => offset !== before[input])) progress = true;
      if (this.#cut(entry) > 0) progress = true;
    }
    return progress;
  }

  #turn(entry: StageTask): void {
    const input = Math.floor(this.#random() * entry.definition.inputs.length);
    if (this.#random() < (this.#options.crashes ?? 0)) this.#crash(entry);
    else if (this.#random() < 0.2) this.#cut(entry);
    else this.#apply(entry, input, 1 + Math.floor(this.#random() * 20));
  }

  #apply({ definition, partition, task }: StageTask, input: number, count: number): void {
    fireAll(task);
    const { topic } = definition.inputs[input]!;
    const from = task.offsets[input]!;
    const records = this.#log(topic, partition).slice(from, from + count);
    const batch = batchOf({ topic, partition }, records);
    for (let next = 0; next < batch.count; fireAll(task)) next = task.apply(batch, next, 7);
  }

  #cut(entry: StageTask): number {
    const { base, deltas } = entry.saved;
    const cut: Cut = entry.task.cut(deltas.length < 3 ? "delta" : "base");
    const { number, snapshot, outputs } = cut;
    entry.saved =
      cut.kind === "base"
        ? { base: snapshot, deltas: [], number }
        : { base, deltas: [...deltas, snapshot], number };
    for (const output of outputs) this.#commit(output);
    return outputs.length;
  }

  #commit(output: OutputRecord): void {
    this.outputs.push(output);
    const logs = this.#topics.get(output.topic);
    if (logs === undefined) return;
    const log = logs[output.partition ?? partitionOf(output.key!, logs.length)]!;
    const { value, headers } = output;
    log.push({ offset: log.length, key: text(output.key), value, headers, arrivalMs: this.outputs.length });
  }

  #crash(entry: StageTask): void {
    const { base, deltas, number } = entry.saved;
    entry.task = open(entry, decodeSnapshot(entry.definition, base, deltas), number + 1);
  }

  #addStage(definition: PipelineDefinition): void {
    const [count] = definition.inputs.map(({ topic }) => this.#ensure(topic, this.#options.partitions));
    const partitions = count!;
    for (let partition = 0; partition < partitions; partition++) {
      const place = { definition, partition, partitions };
      const state = emptyState(
        definition,
        definition.inputs.map(() => 0),
      );
      const base = open(place, state, 0).cut().snapshot;
      const task = open(place, decodeSnapshot(definition, base), 1);
      this.tasks.push({ ...place, task, saved: { base, deltas: [], number: 0 } });
    }
    const { forwards } = definition;
    if (forwards !== null) this.#ensure(forwards.topic, forwards.partitions ?? partitions);
  }

  #ensure(topic: string, partitions: number): number {
    const logs = this.#topics.get(topic) ?? Array.from({ length: partitions }, () => []);
    this.#topics.set(topic, logs);
    return logs.length;
  }

  #log(topic: string, partition: number): TestRecord[] {
    return this.#topics.get(topic)![partition]!;
  }

  #partitionOf(topic: string, { key }: Produced): number {
    const { length } = this.#topics.get(topic)!;
    return key == null ? Math.floor(this.#random() * length) : partitionOf(utf8.encode(key), length);
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.#random() * choices.length)]!;
  }
}

type Place = Pick<StageTask, "definition" | "partition" | "partitions">;

const open = (
  { definition, partition, partitions }: Place,
  state: ConstructorParameters<typeof Task>[0]["state"],
  nextCheckpoint: number,
): Task => new Task({ definition, partition, partitions, generation: 1, nextCheckpoint, state });

function fireAll(task: Task): void {
  while (task.firing) task.fire(3);
}

/** The value of the last emission of each key and window: `key start` to the value as JSON text. */
export function lastResults(outputs: readonly OutputRecord[], topic: string): Map<string, string> {
  const last = new Map<string, string>();
  for (const output of outputs) {
    if (output.topic !== topic) continue;
    const { key, window, value } = JSON.parse(text(output.value)!) as {
      key: string;
      window: { start: number };
      value: unknown;
    };
    last.set(`${key} ${window.start}`, JSON.stringify(value));
  }
  return new Map([...last].sort(([a], [b]) => (a < b ? -1 : 1)));
}
