/** Where a generator writes. */
import { createWriteStream } from "node:fs";
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";

export interface OutputFiles {
  /** For the events; else standard output. */
  readonly out?: string | undefined;
  /** For what is known to be true of them; else nothing is said of it. */
  readonly truth?: string | undefined;
}

/** Writes text to a file, or to standard output where there is none. */
export async function write(
  text: Iterable<string> | AsyncIterable<string>,
  file: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const to: Writable = file === undefined ? process.stdout : createWriteStream(file);
  try {
    await pipeline(Readable.from(text), to, { signal, end: file !== undefined });
  } catch (error) {
    signal.throwIfAborted();
    // Whoever reads standard output has enough of it, as `head` does.
    if (file !== undefined || (error as NodeJS.ErrnoException).code !== "EPIPE") throw error;
  }
}
