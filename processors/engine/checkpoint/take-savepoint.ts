/** Taking a savepoint while the pipeline runs, which goes on committing checkpoints and deleting older ones. */
import { consumerGroup } from "../../../contracts/environment.ts";
import type { CommittedOffset, Log } from "../log/port.ts";
import { type PipelineDefinition, stagesOf } from "../pipeline/definition.ts";
import { CheckpointError } from "./errors.ts";
import {
  type CommitPointer,
  decodeManifest,
  decodePointer,
  encodeManifest,
  type Manifest,
  sha256,
} from "./manifest.ts";
import { readVerified } from "./read-verified.ts";
import { encodeSavepoint, type SavedTask, SavepointError, savepointName } from "./savepoint.ts";
import type { CheckpointStore } from "./store.ts";

/** How often the same committed checkpoint may be found without its blobs: its successor's offset may show late. */
const MAX_MISSES = 5;
/** How often another one may have been committed meanwhile; what was copied before is not copied again. */
const MAX_ATTEMPTS = 50;
const REREAD_DELAY_MS = 200;

export interface TakeSavepointOptions {
  readonly log: Pick<Log, "committed" | "partitionCount">;
  readonly store: Pick<CheckpointStore, "get" | "put" | "delete">;
  readonly environment: string;
  readonly definition: PipelineDefinition;
  readonly name: string;
  /** Makes text that was never made before: two that are taken at once must not write the same blobs. */
  readonly newId: () => string;
  readonly epochMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/**
 * Copies the last committed checkpoint of every task, each blob checked against its hash.
 * @throws SavepointError where there is one of this name, or a task has no checkpoint
 * @throws CheckpointError where a committed checkpoint cannot be read
 */
export async function takeSavepoint(options: TakeSavepointOptions): Promise<readonly SavedTask[]> {
  const { log, store, environment, definition, name, newId, epochMs } = options;
  requireOneStage(definition);
  const index = savepointName(environment, definition.name, name);
  if ((await store.get(index)) !== null) {
    throw new SavepointError(
      "exists",
      `there is a savepoint ${name} of ${definition.name} already; choose another name, or delete it first`,
    );
  }
  const partitions = await log.partitionCount(definition.inputs[0]!.topic);
  const folder = `${index}/${newId()}`;
  const copies: TaskCopy[] = [];
  try {
    const tasks: SavedTask[] = [];
    for (let partition = 0; partition < partitions; partition++) {
      const copy = new TaskCopy(options, partition, `${folder}/${partition}`);
      copies.push(copy);
      tasks.push(await copy.take());
    }
    const savepoint = { environment, pipeline: definition.name, name, takenAtMs: epochMs(), tasks };
    await store.put(index, encodeSavepoint(savepoint));
    return tasks;
  } catch (error) {
    await store.delete(copies.flatMap(({ written }) => written)).catch(() => undefined);
    throw error;
  }
}

function requireOneStage(definition: PipelineDefinition): void {
  if (definition.upstream.length === 0) return;
  const stages = stagesOf(definition).map(({ name }) => name);
  throw new SavepointError(
    "several-stages",
    `${definition.name} has the stages ${stages.join(", ")}: what is on the way between them is in no checkpoint. ` +
      "Start the new version at an event time instead",
  );
}

/** The copy of one task's checkpoint. */
class TaskCopy {
  readonly #options: TakeSavepointOptions;
  readonly #partition: number;
  readonly #folder: string;
  /** Names of the copies by hash. */
  readonly #copied = new Map<string, string>();

  constructor(options: TakeSavepointOptions, partition: number, folder: string) {
    this.#options = options;
    this.#partition = partition;
    this.#folder = folder;
  }

  /** Everything that was written, the manifest included. */
  get written(): string[] {
    return [`${this.#folder}/manifest`, ...this.#copied.values()];
  }

  async take(): Promise<SavedTask> {
    let before: CommitPointer | undefined;
    let misses = 0;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const pointer = await this.#committed();
      misses = pointer.manifest === before?.manifest ? misses + 1 : 0;
      before = pointer;
      try {
        return await this.#copy(pointer);
      } catch (error) {
        // A task deletes a checkpoint's blobs once the next one is committed.
        const isGone = error instanceof CheckpointError && error.code === "missing";
        if (!isGone || misses === MAX_MISSES) throw error;
      }
      await this.#options.sleep(REREAD_DELAY_MS);
    }
    throw new SavepointError(
      "unstable",
      `the checkpoint of partition ${this.#partition} of ${this.#options.definition.name} was superseded ` +
        `${MAX_ATTEMPTS} times before it was copied; take the savepoint nearer to the store, or stop the pipeline`,
    );
  }

  async #committed(): Promise<CommitPointer> {
    const { log, environment, definition } = this.#options;
    const inputs = definition.inputs.map(({ topic }) => ({ topic, partition: this.#partition }));
    const committed = await log.committed(consumerGroup(environment, definition.name), inputs);
    const [pointer, ...others] = committed.map(pointerOf);
    if (pointer !== undefined && others.every((other) => other?.manifest === pointer.manifest))
      return pointer;
    throw new SavepointError(
      "incomplete",
      `partition ${this.#partition} of ${definition.name} has no committed checkpoint in ${environment}: ` +
        "the pipeline has not begun there, or its position is lost",
    );
  }

  async #copy({ manifest: name, sha256: hash }: CommitPointer): Promise<SavedTask> {
    const { store } = this.#options;
    const manifest = decodeManifest(name, await readVerified(store, name, hash));
    const [base, ...deltas] = await Promise.all(
      [manifest.base, ...manifest.deltas].map((blob) => this.#blob(blob)),
    );
    // Its outputs are committed: nobody will have to publish them again.
    const copy: Manifest = { ...manifest, base: base!, deltas, outputs: null };
    const bytes = encodeManifest(copy);
    await store.put(`${this.#folder}/manifest`, bytes);
    await this.#deleteAllBut(copy);
    const { partition, number: checkpoint, offsets, watermarkMs } = manifest;
    return {
      partition,
      manifest: `${this.#folder}/manifest`,
      sha256: sha256(bytes),
      checkpoint,
      offsets,
      watermarkMs,
    };
  }

  async #blob(blob: Manifest["base"]): Promise<Manifest["base"]> {
    const { store } = this.#options;
    const name = `${this.#folder}/${blob.sha256}`;
    if (!this.#copied.has(blob.sha256)) {
      await store.put(name, await readVerified(store, blob.name, blob.sha256));
      this.#copied.set(blob.sha256, name);
    }
    return { ...blob, name };
  }

  /** Blobs of checkpoints that were superseded while they were copied. */
  async #deleteAllBut({ base, deltas }: Manifest): Promise<void> {
    const kept = new Set([base, ...deltas].map((blob) => blob.name));
    const left = [...this.#copied.values()].filter((name) => !kept.has(name));
    if (left.length > 0) await this.#options.store.delete(left);
  }
}

const pointerOf = ({ offset, metadata }: CommittedOffset): CommitPointer | undefined =>
  offset === null || offset < 0 ? undefined : (decodePointer(metadata) ?? undefined);
