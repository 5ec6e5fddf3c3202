/** Looking at a task's committed checkpoint from outside, without claiming anything: for tools and tests. */
import { CheckpointError } from "./errors.ts";
import { decodeManifest, decodePointer, type Manifest } from "./manifest.ts";
import type { CheckpointStore } from "./store.ts";

/**
 * The manifest that a committed offset names.
 * @param metadata what the group's committed offset carries
 * @throws CheckpointError where the metadata is not ours, or the manifest is gone: its successor may have been
 *   committed since, so read the offset again
 */
export async function committedManifest(
  store: Pick<CheckpointStore, "get">,
  metadata: string,
): Promise<Manifest> {
  const pointer = decodePointer(metadata);
  if (pointer === null)
    throw new CheckpointError("offset-foreign", "the committed offset names no checkpoint");
  const bytes = await store.get(pointer.manifest);
  if (bytes === null)
    throw new CheckpointError("missing", `checkpoint blob ${pointer.manifest} does not exist`);
  return decodeManifest(pointer.manifest, bytes);
}
