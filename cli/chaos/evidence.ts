/** What a failed run leaves behind on purpose. */
import { cp, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Copies the logs of every process, and what the brokers hold, out of a folder that is about to go; resolves with where
 * they are.
 */
export async function keepEvidence(runDirectory: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "spillway-chaos-logs-"));
  await cp(join(runDirectory, "logs"), folder, { recursive: true });
  await cp(join(runDirectory, "kafka"), join(folder, "kafka"), { recursive: true });
  return folder;
}
