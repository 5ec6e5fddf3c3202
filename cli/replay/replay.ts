/**
 * Runs a pipeline over a file: the engine's own tasks, checkpoints and recovery, without Kafka. What is written
 * depends on the lines and the number of partitions, and on nothing else: not on batches, checkpoints or crashes.
 */
import { setImmediate as yieldToEvents } from "node:timers/promises";
import type { PipelineDefinition } from "../../processors/engine/pipeline/definition.ts";
import { COUNTERS, type Counters } from "../../processors/engine/state/task-state.ts";
import { expectedKey, partitionOfRecord } from "../../processors/engine/testing/routing.ts";
import { LineReader, type Lines, type Position } from "./line-reader.ts";
import type { OutputLines } from "./output-lines.ts";
import { Partition, type PlacedOutput } from "./partition.ts";
import type { Schedule } from "./schedule.ts";
import { watermarkOf } from "./watermark-line.ts";

export interface ReplayOptions {
  readonly partitions: number;
  /** Every so many lines all partitions make a checkpoint, and what they wrote since the last one is written out. */
  readonly checkpointEvery: number;
  /** Every so many lines all memory is dropped; undefined: never. */
  readonly crashEvery: number | undefined;
  readonly schedule: Schedule;
}

export interface ReplaySummary {
  /** Without empty ones. */
  readonly lines: number;
  readonly emptyLines: number;
  readonly watermarks: number;
  readonly checkpoints: number;
  readonly crashes: number;
  readonly counters: Readonly<Counters>;
}

/** At the end of the input: later than the end of any window that a date can lie in. */
const END_OF_TIME_MS = Number.MAX_SAFE_INTEGER;

/**
 * Reads the file to its end, then closes every window.
 * @param file descriptor of a regular file, open for reading
 * @throws the signal's reason once it aborts
 */
export async function replay(
  definition: PipelineDefinition,
  file: number,
  output: OutputLines,
  options: ReplayOptions,
  signal: AbortSignal,
): Promise<ReplaySummary> {
  return new Replay(definition, file, output, options).run(signal);
}

class Replay {
  readonly #definition: PipelineDefinition;
  readonly #options: ReplayOptions;
  readonly #reader: LineReader;
  readonly #output: OutputLines;
  readonly #partitions: readonly Partition[];
  /** Where the last checkpoint was made. */
  #committed: Position;
  #watermarks = 0;
  #committedWatermarks = 0;
  #checkpoints = 0;
  #crashes = 0;

  constructor(definition: PipelineDefinition, file: number, output: OutputLines, options: ReplayOptions) {
    const { partitions, schedule } = options;
    this.#definition = definition;
    this.#options = options;
    this.#output = output;
    this.#reader = new LineReader(file);
    this.#committed = this.#reader.position;
    this.#partitions = Array.from(
      { length: partitions },
      (_, partition) => new Partition({ definition, partition, partitions, schedule }),
    );
  }

  async run(signal: AbortSignal): Promise<ReplaySummary> {
    const { checkpointEvery, crashEvery = Number.POSITIVE_INFINITY, schedule } = this.#options;
    let nextCheckpoint = checkpointEvery;
    let nextCrash = crashEvery;
    while (true) {
      const { lines } = this.#reader.position;
      const maxLines = Math.min(schedule.batchLines(), nextCheckpoint - lines, nextCrash - lines);
      const batch = this.#reader.next(maxLines);
      if (batch.starts.length === 0) break;
      this.#apply(batch, lines);
      if (this.#reader.position.lines === nextCrash) {
        nextCrash += crashEvery;
        this.#crash();
      } else if (this.#reader.position.lines === nextCheckpoint) {
        nextCheckpoint += checkpointEvery;
        this.#checkpoint();
        await yieldToEvents();
        signal.throwIfAborted();
      }
    }
    return this.#end();
  }

  #end(): ReplaySummary {
    const { lines, emptyLines } = this.#reader.position;
    this.#watermark(Buffer.alloc(0), lines, END_OF_TIME_MS);
    for (const partition of this.#partitions) partition.apply();
    this.#checkpoint();
    this.#output.flush();
    return {
      lines,
      emptyLines,
      watermarks: this.#watermarks,
      checkpoints: this.#checkpoints,
      crashes: this.#crashes,
      counters: total(this.#partitions.map(({ counters }) => counters)),
    };
  }

  /** @param first number of the batch's first line, from 0 */
  #apply({ bytes, starts, ends }: Lines, first: number): void {
    for (let i = 0; i < starts.length; i++) {
      const [line, start, end] = [first + i, starts[i]!, ends[i]!];
      const watermarkMs = watermarkOf(bytes, start, end);
      if (watermarkMs === undefined) {
        this.#partitionOf(bytes, start, end).batchOf(bytes).add(line, start, end);
      } else {
        this.#watermarks += 1;
        this.#watermark(bytes, line, watermarkMs);
      }
    }
    for (const partition of this.#partitions) partition.apply();
  }

  #watermark(bytes: Buffer, line: number, watermarkMs: number): void {
    for (const partition of this.#partitions) partition.batchOf(bytes).addWatermark(line, watermarkMs);
  }

  #partitionOf(bytes: Buffer, start: number, end: number): Partition {
    const { length } = this.#partitions;
    // With one partition nothing is to be decided, and the line need not be decoded twice.
    if (length === 1) return this.#partitions[0]!;
    const value = bytes.subarray(start, end);
    const key = expectedKey(this.#definition.inputs[0]!, value);
    return this.#partitions[partitionOfRecord(key, value, length)]!;
  }

  #checkpoint(): void {
    this.#output.write(inOrder(this.#partitions.map((partition) => partition.checkpoint())));
    this.#committed = this.#reader.position;
    this.#committedWatermarks = this.#watermarks;
    this.#checkpoints += 1;
  }

  #crash(): void {
    for (const partition of this.#partitions) partition.crash();
    this.#reader.seek(this.#committed);
    this.#watermarks = this.#committedWatermarks;
    this.#crashes += 1;
  }
}

/** By the line that they came of, then by partition; those of one line and partition as they were written. */
function inOrder(outputs: readonly (readonly PlacedOutput[])[]): readonly PlacedOutput[] {
  if (outputs.length === 1) return outputs[0]!;
  return outputs.flat().sort((a, b) => a.line - b.line || a.partition - b.partition);
}

function total(counters: readonly Readonly<Counters>[]): Counters {
  const sum = { ...counters[0]! };
  for (const name of COUNTERS) {
    sum[name] = counters.reduce((before, each) => before + each[name], 0);
  }
  return sum;
}
