/** Writes what a stream of made-up users delivers, and then what is true of it. */
import { type OutputFiles, write } from "./output.ts";
import { deliver, type GenerateOptions, parametersOf, type Stream, type Truth } from "./traffic.ts";

/** Lines that are written at once. */
const CHUNK_LINES = 1_000;

export async function writeTraffic(
  stream: Stream,
  options: GenerateOptions,
  { out, truth }: OutputFiles,
  signal: AbortSignal,
): Promise<void> {
  const known: Truth[] = [parametersOf(stream, options)];
  const learn = truth === undefined ? () => {} : (found: readonly Truth[]) => known.push(...found);
  await write(chunks(deliver(stream, options), learn), out, signal);
  if (truth === undefined) return;
  const lines = [...known, ...stream.truth()].map((each) => `${JSON.stringify(each)}\n`);
  await write(lines, truth, signal);
}

function* chunks(
  events: Iterable<{ readonly line: string; readonly truth: readonly Truth[] }>,
  learn: (truth: readonly Truth[]) => void,
): Generator<string> {
  let lines: string[] = [];
  for (const { line, truth } of events) {
    if (truth.length > 0) learn(truth);
    lines.push(line);
    if (lines.length === CHUNK_LINES) {
      yield `${lines.join("\n")}\n`;
      lines = [];
    }
  }
  if (lines.length > 0) yield `${lines.join("\n")}\n`;
}
