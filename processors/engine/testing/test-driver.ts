/**
 * Drives a pipeline without Kafka: feed it records, ticks and watermarks, crash it, and read what it wrote.
 *
 *     const driver = new TestDriver(airportDelays, { partitions: 4 });
 *     driver.feed({ value: cloudEvent(flightDeparted, { id: "1", timeMs: 0, data: { … } }) });
 *     driver.crash();
 *     driver.flush();
 *     expect(driver.results).toEqual([…]);
 *
 * The tasks, their checkpoints and the snapshot codec are the engine's own. There is no clock: nothing happens unless
 * it is fed.
 */
import type { CloudEvent } from "../../../contracts/cloudevent.ts";
import { SPEC_VERSION } from "../../../contracts/cloudevent.ts";
import { WATERMARK_HEADER } from "../../../contracts/dead-letter.ts";
import type { DataOf, EventDefinition } from "../../../contracts/events/catalogue.ts";
import type { OutputRecord } from "../log/port.ts";
import type { InputDefinition, PipelineDefinition } from "../pipeline/definition.ts";
import { COUNTERS, type Counters } from "../state/task-state.ts";
import type { Task } from "../task/task.ts";
import { type DeadRecord, deadIn, type Emission, emissionsIn, type LateRecord, lateIn } from "./outputs.ts";
import { type ListedRecord, RecordList } from "./record-list.ts";
import { RecoverableTask } from "./recoverable-task.ts";
import { expectedKey, partitionOfRecord } from "./routing.ts";

export type { DeadRecord, Emission, LateRecord } from "./outputs.ts";

export interface TestDriverOptions {
  /** Partitions of every input, and so tasks. Default 1. */
  readonly partitions?: number;
}

export interface TestRecord {
  /** Text and bytes as they are, null as a record without a value, anything else as JSON. */
  readonly value: unknown;
  /** The Kafka key. Default: the key that the pipeline expects of such a value; null where there is none. */
  readonly key?: string | null;
  /** When the record reached Kafka, milliseconds. Default: as soon as its event, and those before it, happened. */
  readonly arrivalMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Which of the pipeline's inputs. Default: the first. */
  readonly topic?: string;
  /** Default: where the key hashes to. */
  readonly partition?: number;
}

/** Something that was fed; what came after the last checkpoint is fed again after a crash. */
type Step =
  | { readonly kind: "records"; readonly batch: RecordList }
  | { readonly kind: "tick"; readonly partition: number; readonly input: number; readonly nowMs: number };

/** Past the end of any window that a date can lie in. */
const END_OF_TIME_MS = Number.MAX_SAFE_INTEGER;
const MAX_STEPS = 1_000;
const utf8 = new TextEncoder();

export class TestDriver {
  readonly #definition: PipelineDefinition;
  readonly #tasks: readonly RecoverableTask[];
  /** For each input, the offset that each partition's next record gets, and when its last one arrived. */
  readonly #nextOffsets: number[][];
  readonly #lastArrivalsMs: number[][];
  #arrivalMs = Number.NEGATIVE_INFINITY;
  #steps: Step[] = [];
  readonly #committed: OutputRecord[] = [];
  #pending: OutputRecord[] = [];
  /** How many of each task's pending outputs are in the list. */
  #taken: number[];

  constructor(definition: PipelineDefinition, { partitions = 1 }: TestDriverOptions = {}) {
    this.#definition = definition;
    this.#tasks = Array.from(
      { length: partitions },
      (_, partition) => new RecoverableTask({ definition, partition, partitions }),
    );
    this.#nextOffsets = definition.inputs.map(() => new Array<number>(partitions).fill(0));
    this.#lastArrivalsMs = definition.inputs.map(() => new Array<number>(partitions).fill(-Infinity));
    this.#taken = new Array<number>(partitions).fill(0);
  }

  /** Records in their order; those that follow each other in one partition are a batch. */
  feed(...records: readonly TestRecord[]): void {
    let batch: { input: number; partition: number; records: ListedRecord[] } | undefined;
    for (const record of records) {
      const input = this.#inputOf(record.topic);
      const { partition, listed } = this.#list(record, this.#definition.inputs[input]!);
      if (batch?.input !== input || batch.partition !== partition) {
        if (batch !== undefined) this.#feedBatch(batch.input, batch.partition, batch.records);
        batch = { input, partition, records: [] };
      }
      batch.records.push(listed);
    }
    if (batch !== undefined) this.#feedBatch(batch.input, batch.partition, batch.records);
  }

  /** An in-band watermark record to every partition of every input, or of the one named. */
  watermark(watermarkMs: number, topic?: string): void {
    const headers = { [WATERMARK_HEADER]: String(watermarkMs) };
    const record = { key: null, value: null, arrivalMs: this.#latestArrival(), headers };
    for (const [input, definition] of this.#definition.inputs.entries()) {
      if (topic !== undefined && definition.topic !== topic) continue;
      for (const partition of this.#tasks.keys()) this.#feedBatch(input, partition, [record]);
    }
  }

  /** A watermark that closes every window. */
  flush(): void {
    this.watermark(END_OF_TIME_MS);
  }

  /**
   * The clock says `nowMs`: each input that has an idle timeout, and had no record for so long, is ticked, as a worker
   * does at the end of the log.
   */
  tick(nowMs: number): void {
    for (const partition of this.#tasks.keys()) {
      for (const [input, { idleTimeoutMs }] of this.#definition.inputs.entries()) {
        const silentMs = nowMs - this.#lastArrivalsMs[input]![partition]!;
        if (idleTimeoutMs === null || silentMs < idleTimeoutMs) continue;
        this.#take({ kind: "tick", partition, input, nowMs });
      }
    }
  }

  /** Makes a checkpoint of every task. */
  checkpoint(): void {
    for (const task of this.#tasks) task.checkpoint();
    this.#committed.push(...this.#pending);
    this.#pending = [];
    this.#taken = this.#tasks.map(() => 0);
    this.#steps = [];
  }

  /**
   * Drops all memory, recovers every task from the last checkpoint (from nothing, where there was none) and feeds
   * again what came since. What was written since is dropped, and written anew.
   */
  crash(): void {
    for (const task of this.#tasks) task.crash();
    this.#pending = [];
    this.#taken = this.#tasks.map(() => 0);
    for (const task of this.#tasks) finishFiring(task.task);
    this.#collect();
    for (const step of this.#steps) this.#perform(step);
  }

  /** Everything that was written, as records: in the order of what was fed. */
  get outputs(): readonly OutputRecord[] {
    return [...this.#committed, ...this.#pending];
  }

  /** Results and retractions, in the order in which they were written. */
  get emissions(): readonly Emission[] {
    return emissionsIn(this.#definition.name, this.outputs);
  }

  get results(): readonly Emission[] {
    return this.emissions.filter(({ kind }) => kind === "result");
  }

  get retractions(): readonly Emission[] {
    return this.emissions.filter(({ kind }) => kind === "retract");
  }

  get late(): readonly LateRecord[] {
    return lateIn(this.#definition.name, this.outputs);
  }

  get dead(): readonly DeadRecord[] {
    return deadIn(this.outputs);
  }

  /** What became of the records, over all partitions. */
  get counters(): Readonly<Counters> {
    const counters = this.#tasks.map(({ task }) => task.counters);
    const total = (name: keyof Counters) => counters.reduce((sum, each) => sum + each[name], 0);
    return Object.fromEntries(COUNTERS.map((name) => [name, total(name)])) as unknown as Counters;
  }

  /** A partition's watermark; minus infinity before its first event. */
  watermarkMs(partition = 0): number {
    return this.#tasks[partition]!.task.watermarkMs;
  }

  #inputOf(topic: string | undefined): number {
    const { name, inputs } = this.#definition;
    const input = topic === undefined ? 0 : inputs.findIndex((each) => each.topic === topic);
    if (input >= 0) return input;
    const topics = inputs.map((each) => each.topic).join(", ");
    throw new Error(`pipeline ${name} does not read the topic ${topic}; it reads ${topics}`);
  }

  #list(record: TestRecord, input: InputDefinition): { partition: number; listed: ListedRecord } {
    const value = bytesOf(record.value);
    const { headers = {}, key = value && expectedKey(input, value) } = record;
    const partition =
      record.partition ?? partitionOfRecord(key, value ?? new Uint8Array(), this.#tasks.length);
    if (this.#tasks[partition] === undefined) {
      throw new Error(`there is no partition ${partition}; the driver has ${this.#tasks.length}`);
    }
    const arrivalMs = record.arrivalMs ?? this.#arrivalOf(input, value);
    this.#arrivalMs = Math.max(this.#arrivalMs, arrivalMs);
    return { partition, listed: { key: key === null ? null : utf8.encode(key), value, arrivalMs, headers } };
  }

  /** As soon as an event happened it may arrive, but not before those that arrived already. */
  #arrivalOf({ source }: InputDefinition, value: Uint8Array | null): number {
    try {
      const timeMs = value === null ? Number.NaN : source.time(source.decode(value));
      if (Number.isFinite(timeMs)) return Math.max(this.#arrivalMs, timeMs);
    } catch {
      // The task will say what is wrong with it.
    }
    return this.#latestArrival();
  }

  #latestArrival(): number {
    return Number.isFinite(this.#arrivalMs) ? this.#arrivalMs : 0;
  }

  #feedBatch(input: number, partition: number, records: readonly ListedRecord[]): void {
    const { topic } = this.#definition.inputs[input]!;
    const offsets = this.#nextOffsets[input]!;
    const batch = new RecordList({ topic, partition }, offsets[partition]!, records);
    offsets[partition] = batch.nextOffset;
    this.#lastArrivalsMs[input]![partition] = records.at(-1)!.arrivalMs;
    this.#take({ kind: "records", batch });
  }

  #take(step: Step): void {
    this.#steps.push(step);
    this.#perform(step);
  }

  #perform(step: Step): void {
    if (step.kind === "records") {
      applyAll(this.#tasks[step.batch.partition]!.task, step.batch);
    } else {
      const { task } = this.#tasks[step.partition]!;
      task.tick(step.input, step.nowMs);
      finishFiring(task);
    }
    this.#collect();
  }

  /** Takes over what the tasks have written since the last look. */
  #collect(): void {
    for (const [partition, { task }] of this.#tasks.entries()) {
      const { pendingOutputs } = task;
      for (let i = this.#taken[partition]!; i < pendingOutputs.length; i++)
        this.#pending.push(pendingOutputs[i]!);
      this.#taken[partition] = pendingOutputs.length;
    }
  }
}

function applyAll(task: Task, batch: RecordList): void {
  for (let next = 0; next < batch.count; ) {
    next = task.apply(batch, next, MAX_STEPS);
    finishFiring(task);
  }
}

function finishFiring(task: Task): void {
  while (task.firing) task.fire(MAX_STEPS);
}

function bytesOf(value: unknown): Uint8Array | null {
  if (value === null || value instanceof Uint8Array) return value;
  return utf8.encode(typeof value === "string" ? value : JSON.stringify(value));
}

/** An event of the catalogue as it is in Kafka, its subject being the key that its type says. */
export function cloudEvent<D extends EventDefinition>(
  { type, partitionKey }: D,
  { id, timeMs, data }: { readonly id: string; readonly timeMs: number; readonly data: DataOf<D> },
): CloudEvent<DataOf<D>> {
  return {
    specversion: SPEC_VERSION,
    id,
    source: "urn:spillway:test",
    type,
    time: new Date(timeMs).toISOString(),
    subject: String((data as Readonly<Record<string, unknown>>)[partitionKey]),
    data,
  };
}
