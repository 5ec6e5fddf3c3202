/**
 * Runs a pipeline over files: the engine's own tasks, checkpoints and recovery, without Kafka. What is written depends
 * on the lines and the number of partitions, and on nothing else: not on batches, checkpoints or crashes.
 */
import { setImmediate as yieldToEvents } from "node:timers/promises";
import type { PipelineDefinition } from "../../processors/engine/pipeline/definition.ts";
import { COUNTERS, type Counters } from "../../processors/engine/state/task-state.ts";
import { stagesWithPartitions, topicsOf } from "../../processors/engine/testing/stages.ts";
import type { Answers } from "./answers.ts";
import type { Lines } from "./line-reader.ts";
import type { OutputLines } from "./output-lines.ts";
import type { Schedule } from "./schedule.ts";
import { inOrder, StageRun } from "./stage.ts";
import { tableRecordOf } from "./table-line.ts";
import type { TopicLines, TopicPosition } from "./topic-lines.ts";
import { watermarkOf } from "./watermark-line.ts";

export interface ReplayOptions {
  readonly partitions: number;
  /** Every so many lines all partitions make a checkpoint, and what they wrote since the last one is written out. */
  readonly checkpointEvery: number;
  /** Every so many lines all memory is dropped; undefined: never. */
  readonly crashEvery: number | undefined;
  readonly schedule: Schedule;
  /** What services say of a pipeline that enriches. */
  readonly answers: Answers;
}

export interface ReplaySummary {
  /** Without empty ones. */
  readonly lines: number;
  readonly emptyLines: number;
  readonly watermarks: number;
  readonly checkpoints: number;
  readonly crashes: number;
  /** What became of the records of each stage; the last is the pipeline's own. */
  readonly stages: readonly { readonly name: string; readonly counters: Readonly<Counters> }[];
}

/** At the end of the input: later than the end of any window that a date can lie in. */
const END_OF_TIME_MS = Number.MAX_SAFE_INTEGER;

/**
 * Reads the lines to their end, then closes every window.
 * @throws the signal's reason once it aborts
 */
export async function replay(
  definition: PipelineDefinition,
  lines: TopicLines,
  output: OutputLines,
  options: ReplayOptions,
  signal: AbortSignal,
): Promise<ReplaySummary> {
  return new Replay(definition, lines, output, options).run(signal);
}

class Replay {
  readonly #definition: PipelineDefinition;
  readonly #options: ReplayOptions;
  readonly #input: TopicLines;
  readonly #output: OutputLines;
  readonly #stages: readonly StageRun[];
  readonly #tables: readonly string[];
  /** Where the last checkpoint was made. */
  #committed: TopicPosition;
  #watermarks = 0;
  #committedWatermarks = 0;
  #checkpoints = 0;
  #crashes = 0;

  constructor(
    definition: PipelineDefinition,
    input: TopicLines,
    output: OutputLines,
    options: ReplayOptions,
  ) {
    this.#definition = definition;
    this.#options = options;
    this.#input = input;
    this.#output = output;
    this.#committed = input.position;
    this.#tables = topicsOf(definition, "table");
    this.#stages = stagesWithPartitions(definition, options.partitions).map(
      (stage) => new StageRun(stage, options.schedule, options.answers),
    );
  }

  async run(signal: AbortSignal): Promise<ReplaySummary> {
    const { checkpointEvery, crashEvery = Number.POSITIVE_INFINITY, schedule } = this.#options;
    let nextCheckpoint = checkpointEvery;
    let nextCrash = crashEvery;
    while (true) {
      const { lines } = this.#input.position;
      const maxLines = Math.min(schedule.batchLines(), nextCheckpoint - lines, nextCrash - lines);
      const batch = this.#input.next(maxLines);
      if (batch.starts.length === 0) break;
      await this.#ask(this.#input.topic, batch, signal);
      this.#apply(this.#input.topic, batch, lines);
      if (this.#input.position.lines === nextCrash) {
        nextCrash += crashEvery;
        this.#crash();
      } else if (this.#input.position.lines === nextCheckpoint) {
        nextCheckpoint += checkpointEvery;
        this.#checkpoint();
        await yieldToEvents();
        signal.throwIfAborted();
      }
    }
    return this.#end();
  }

  #end(): ReplaySummary {
    const { lines, emptyLines } = this.#input.position;
    // A topic at a time: a batch holds records of one topic.
    for (const topic of topicsOf(this.#definition, "events")) {
      this.#addWatermark(topic, lines, Buffer.alloc(0), END_OF_TIME_MS);
      this.#applyUntil(lines);
    }
    this.#checkpoint();
    this.#output.flush();
    return {
      lines,
      emptyLines,
      watermarks: this.#watermarks,
      checkpoints: this.#checkpoints,
      crashes: this.#crashes,
      stages: this.#stages.map(({ definition, partitions }) => ({
        name: definition.name,
        counters: total(partitions.map(({ counters }) => counters)),
      })),
    };
  }

  /** Nobody waits in a replay: what services are asked about a batch is answered before it is applied. */
  async #ask(topic: string, { bytes, starts, ends }: Lines, signal: AbortSignal): Promise<void> {
    for (const { definition } of this.#readersOf(topic)) {
      const input = definition.inputs.find((each) => each.topic === topic)!;
      if (input.enrich === null) continue;
      const values = starts.map((start, i) => bytes.subarray(start, ends[i]));
      await this.#options.answers.askAbout(input, values, signal);
    }
  }

  /** @param first number of the batch's first line, from 0 */
  #apply(topic: string, lines: Lines, first: number): void {
    if (this.#tables.includes(topic)) this.#addRows(topic, lines, first);
    else this.#addEvents(topic, lines, first);
    this.#applyUntil(first + lines.starts.length - 1);
  }

  #addRows(topic: string, { bytes, starts, ends }: Lines, first: number): void {
    const rows = starts.map((start, i) => ({
      line: first + i,
      output: tableRecordOf(topic, bytes.subarray(start, ends[i])),
    }));
    for (const stage of this.#readersOf(topic)) stage.addRows(topic, rows);
  }

  #addEvents(topic: string, { bytes, starts, ends }: Lines, first: number): void {
    const stages = this.#readersOf(topic);
    for (let i = 0; i < starts.length; i++) {
      const [line, start, end] = [first + i, starts[i]!, ends[i]!];
      const watermarkMs = watermarkOf(bytes, start, end);
      if (watermarkMs === undefined) {
        for (const stage of stages) stage.addLine(topic, line, bytes, start, end);
      } else {
        this.#watermarks += 1;
        this.#addWatermark(topic, line, bytes, watermarkMs);
      }
    }
  }

  #applyUntil(line: number): void {
    for (const [index, stage] of this.#stages.entries()) stage.apply(this.#stages.slice(0, index), line);
  }

  #addWatermark(topic: string, line: number, bytes: Buffer, watermarkMs: number): void {
    for (const stage of this.#readersOf(topic)) stage.addWatermark(topic, line, bytes, watermarkMs);
  }

  #readersOf(topic: string): readonly StageRun[] {
    return this.#stages.filter(({ definition }) => definition.inputs.some((input) => input.topic === topic));
  }

  #checkpoint(): void {
    const stages = this.#stages.flatMap(({ definition, partitions }) =>
      partitions.map((partition) =>
        partition.checkpoint().filter(({ output }) => output.topic !== definition.forwards?.topic),
      ),
    );
    this.#output.write(inOrder(stages));
    this.#committed = this.#input.position;
    this.#committedWatermarks = this.#watermarks;
    this.#checkpoints += 1;
  }

  #crash(): void {
    for (const { partitions } of this.#stages) for (const partition of partitions) partition.crash();
    this.#input.seek(this.#committed);
    this.#watermarks = this.#committedWatermarks;
    this.#crashes += 1;
  }
}

function total(counters: readonly Readonly<Counters>[]): Counters {
  const sum = { ...counters[0]! };
  for (const name of COUNTERS) {
    sum[name] = counters.reduce((before, each) => before + each[name], 0);
  }
  return sum;
}
