/** A pipeline in several versions, and a log and a store in memory to run its tasks on. */

import { Checkpointer } from "../../../../processors/engine/checkpoint/checkpointer.ts";
import { encodePointer, sha256 } from "../../../../processors/engine/checkpoint/manifest.ts";
import type { CheckpointStore } from "../../../../processors/engine/checkpoint/store.ts";
import type { CommittedOffset, Log } from "../../../../processors/engine/log/port.ts";
import {
  count,
  max,
  type PipelineDefinition,
  pipeline,
  type StartAt,
  sum,
  tumbling,
} from "../../../../processors/engine/pipeline/dsl.ts";
import type { TaskState } from "../../../../processors/engine/state/task-state.ts";
import type { Cut } from "../../../../processors/engine/task/cut.ts";
import { Task } from "../../../../processors/engine/task/task.ts";
import type { WindowDefinition } from "../../../../processors/engine/windows/window.ts";
import { readable, type TestRecord } from "../../../support/records.ts";
import { feed, type Reading } from "../task-fixture.ts";

export const TOPIC = "readings-in";
/** Event times are at most this far ahead of their arrival. */
export const FUTURE_BOUND_MS = 20;

export interface Version {
  readonly name: string;
  readonly startAt?: StartAt;
  readonly window?: WindowDefinition;
  readonly outOfOrderMs?: number;
  /** Whether it has one aggregate more. */
  readonly most?: boolean;
}

export function version(options: Version): PipelineDefinition {
  const { name, startAt = "earliest", window = tumbling({ sizeMs: 10 }), outOfOrderMs = 5, most } = options;
  return pipeline(name, { startAt })
    .from<Reading>(
      {
        topic: TOPIC,
        decode: (value) => JSON.parse(new TextDecoder().decode(value)) as Reading,
        time: (reading) => reading.t,
        identity: (reading) => reading.id,
        futureBoundMs: FUTURE_BOUND_MS,
      },
      { outOfOrderMs },
    )
    .keyBy((reading) => reading.key)
    .window(window)
    .aggregate({
      n: count<Reading>(),
      total: sum((reading) => reading.v),
      ...(most ? { most: max<Reading>((reading) => reading.v) } : {}),
    })
    .toResults();
}

export class MemoryStore implements Pick<CheckpointStore, "get" | "put" | "delete"> {
  readonly blobs = new Map<string, Uint8Array>();
  get = async (name: string): Promise<Uint8Array | null> => this.blobs.get(name) ?? null;
  put = async (name: string, bytes: Uint8Array): Promise<void> => void this.blobs.set(name, bytes);
  delete = async (names: readonly string[]): Promise<void> => {
    for (const name of names) this.blobs.delete(name);
  };
}

export function checkpointerOf(
  store: MemoryStore,
  definition: PipelineDefinition,
  partition = 0,
  partitions = 1,
) {
  const unused = () => Promise.reject(new Error("not part of this test"));
  return new Checkpointer({
    store: {
      get: store.get,
      put: store.put,
      delete: store.delete,
      claim: unused,
      read: unused,
      register: unused,
      reset: unused,
      list: unused,
    },
    task: `dev/${definition.name}/${partition}`,
    definition,
    partition,
    partitions,
    newId: () => "id",
  });
}

/** What a group has committed: the checkpoint of each partition. */
export class Commits implements Pick<Log, "committed" | "partitionCount"> {
  readonly #pointers: string[] = [];
  readonly #partitions: number;

  constructor(partitions: number) {
    this.#partitions = partitions;
  }

  commit(partition: number, name: string, manifest: Uint8Array): void {
    this.#pointers[partition] = encodePointer({ manifest: name, sha256: sha256(manifest) });
  }

  async committed(
    _group: string,
    inputs: readonly { readonly topic: string; readonly partition: number }[],
  ): Promise<CommittedOffset[]> {
    return inputs.map((input) => {
      const metadata = this.#pointers[input.partition] ?? "";
      return { ...input, offset: metadata === "" ? null : 0, metadata };
    });
  }

  async partitionCount(): Promise<number> {
    return this.#partitions;
  }
}

export function taskFrom(definition: PipelineDefinition, state: TaskState): Task {
  return new Task({ definition, partition: 0, partitions: 1, generation: 1, nextCheckpoint: 1, state });
}

/** Feeds what the task has not read yet. */
export function feedRest(task: Task, records: readonly TestRecord[]): void {
  feed(
    task,
    records.filter(({ offset }) => offset >= task.offsets[0]!),
  );
}

/** The results as text, in their order, of the windows that begin at a time or later. */
export const resultsFrom = (cut: Cut, fromMs = Number.NEGATIVE_INFINITY): string[] =>
  cut.outputs
    .map(readable)
    .filter(({ topic }) => String(topic).endsWith(".results"))
    .map(({ value }) => value as { key: string; window: { start: number }; value: unknown; revision: number })
    .filter(({ window }) => window.start >= fromMs)
    .map(({ key, window, value, revision }) => JSON.stringify({ key, window, value, revision }));
