/** Writes, registers, reads and discards the checkpoints of one task (design, section 4, rules 4, 5 and 9). */
import type { Commit, OffsetCommit, OutputRecord } from "../log/port.ts";
import type { PipelineDefinition } from "../pipeline/definition.ts";
import { CorruptBytesError } from "../state/bytes.ts";
import { decodeSnapshot, isCurrent, SchemaMismatchError } from "../state/snapshot.ts";
import type { TaskState } from "../state/task-state.ts";
import type { Cut } from "../task/cut.ts";
import type { Blobs } from "./chain.ts";
import type { Compactor } from "./compactor.ts";
import { CheckpointError } from "./errors.ts";
import {
  type BlobReference,
  decodeManifest,
  encodeManifest,
  encodePointer,
  MANIFEST_FORMAT,
  type Manifest,
  sha256,
} from "./manifest.ts";
import { decodeOutputs, encodeOutputs } from "./outputs.ts";
import { readVerified } from "./read-verified.ts";
import type { CheckpointStore, TaskId } from "./store.ts";

export interface CheckpointerOptions {
  readonly store: CheckpointStore;
  readonly task: TaskId;
  readonly definition: PipelineDefinition;
  readonly partition: number;
  readonly partitions: number;
  readonly newId: () => string;
}

/** A checkpoint that is durably written: what its transaction must publish. */
export interface Prepared {
  /** Name of its manifest, and what the slot and the committed offset call it. */
  readonly name: string;
  readonly manifest: Manifest;
  readonly commit: Commit;
}

export interface Loaded extends Prepared {
  readonly state: TaskState;
  /** Whether a delta of today's definition may follow: all of its blobs are of today's format and schema. */
  readonly extendable: boolean;
}

export class Checkpointer {
  readonly #options: CheckpointerOptions;

  constructor(options: CheckpointerOptions) {
    this.#options = options;
  }

  /** A new name for a checkpoint. It carries the writer's epoch, so that leftovers tell whose they are. */
  newName(epoch: number, number: number): string {
    const { task, newId } = this.#options;
    return `${task}/${pad(epoch, 8)}-${pad(number, 12)}-${newId()}`;
  }

  /**
   * Rule 4(a): writes snapshot, outputs and manifest. Repeating it with the same arguments is harmless.
   * @param follows what a delta follows
   */
  async write(
    name: string,
    cut: Cut,
    generation: number,
    parent: string | null,
    follows?: Blobs,
  ): Promise<Prepared> {
    const { store, definition, partition, partitions } = this.#options;
    const outputs = cut.outputs.length === 0 ? null : encodeOutputs(cut.outputs);
    const snapshot = reference(`${name}/${cut.kind}`, cut.snapshot);
    const manifest: Manifest = {
      format: MANIFEST_FORMAT,
      pipeline: definition.name,
      partition,
      partitions,
      generation,
      number: cut.number,
      parent,
      base: cut.kind === "base" ? snapshot : follows!.base,
      deltas: cut.kind === "base" ? [] : [...follows!.deltas, snapshot],
      outputs: outputs === null ? null : reference(`${name}/outputs`, outputs),
      offsets: definition.inputs.map(({ topic }, input) => ({ topic, offset: cut.offsets[input]! })),
      watermarkMs: Number.isFinite(cut.watermarkMs) ? cut.watermarkMs : null,
      counters: cut.counters,
      firing: cut.firing,
      ticks: cut.ticks,
      ...(cut.answered.length === 0 ? {} : { answered: cut.answered }),
    };
    const bytes = encodeManifest(manifest);
    const blobs = [store.put(snapshot.name, cut.snapshot)];
    if (outputs !== null) blobs.push(store.put(`${name}/outputs`, outputs));
    await Promise.all(blobs);
    // The manifest goes last: once it can be read, so can everything it names.
    await store.put(name, bytes);
    return {
      name,
      manifest,
      commit: { outputs: cut.outputs, offsets: commitOffsets(name, manifest, bytes) },
    };
  }

  /** Rule 4(b): makes it the prepared child in the task's slot. */
  async register(prepared: Prepared, epoch: number): Promise<void> {
    const { store, task } = this.#options;
    await store.register(task, epoch, { id: prepared.name, parent: prepared.manifest.parent });
  }

  /**
   * Reads a checkpoint back, each blob checked against its hash.
   * @param expectedSha256 hash of the manifest where the committed offset names it, else null
   * @throws CheckpointError where anything is missing, corrupt, or of another definition or partition count
   */
  async load(name: string, expectedSha256: string | null): Promise<Loaded> {
    const bytes = await this.#read(name, expectedSha256);
    const manifest = decodeManifest(name, bytes);
    this.#requireSamePartitions(manifest);
    const [snapshots, outputs] = await Promise.all([this.#snapshots(manifest), this.#outputs(manifest)]);
    const { state, records } = this.#decode(name, snapshots, outputs);
    return {
      name,
      manifest,
      state,
      extendable: snapshots.every((snapshot) => isCurrent(this.#options.definition, snapshot)),
      commit: { outputs: records, offsets: commitOffsets(name, manifest, bytes) },
    };
  }

  /**
   * Makes one base of a base and its deltas (rule 9).
   * @param compact does the work on the bytes
   * @returns the new base, durably written under `name`
   */
  async compact(name: string, { base, deltas }: Blobs, compact: Compactor): Promise<BlobReference> {
    const [first, ...rest] = await this.#snapshots({ base, deltas });
    const bytes = await compact(this.#options.definition, first!, rest);
    const written = reference(`${name}/base`, bytes);
    await this.#options.store.put(written.name, bytes);
    return written;
  }

  /** Deletes what a superseded checkpoint wrote, except what its successor still refers to. */
  async discard(superseded: Pick<Prepared, "name" | "manifest">, successor: Blobs): Promise<void> {
    const { outputs } = superseded.manifest;
    const kept = new Set(snapshotsOf(successor).map((blob) => blob.name));
    const blobs = [...snapshotsOf(superseded.manifest), ...(outputs === null ? [] : [outputs])];
    const gone = blobs.filter((blob) => !kept.has(blob.name));
    await this.#options.store.delete([superseded.name, ...gone.map((blob) => blob.name)]);
  }

  /**
   * Deletes what earlier owners left behind: names of lower epochs outside of the loaded chain (rule 9). Only the newest
   * owner may ask for it, after it has rolled forward: what follows is written by it, or by owners with higher epochs.
   */
  async collect(epoch: number, { name, manifest }: Pick<Prepared, "name" | "manifest">): Promise<void> {
    const { store, task } = this.#options;
    const { outputs } = manifest;
    const chain = [...snapshotsOf(manifest), ...(outputs === null ? [] : [outputs])];
    const kept = new Set([name, ...chain.map((blob) => blob.name)]);
    const names = await store.list(task);
    const orphans = names.filter((blob) => epochIn(blob, task) < epoch && !kept.has(blob));
    if (orphans.length > 0) await store.delete(orphans);
  }

  #snapshots(blobs: Blobs): Promise<Uint8Array[]> {
    return Promise.all(snapshotsOf(blobs).map((blob) => this.#read(blob.name, blob.sha256)));
  }

  async #outputs({ outputs }: Manifest): Promise<Uint8Array | null> {
    return outputs && this.#read(outputs.name, outputs.sha256);
  }

  #read(name: string, expectedSha256: string | null): Promise<Uint8Array> {
    return readVerified(this.#options.store, name, expectedSha256);
  }

  #requireSamePartitions({ partitions, pipeline }: Manifest): void {
    const current = this.#options.partitions;
    if (partitions === current) return;
    throw new CheckpointError(
      "partitions-changed",
      `the state of ${pipeline} was made for ${partitions} partitions, its inputs now have ${current}`,
    );
  }

  #decode(
    name: string,
    [base, ...deltas]: readonly Uint8Array[],
    outputs: Uint8Array | null,
  ): { state: TaskState; records: OutputRecord[] } {
    try {
      const state = decodeSnapshot(this.#options.definition, base!, deltas);
      return { state, records: outputs === null ? [] : decodeOutputs(outputs) };
    } catch (cause) {
      if (cause instanceof SchemaMismatchError) {
        throw new CheckpointError("definition-changed", `${cause.message}. ${WAYS_OUT}`, { cause });
      }
      if (cause instanceof CorruptBytesError) {
        throw new CheckpointError("corrupt", `checkpoint ${name}: ${cause.message}`, { cause });
      }
      throw cause;
    }
  }
}

const WAYS_OUT =
  "Restore the old definition, or give the changed pipeline a new name, run it beside the old one from a chosen time " +
  "and cut over, or reset it (docs/upgrading-pipelines.md)";

const snapshotsOf = ({ base, deltas }: Blobs): BlobReference[] => [base, ...deltas];

function reference(name: string, bytes: Uint8Array): BlobReference {
  return { name, bytes: bytes.length, sha256: sha256(bytes) };
}

function commitOffsets(name: string, manifest: Manifest, bytes: Uint8Array): OffsetCommit[] {
  const metadata = encodePointer({ manifest: name, sha256: sha256(bytes) });
  return manifest.offsets.map(({ topic, offset }) => ({
    topic,
    partition: manifest.partition,
    offset,
    metadata,
  }));
}

/** The epoch that a name carries; not a number where it is none of ours. */
const epochIn = (name: string, task: TaskId): number => Number.parseInt(name.slice(task.length + 1), 10);

const pad = (value: number, digits: number): string => String(value).padStart(digits, "0");
