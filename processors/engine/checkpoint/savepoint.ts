/**
 * Savepoints: copies of every task's last committed checkpoint, under names of their own that nobody collects (design,
 * section 4, rule 9), for another pipeline to start from. Each task's cut is its own, as in every checkpoint: together
 * they are one position in every partition, and not one moment.
 */
import { savepointPrefix } from "../../../contracts/environment.ts";
import { decodeManifest } from "./manifest.ts";
import type { CheckpointStore } from "./store.ts";

const FORMAT = 1;

/** What a savepoint holds of a task. */
export interface SavedTask {
  readonly partition: number;
  /** Name and hash of its manifest, which is one of a checkpoint without outputs. */
  readonly manifest: string;
  readonly sha256: string;
  /** Number of the checkpoint that was copied. */
  readonly checkpoint: number;
  readonly offsets: readonly { readonly topic: string; readonly offset: number }[];
  readonly watermarkMs: number | null;
}

export interface Savepoint {
  readonly format: typeof FORMAT;
  readonly environment: string;
  readonly pipeline: string;
  readonly name: string;
  /** When it was taken, milliseconds since the epoch. */
  readonly takenAtMs: number;
  /** One for each partition. */
  readonly tasks: readonly SavedTask[];
}

export type SavepointProblem =
  /** A savepoint of this name exists already. */
  | "exists"
  | "missing"
  | "corrupt"
  /** A task has no committed checkpoint to copy. */
  | "incomplete"
  /** Every time that a task's checkpoint was copied it was superseded on the way. */
  | "unstable"
  /** The pipeline has several stages, and what is on the way between them is in no checkpoint. */
  | "several-stages";

/** A savepoint that cannot be taken or used; the message says what to do. */
export class SavepointError extends Error {
  override readonly name = "SavepointError";
  readonly code: SavepointProblem;
  constructor(code: SavepointProblem, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Name of the blob that lists a savepoint's tasks. It is written last: a savepoint exists once this does. */
export const savepointName = (environment: string, pipeline: string, name: string): string =>
  `${savepointPrefix(environment)}${pipeline}/${name}`;

export const encodeSavepoint = (savepoint: Omit<Savepoint, "format">): Uint8Array =>
  new TextEncoder().encode(JSON.stringify({ format: FORMAT, ...savepoint }));

/** @throws SavepointError where it does not exist, or is of a format that is not known here */
export async function readSavepoint(
  store: Pick<CheckpointStore, "get">,
  environment: string,
  pipeline: string,
  name: string,
): Promise<Savepoint> {
  const bytes = await store.get(savepointName(environment, pipeline, name));
  if (bytes === null) {
    throw new SavepointError(
      "missing",
      `there is no savepoint ${name} of ${pipeline} in ${environment}; ` +
        `spillway savepoint ${pipeline} --name ${name} takes it`,
    );
  }
  try {
    const savepoint = JSON.parse(new TextDecoder().decode(bytes)) as Savepoint;
    if (savepoint.format === FORMAT) return savepoint;
    throw new Error(`its format is ${savepoint.format}, this release reads ${FORMAT}`);
  } catch (cause) {
    throw new SavepointError(
      "corrupt",
      `the savepoint ${name} of ${pipeline} cannot be read: ${(cause as Error).message}`,
      { cause },
    );
  }
}

/** Deletes a savepoint, its list first: what a crash leaves behind then costs storage and nothing else. */
export async function deleteSavepoint(
  store: Pick<CheckpointStore, "get" | "delete">,
  environment: string,
  pipeline: string,
  name: string,
): Promise<void> {
  const { tasks } = await readSavepoint(store, environment, pipeline, name);
  const blobs = await Promise.all(tasks.map(({ manifest }) => blobsOf(store, manifest)));
  await store.delete([savepointName(environment, pipeline, name)]);
  await store.delete(blobs.flat());
}

async function blobsOf(store: Pick<CheckpointStore, "get">, manifest: string): Promise<string[]> {
  const bytes = await store.get(manifest);
  if (bytes === null) return [manifest];
  const { base, deltas } = decodeManifest(manifest, bytes);
  return [manifest, ...[base, ...deltas].map(({ name }) => name)];
}
