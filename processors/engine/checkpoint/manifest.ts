/**
 * The manifest of a checkpoint: which blobs make up the state, what its transaction publishes, and which
 * checkpoint it follows. Kafka's committed offset names a manifest and its hash; that is the commit record.
 */
import { createHash } from "node:crypto";
import type { Counters } from "../state/task-state.ts";
import type { Tick } from "../task/cut.ts";
import type { Answered } from "../task/enquiry.ts";
import { CheckpointError } from "./errors.ts";

/** The newest format. Format 1 had neither deltas nor ticks. */
export const MANIFEST_FORMAT = 2;

export interface BlobReference {
  readonly name: string;
  readonly bytes: number;
  /** SHA-256 of the blob, hexadecimal. */
  readonly sha256: string;
}

export interface Manifest {
  readonly format: 1 | typeof MANIFEST_FORMAT;
  readonly pipeline: string;
  readonly partition: number;
  /** Partitions of every input when the task's state began; a changed count parks the task. */
  readonly partitions: number;
  /** Raised by a reset or a repartitioning. */
  readonly generation: number;
  /** 0 for genesis, then one more for each checkpoint. */
  readonly number: number;
  readonly parent: string | null;
  /** The last whole snapshot, then the changes since, in order. */
  readonly base: BlobReference;
  readonly deltas: readonly BlobReference[];
  /** What the checkpoint's transaction writes; null where it writes nothing. */
  readonly outputs: BlobReference | null;
  /** The next offset to read of each input, in the definition's order. */
  readonly offsets: readonly { readonly topic: string; readonly offset: number }[];
  /** Null before the first event. */
  readonly watermarkMs: number | null;
  readonly counters: Readonly<Counters>;
  /** Whether the cut fell inside a firing: then results of what the offsets cover are still to come. */
  readonly firing: boolean;
  /** What the clock did since the checkpoint before: with the records it explains every output. */
  readonly ticks?: readonly Tick[];
  /** What services answered about the records since the checkpoint before; absent where nothing was asked. */
  readonly answered?: readonly Answered[];
}

export const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

export function encodeManifest(manifest: Manifest): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(manifest));
}

/** @throws CheckpointError where the bytes are not a manifest of a known format */
export function decodeManifest(name: string, bytes: Uint8Array): Manifest {
  let manifest: Manifest;
  try {
    manifest = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as Manifest;
  } catch (cause) {
    throw new CheckpointError("corrupt", `manifest ${name} is not JSON`, { cause });
  }
  if (manifest.format !== 1 && manifest.format !== MANIFEST_FORMAT) {
    throw new CheckpointError(
      "corrupt",
      `manifest ${name} has format ${manifest.format}; this release reads 1 to ${MANIFEST_FORMAT}`,
    );
  }
  return manifest;
}

/** What the committed offset's metadata says: which checkpoint is committed. */
export interface CommitPointer {
  readonly manifest: string;
  readonly sha256: string;
}

const POINTER_FORMAT = 1;

/** The pointer as offset metadata: at most 512 bytes (Kafka's own limit is 4,096). */
export function encodePointer({ manifest, sha256: hash }: CommitPointer): string {
  return JSON.stringify({ f: POINTER_FORMAT, m: manifest, h: hash });
}

/** The pointer in offset metadata; null where it is not ours. */
export function decodePointer(metadata: string): CommitPointer | null {
  try {
    const { f, m, h } = JSON.parse(metadata) as { f?: unknown; m?: unknown; h?: unknown };
    return f === POINTER_FORMAT && typeof m === "string" && typeof h === "string"
      ? { manifest: m, sha256: h }
      : null;
  } catch {
    return null;
  }
}
