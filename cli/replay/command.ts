/** `spillway replay`: any pipeline over a file, without Kafka. */
import { closeSync, fstatSync, openSync, type Stats } from "node:fs";
import type { PipelineDefinition } from "../../processors/engine/pipeline/definition.ts";
import type { Counters } from "../../processors/engine/state/task-state.ts";
import { topicsOf } from "../../processors/engine/testing/stages.ts";
import { type Command, parseOptions, UsageError, wholeNumber } from "../command.ts";
import { loadPipeline } from "../pipelines/load.ts";
import { Answers, readAnswers } from "./answers.ts";
import { closeAll, openInputs } from "./input-files.ts";
import { OutputLines } from "./output-lines.ts";
import { type ReplayOptions, type ReplaySummary, replay } from "./replay.ts";
import { regular, seeded } from "./schedule.ts";
import { type TopicFile, TopicLines } from "./topic-lines.ts";

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
  --input F             a file with a record value a line; {"$watermark": <ms>} is a watermark for every partition.
                        Where the pipeline reads several topics, each has its own: --input <topic>=F; they are read one
                        after the other, tables first; a line of a table is {"key": "…", "value": …}
  --output F            is overwritten
  --partitions N        tasks; a line goes where its key hashes to   (default 1)
  --checkpoint-every N  lines between two checkpoints   (default ${DEFAULT_CHECKPOINT_EVERY})
  --crash-every N       every N lines drop all memory and go on from the last checkpoint   (default: never)
  --batch N             lines in a batch, at most   (default ${DEFAULT_BATCH})
  --seed S              draws the size of each batch, of each slice of work, and further checkpoints between and
                        inside firings   (default: all batches of one size)
  --answers F           what the service of a pipeline that enriches says: a line is {"question": "…", "answer": …}, or has
                        a "failure" or "skipped" instead; other questions fail   (default: the service is called, once a
                        question, within the limits that the pipeline states)
  --help                this text`;

export const command: Command = {
  help,
  run: async (args, signal) => {
    const options = replayOptions(args);
    const definition = await loadPipeline(options.pipeline, options.name);
    // Events wait until the tables that they look into are read.
    const topics = [...topicsOf(definition, "table"), ...topicsOf(definition, "events")];
    const inputs = openInputs(topics, options.inputs);
    try {
      const output = openOutput(options.output, inputs);
      try {
        await run(definition, inputs, output, options, signal);
      } finally {
        closeSync(output);
      }
    } finally {
      closeAll(inputs);
    }
    return 0;
  },
};

async function run(
  definition: PipelineDefinition,
  inputs: readonly TopicFile[],
  output: number,
  options: ReplayOptions,
  signal: AbortSignal,
): Promise<void> {
  const startedMs = performance.now();
  const lines = new OutputLines(definition, output);
  const summary = await replay(definition, new TopicLines(inputs), lines, options, signal);
  const tookMs = performance.now() - startedMs;
  console.log(report(definition.name, options.partitions, summary, lines, tookMs));
}

/** Reads the command line; throws {@link UsageError}. */
export function replayOptions(args: readonly string[]) {
  const values = parseOptions(args, {
    pipeline: { type: "string" },
    name: { type: "string" },
    input: { type: "string", multiple: true },
    output: { type: "string" },
    partitions: { type: "string", default: "1" },
    "checkpoint-every": { type: "string", default: String(DEFAULT_CHECKPOINT_EVERY) },
    "crash-every": { type: "string" },
    batch: { type: "string", default: String(DEFAULT_BATCH) },
    seed: { type: "string" },
    answers: { type: "string" },
  });
  const { "crash-every": crashEvery, seed } = values;
  const batch = wholeNumber("batch", values.batch, 1, MAX_BATCH);
  return {
    pipeline: required("pipeline", values.pipeline, "the module that exports the pipeline"),
    name: values.name,
    inputs: values.input ?? [],
    output: required("output", values.output, "the file to write"),
    partitions: wholeNumber("partitions", values.partitions, 1, MAX_PARTITIONS),
    checkpointEvery: wholeNumber("checkpoint-every", values["checkpoint-every"], 1, MAX_EVERY),
    crashEvery: crashEvery === undefined ? undefined : wholeNumber("crash-every", crashEvery, 1, MAX_EVERY),
    answers: new Answers(values.answers === undefined ? null : readAnswers(values.answers)),
    schedule: seed === undefined ? regular(batch) : seeded(batch, wholeNumber("seed", seed, 0, MAX_SEED)),
  };
}

function required(option: string, value: string | undefined, meaning: string): string {
  if (value !== undefined && value !== "") return value;
  throw new UsageError(`replay needs --${option}: ${meaning}`);
}

/** @throws UsageError where it cannot be written, or is one of the inputs by whatever name */
function openOutput(path: string, inputs: readonly TopicFile[]): number {
  try {
    // Not emptied yet: it may be an input.
    const file = openSync(path, "a");
    const written = fstatSync(file);
    closeSync(file);
    if (!inputs.some((input) => isSameFile(fstatSync(input.file), written))) return openSync(path, "w");
  } catch (cause) {
    throw new UsageError(`--output ${path} cannot be written: ${(cause as Error).message}`, { cause });
  }
  throw new UsageError(`--output ${path} is an input too; name another file`);
}

const isSameFile = (a: Stats, b: Stats): boolean => a.dev === b.dev && a.ino === b.ino;

const count = (value: number): string => value.toLocaleString("en-US");

function report(
  pipeline: string,
  partitions: number,
  summary: ReplaySummary,
  { counts, deadReasons }: OutputLines,
  tookMs: number,
): string {
  const { lines, emptyLines, watermarks, checkpoints, crashes, stages } = summary;
  const seconds = tookMs / 1_000;
  const { result, retract, late, dead } = counts;
  const rows: (readonly [string, string])[] = [
    [
      "lines",
      `${count(lines)} (${count(watermarks)} watermarks); ${count(emptyLines)} empty ones passed over`,
    ],
    ...stages.map(({ name, counters }) => [name === pipeline ? "events" : name, outcomes(counters)] as const),
    [
      "written",
      `${count(result)} results, ${count(retract)} retractions, ${count(late)} late, ${count(dead)} dead`,
    ],
    ...[...deadReasons].map(
      ([reason, { lines, detail }], index) =>
        [index === 0 ? "dead" : "", `${count(lines)} ${reason}, first: ${detail}`] as const,
    ),
    [
      "survived",
      `${count(crashes)} crashes, with ${count(checkpoints)} checkpoints of ${count(partitions)} partitions`,
    ],
    ["took", `${seconds.toFixed(1)} s: ${count(Math.round(lines / seconds))} lines/s`],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return [pipeline, ...rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`)].join("\n");
}

const outcomes = ({ counted, duplicate, late, dead, ignored }: Counters): string =>
  `${count(counted)} counted, ${count(duplicate)} duplicate, ${count(late)} late, ${count(dead)} dead, ` +
  `${count(ignored)} ignored`;
