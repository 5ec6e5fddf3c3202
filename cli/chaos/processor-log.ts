/** What the processors said of themselves, from their log files. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

export interface ProcessorEntry {
  readonly message: string;
  readonly timestamp: string;
  readonly partition?: number;
  readonly code?: string;
  readonly reason?: string;
  readonly step?: string;
  readonly recoveryMs?: number;
  readonly error?: { readonly name?: string; readonly message?: string };
}

/** Every entry of every process of the service so far, metrics left out. */
export async function readProcessorLog(runDirectory: string, service: string): Promise<ProcessorEntry[]> {
  const logs = join(runDirectory, "logs");
  const names = (await readdir(logs)).filter((name) => name.startsWith(`${service}-`));
  const texts = await Promise.all(names.map((name) => readFile(join(logs, name), "utf8")));
  return texts.flatMap((text) => text.split("\n").flatMap(entryOf));
}

/** A killed process leaves half a line, and Node's own messages are no JSON. */
function entryOf(line: string): ProcessorEntry[] {
  try {
    const entry = JSON.parse(line) as ProcessorEntry;
    return typeof entry.message === "string" ? [entry] : [];
  } catch {
    return [];
  }
}
