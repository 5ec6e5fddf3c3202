/**
 * A task with its checkpoints in memory: what a worker does with Kafka and the checkpoint store, without either. The
 * task, its cuts and the snapshot codec are the engine's own.
 */
import type { OutputRecord } from "../log/port.ts";
import type { PipelineDefinition } from "../pipeline/definition.ts";
import { decodeSnapshot, encodeBase } from "../state/snapshot.ts";
import { emptyState, type TaskState } from "../state/task-state.ts";
import { Task } from "../task/task.ts";

export interface RecoverableTaskOptions {
  readonly definition: PipelineDefinition;
  readonly partition: number;
  /** Partitions of every input. */
  readonly partitions: number;
}

export class RecoverableTask {
  readonly #options: RecoverableTaskOptions;
  #base: Uint8Array;
  #deltas: Uint8Array[] = [];
  #deltaBytes = 0;
  /** Number of the checkpoint that was made last; 0 is genesis. */
  #checkpoint = 0;
  #task: Task;

  constructor(options: RecoverableTaskOptions) {
    const { definition } = options;
    this.#options = options;
    const state = emptyState(
      definition,
      definition.inputs.map(() => 0),
    );
    this.#base = encodeBase(definition, state);
    this.#task = this.#open(state);
  }

  /** The task as it runs now; another one after {@link crash}. */
  get task(): Task {
    return this.#task;
  }

  /**
   * Makes a checkpoint: a delta, or a new base once the deltas have grown as large as the base, so that what is
   * written in all follows what changed.
   * @returns what the task wrote since the checkpoint before
   */
  checkpoint(): readonly OutputRecord[] {
    const kind = this.#deltaBytes < this.#base.length ? "delta" : "base";
    const { number, snapshot, outputs } = this.#task.cut(kind);
    this.#checkpoint = number;
    if (kind === "base") {
      this.#base = snapshot;
      this.#deltas = [];
      this.#deltaBytes = 0;
    } else {
      this.#deltas.push(snapshot);
      this.#deltaBytes += snapshot.length;
    }
    return outputs;
  }

  /** Drops everything in memory and goes on from the last checkpoint. */
  crash(): void {
    this.#task = this.#open(decodeSnapshot(this.#options.definition, this.#base, this.#deltas));
  }

  #open(state: TaskState): Task {
    return new Task({ ...this.#options, generation: 1, nextCheckpoint: this.#checkpoint + 1, state });
  }
}
