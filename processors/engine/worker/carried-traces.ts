/**
 * The traces that the records of the next checkpoint belong to: a few of those whose header says that they are recorded.
 * Where nobody records spans no header is looked at; elsewhere a record without it costs that look, and nothing else.
 */
import { parseTraceparent, TRACEPARENT } from "../../../contracts/traceparent.ts";
import type { OutputRecord, RecordBatch } from "../log/port.ts";
import type { Cut } from "../task/cut.ts";
import type { CheckpointSpan, TaskName, TraceCheckpoint } from "./ports.ts";

/** A span may tell of as many; a checkpoint of a hundred recorded requests is told of by these. */
const MAX_TRACES = 32;

export class CarriedTraces {
  readonly #begin: TraceCheckpoint | undefined;
  #found = new Set<string>();
  /** Records of one request follow each other. */
  #last: string | undefined;

  constructor(begin: TraceCheckpoint | undefined) {
    this.#begin = begin;
  }

  /** A slice applied the batch's records from index `from` to before `to`. */
  applied(batch: RecordBatch, from: number, to: number): void {
    if (this.#begin === undefined) return;
    for (let index = from; index < to && this.#found.size < MAX_TRACES; index++) {
      const traceparent = batch.header(index, TRACEPARENT);
      if (traceparent === undefined || traceparent === this.#last) continue;
      this.#last = traceparent;
      if (parseTraceparent(traceparent)?.sampled) this.#found.add(traceparent);
    }
  }

  /** Begins the span of a cut, where it holds a record of any trace. */
  cut(task: TaskName): CheckpointSpan | undefined {
    const found = [...this.#found];
    this.forget();
    return found.length === 0 ? undefined : this.#begin?.(task, found);
  }

  forget(): void {
    this.#found = new Set();
    this.#last = undefined;
  }
}

/**
 * The cut, whose results and forwarded events come from the span. Dead letters and late events keep what their records
 * had. It is so before the checkpoint is written, so that a recovery publishes the same bytes again.
 */
export function traced(cut: Cut, span: CheckpointSpan | undefined): Cut {
  if (span === undefined) return cut;
  const headers = { [TRACEPARENT]: span.traceparent };
  return {
    ...cut,
    outputs: cut.outputs.map((output) => (isOfTheTask(output) ? { ...output, headers } : output)),
  };
}

/** What the task makes of several records has no headers; what it passes on of one has. */
const isOfTheTask = ({ headers }: OutputRecord): boolean => Object.keys(headers).length === 0;
