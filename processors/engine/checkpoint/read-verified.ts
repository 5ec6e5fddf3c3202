/** Reading a checkpoint's blobs. */
import { CheckpointError } from "./errors.ts";
import { sha256 } from "./manifest.ts";
import type { CheckpointStore } from "./store.ts";

/**
 * @param expectedSha256 null where nothing says what the blob must be
 * @throws CheckpointError where the blob is missing, or not what it was when it was written
 */
export async function readVerified(
  store: Pick<CheckpointStore, "get">,
  name: string,
  expectedSha256: string | null,
): Promise<Uint8Array> {
  const bytes = await store.get(name);
  if (bytes === null) throw new CheckpointError("missing", `checkpoint blob ${name} does not exist`);
  if (expectedSha256 !== null && sha256(bytes) !== expectedSha256) {
    throw new CheckpointError(
      "corrupt",
      `checkpoint blob ${name} (${bytes.length} bytes) does not match its hash`,
    );
  }
  return bytes;
}
