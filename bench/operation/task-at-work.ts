/** A task and its checkpoints in this process, without Kafka: so that what each step takes can be told. */
import { randomUUID } from "node:crypto";
import { Chain } from "../../processors/engine/checkpoint/chain.ts";
import { Checkpointer, type Prepared } from "../../processors/engine/checkpoint/checkpointer.ts";
import { compactHere } from "../../processors/engine/checkpoint/compactor.ts";
import type { CheckpointStore } from "../../processors/engine/checkpoint/store.ts";
import type { RecordBatch } from "../../processors/engine/log/port.ts";
import type { PipelineDefinition } from "../../processors/engine/pipeline/definition.ts";
import { emptyState } from "../../processors/engine/state/task-state.ts";
import type { Cut } from "../../processors/engine/task/cut.ts";
import { Task } from "../../processors/engine/task/task.ts";
import { defaultLimits } from "../../processors/engine/worker/worker.ts";
import { eventAt, START_MS, type Stream } from "../streams/events.ts";

const BATCH_RECORDS = 1_000;

/** Processor time of all threads, and time. */
export interface Spent {
  readonly cpuMs: number;
  readonly wallMs: number;
}

export const NOTHING: Spent = { cpuMs: 0, wallMs: 0 };

export const sumOf = (spent: readonly Spent[]): Spent => ({
  cpuMs: spent.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
  wallMs: spent.reduce((sum, { wallMs }) => sum + wallMs, 0),
});

export async function spentOn<Result>(
  work: () => Result,
): Promise<{ result: Awaited<Result>; spent: Spent }> {
  const [startedMs, before] = [performance.now(), process.cpuUsage()];
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  return { result, spent: { cpuMs: (user + system) / 1_000, wallMs: performance.now() - startedMs } };
}

export interface TaskOptions {
  readonly definition: PipelineDefinition;
  /** What its checkpoints are filed under. */
  readonly id: string;
  readonly stream: Stream;
  readonly store: CheckpointStore;
}

export class TaskAtWork {
  readonly checkpointer: Checkpointer;
  readonly #options: TaskOptions;
  readonly #task: Task;
  #chain: Chain | undefined;
  #last: Prepared | undefined;
  #epoch = 0;
  #offset = 0;

  constructor(options: TaskOptions) {
    const { definition, id, store } = options;
    this.#options = options;
    this.#task = new Task({
      definition,
      partition: 0,
      partitions: 1,
      generation: 1,
      nextCheckpoint: 1,
      state: emptyState(definition, [0]),
    });
    this.checkpointer = new Checkpointer({
      store,
      task: id,
      definition,
      partition: 0,
      partitions: 1,
      newId: randomUUID,
    });
  }

  get lastName(): string {
    return this.#last!.name;
  }

  get kind(): Cut["kind"] {
    return this.#chain?.nextKind ?? "base";
  }

  async claim(): Promise<void> {
    const { store, id } = this.#options;
    this.#epoch = (await store.claim(id, "bench")).epoch;
  }

  /**
   * What applying the events at those places of a stream took; making them is not counted.
   * @param stream the task's, unless it is filled first
   */
  async apply(places: readonly number[], stream = this.#options.stream): Promise<Spent> {
    const spent: Spent[] = [];
    for (let first = 0; first < places.length; first += BATCH_RECORDS) {
      const batch = this.#batchOf(stream, places.slice(first, first + BATCH_RECORDS));
      spent.push((await spentOn(() => this.#applyAll(batch))).spent);
    }
    return sumOf(spent);
  }

  cut(): Cut {
    return this.#task.cut(this.kind);
  }

  write(cut: Cut): Promise<Prepared> {
    const name = this.checkpointer.newName(this.#epoch, cut.number);
    return this.checkpointer.write(name, cut, 1, this.#last?.name ?? null, this.#chain?.current);
  }

  register(prepared: Prepared): Promise<void> {
    return this.checkpointer.register(prepared, this.#epoch);
  }

  /** What follows once a checkpoint is committed: the one before goes. */
  async committed(prepared: Prepared): Promise<void> {
    const before = this.#last;
    this.#chain ??= new Chain(defaultLimits, prepared.manifest, true);
    this.#chain.committed(prepared.manifest);
    this.#last = prepared;
    if (before !== undefined) await this.checkpointer.discard(before, prepared.manifest);
  }

  /** Makes one base of the chain where it is due; a processor does it in a thread of its own. */
  async compactIfLong(): Promise<void> {
    const blobs = this.#chain!.toCompact;
    if (blobs === undefined) return;
    const name = this.checkpointer.newName(this.#epoch, this.#last!.manifest.number);
    this.#chain!.replace(blobs, await this.checkpointer.compact(name, blobs, compactHere));
  }

  #applyAll(batch: RecordBatch): void {
    for (let next = 0; next < batch.count; ) next = this.#task.apply(batch, next, BATCH_RECORDS);
  }

  /** All events are of one moment, so that no window closes. */
  #batchOf(stream: Stream, places: readonly number[]): RecordBatch {
    const events = places.map((place) => ({ ...eventAt(stream, place), time: START_MS }));
    const keys = events.map(({ key }) => Buffer.from(key));
    const values = events.map((event) => Buffer.from(JSON.stringify(event)));
    const first = this.#offset;
    this.#offset += places.length;
    return {
      topic: stream.topic,
      partition: 0,
      count: places.length,
      highWatermark: this.#offset,
      nextOffset: this.#offset,
      offset: (index) => first + index,
      arrivalMs: () => START_MS,
      key: (index) => keys[index]!,
      value: (index) => values[index]!,
      header: () => undefined,
    };
  }
}
