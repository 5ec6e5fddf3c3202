/** `spillway replay`: any pipeline over a file, without Kafka. */
import { closeSync, fstatSync, openSync } from "node:fs";
import type { PipelineDefinition } from "../../processors/engine/pipeline/definition.ts";
import { type Command, parseOptions, UsageError, wholeNumber } from "../command.ts";
import { loadPipeline } from "../pipelines/load.ts";
import { OutputLines } from "./output-lines.ts";
import { type ReplaySummary, replay } from "./replay.ts";
import { regular, seeded } from "./schedule.ts";

const MAX_PARTITIONS = 1_000;
const MAX_EVERY = 1_000_000_000;
const MAX_BATCH = 1_000_000;
const MAX_SEED = 2 ** 32 - 1;
const DEFAULT_BATCH = 1_000;
const DEFAULT_CHECKPOINT_EVERY = 10_000;

const help = `Usage: spillway replay --pipeline <module.ts> --input <file> --output <file> [options]

Runs a pipeline over a file without Kafka: each line is the value of a record, and the pipeline's source says how
its key and event time are read. Writes a line of JSON for each result, retraction, late and dead line. The output
depends on the lines and --partitions only, byte for byte: the other options make no difference to it, and that is
what they are for. docs/testing.md describes both formats.

  --pipeline M          the module that exports the pipeline
  --name N              which of its pipelines, where it exports several
  --input F             a file with a record value a line; {"$watermark": <ms>} is a watermark for every partition
  --output F            is overwritten
  --partitions N        tasks; a line goes where its key hashes to   (default 1)
  --checkpoint-every N  lines between two checkpoints   (default ${DEFAULT_CHECKPOINT_EVERY})
  --crash-every N       every N lines drop all memory and go on from the last checkpoint   (default: never)
  --batch N             lines in a batch, at most   (default ${DEFAULT_BATCH})
  --seed S              draws the size of each batch, of each slice of work, and further checkpoints between and
                        inside firings   (default: all batches of one size)
  --help                this text`;

export const command: Command = {
  help,
  run: async (args, signal) => {
    const options = replayOptions(args);
    const { input, output } = options;
    const definition = await loadPipeline(options.pipeline, options.name);
    const startedMs = performance.now();
    const inputFile = openInput(input);
    try {
      const outputFile = openOutput(output, inputFile, input);
      try {
        const lines = new OutputLines(definition.name, outputFile);
        const summary = await replay(definition, inputFile, lines, options, signal);
        console.log(
          report(definition, options.partitions, summary, lines.counts, performance.now() - startedMs),
        );
      } finally {
        closeSync(outputFile);
      }
    } finally {
      closeSync(inputFile);
    }
    return 0;
  },
};

/** Reads the command line; throws {@link UsageError}. */
export function replayOptions(args: readonly string[]) {
  const values = parseOptions(args, {
    pipeline: { type: "string" },
    name: { type: "string" },
    input: { type: "string" },
    output: { type: "string" },
    partitions: { type: "string", default: "1" },
    "checkpoint-every": { type: "string", default: String(DEFAULT_CHECKPOINT_EVERY) },
    "crash-every": { type: "string" },
    batch: { type: "string", default: String(DEFAULT_BATCH) },
    seed: { type: "string" },
  });
  const { "crash-every": crashEvery, seed } = values;
  const batch = wholeNumber("batch", values.batch, 1, MAX_BATCH);
  return {
    pipeline: required("pipeline", values.pipeline, "the module that exports the pipeline"),
    name: values.name,
    input: required("input", values.input, "a file with a record value a line"),
    output: required("output", values.output, "the file to write"),
    partitions: wholeNumber("partitions", values.partitions, 1, MAX_PARTITIONS),
    checkpointEvery: wholeNumber("checkpoint-every", values["checkpoint-every"], 1, MAX_EVERY),
    crashEvery: crashEvery === undefined ? undefined : wholeNumber("crash-every", crashEvery, 1, MAX_EVERY),
    schedule: seed === undefined ? regular(batch) : seeded(batch, wholeNumber("seed", seed, 0, MAX_SEED)),
  };
}

function required(option: string, value: string | undefined, meaning: string): string {
  if (value !== undefined && value !== "") return value;
  throw new UsageError(`replay needs --${option}: ${meaning}`);
}

/** A crash goes back in the file, so it must be one. */
function openInput(path: string): number {
  const file = open(path, "r", "--input");
  if (fstatSync(file).isFile()) return file;
  closeSync(file);
  throw new UsageError(`--input ${path} is not a file: a crash reads lines again, which a pipe cannot`);
}

function openOutput(path: string, inputFile: number, input: string): number {
  // Opened without being emptied, as it may be the input by another name.
  const file = open(path, "a", "--output");
  const [read, written] = [fstatSync(inputFile), fstatSync(file)];
  if (read.dev === written.dev && read.ino === written.ino) {
    closeSync(file);
    throw new UsageError(`--output ${path} is the input, ${input}; name another file`);
  }
  closeSync(file);
  return open(path, "w", "--output");
}

function open(path: string, flags: "r" | "a" | "w", option: string): number {
  try {
    return openSync(path, flags);
  } catch (cause) {
    throw new UsageError(`${option} ${path} cannot be opened: ${(cause as Error).message}`, { cause });
  }
}

const count = (value: number): string => value.toLocaleString("en-US");

function report(
  definition: PipelineDefinition,
  partitions: number,
  summary: ReplaySummary,
  written: OutputLines["counts"],
  tookMs: number,
): string {
  const { lines, emptyLines, watermarks, checkpoints, crashes, counters } = summary;
  const seconds = tookMs / 1_000;
  const rows: (readonly [string, string])[] = [
    [
      "lines",
      `${count(lines)} (${count(watermarks)} watermarks; ${count(emptyLines)} empty lines passed over)`,
    ],
    [
      "events",
      `${count(counters.counted)} counted, ${count(counters.duplicate)} duplicate, ${count(counters.late)} late, ` +
        `${count(counters.dead)} dead, ${count(counters.ignored)} ignored`,
    ],
    [
      "written",
      `${count(written.result)} results, ${count(written.retract)} retractions, ${count(written.late)} late, ${count(written.dead)} dead`,
    ],
    [
      "survived",
      `${count(crashes)} crashes, with ${count(checkpoints)} checkpoints of ${count(partitions)} partitions`,
    ],
    ["took", `${seconds.toFixed(1)} s: ${count(Math.round(lines / seconds))} lines/s`],
  ];
  return [definition.name, ...rows.map(([name, text]) => `  ${name.padEnd(9)} ${text}`)].join("\n");
}
