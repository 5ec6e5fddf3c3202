/**
 * Runs a pipeline over arrivals, of one topic or of several, as a script says: how many records a batch has, how many
 * steps a slice, and where checkpoints and crashes fall. Without a script: all at once.
 */
import fc from "fast-check";
import type { OutputRecord } from "../../../processors/engine/log/port.ts";
import type { PipelineDefinition } from "../../../processors/engine/pipeline/dsl.ts";
import type { Counters } from "../../../processors/engine/state/task-state.ts";
import { RecoverableTask } from "../../../processors/engine/testing/recoverable-task.ts";
import { batchOf, readable, type TestRecord } from "../../support/records.ts";

export interface Arrival extends Omit<TestRecord, "offset"> {
  readonly topic: string;
}

export interface RunOutputs {
  /** Results without their versions, which tell of checkpoints. */
  readonly results: readonly Result[];
  /** What a table of them holds in the end: the last result of each row that was not taken back. */
  readonly table: readonly Result[];
  readonly dead: readonly { readonly value: string; readonly headers: Readonly<Record<string, string>> }[];
  readonly late: readonly { readonly value: string; readonly headers: Readonly<Record<string, string>> }[];
  readonly counters: Readonly<Counters>;
}

export interface Result {
  readonly key: string;
  readonly window: { readonly start: number; readonly end: number };
  readonly value: unknown;
  readonly revision: number;
  readonly pane?: number;
}

/** Crashes that a script may cause; after them it goes on without. */
const MAX_CRASHES = 8;

/** Numbers of any kind: each says how the run goes on for a while. */
export const scripts = fc.array(fc.nat(1_000), { minLength: 1, maxLength: 30 });

export function run(
  definition: PipelineDefinition,
  arrivals: readonly Arrival[],
  script: readonly number[] = [],
): RunOutputs {
  const records = withOffsets(arrivals);
  const recoverable = new RecoverableTask({ definition, partition: 0, partitions: 1 });
  const outputs: OutputRecord[] = [];
  let [position, checkpointed, crashes] = [0, 0, 0];
  for (let turn = 0; position < records.length || recoverable.task.firing; turn++) {
    const drawn = script[turn % script.length];
    if (drawn !== undefined && drawn % 3 === 0) {
      outputs.push(...recoverable.checkpoint());
      checkpointed = position;
    }
    if (drawn !== undefined && drawn % 7 === 0 && crashes < MAX_CRASHES) {
      recoverable.crash();
      position = checkpointed;
      crashes += 1;
    }
    position += advance(recoverable, records.slice(position), drawn);
  }
  outputs.push(...recoverable.checkpoint());
  return sorted(outputs, recoverable.task.counters);
}

/** Fires, or applies a batch; returns how many records were applied. */
function advance(
  { task }: RecoverableTask,
  rest: readonly (Arrival & TestRecord)[],
  drawn: number | undefined,
): number {
  const maxSteps = drawn === undefined ? 1_000 : 1 + (drawn % 4);
  if (task.firing) {
    task.fire(maxSteps);
    return 0;
  }
  const [first] = rest;
  if (first === undefined) return 0;
  const ofOther = rest.findIndex(({ topic }) => topic !== first.topic);
  const size = Math.min(
    ofOther < 0 ? rest.length : ofOther,
    drawn === undefined ? rest.length : 1 + (drawn % 5),
  );
  return task.apply(batchOf({ topic: first.topic, partition: 0 }, rest.slice(0, size)), 0, maxSteps);
}

function withOffsets(arrivals: readonly Arrival[]): (Arrival & TestRecord)[] {
  const next = new Map<string, number>();
  return arrivals.map((arrival) => {
    const offset = next.get(arrival.topic) ?? 0;
    next.set(arrival.topic, offset + 1);
    return { ...arrival, offset };
  });
}

function sorted(outputs: readonly OutputRecord[], counters: Readonly<Counters>): RunOutputs {
  const all = outputs.map(readable);
  const series = all.flatMap(({ topic, value }) =>
    String(topic).endsWith(".results") ? [value as Result & { readonly kind: string }] : [],
  );
  const others = (suffix: string) =>
    all.filter(({ topic }) => String(topic).endsWith(suffix)) as unknown as RunOutputs["dead"];
  return {
    results: series.filter(({ kind }) => kind === "result").map(plain),
    table: tableOf(series),
    dead: others("dead-letters"),
    late: others(".late"),
    counters: { ...counters },
  };
}

function tableOf(series: readonly (Result & { readonly kind: string })[]): Result[] {
  const rows = new Map<string, Result>();
  for (const record of series) {
    const row = JSON.stringify([record.key, record.window, record.pane]);
    if (record.kind === "retract") rows.delete(row);
    else rows.set(row, plain(record));
  }
  return [...rows.values()];
}

const plain = ({ key, window, value, revision, pane }: Result): Result => ({
  key,
  window,
  value,
  revision,
  ...(pane === undefined ? {} : { pane }),
});

/** A record with an event as JSON. */
export const event = (topic: string, value: object): Arrival => ({ topic, value: JSON.stringify(value) });

/** A watermark record. */
export const watermark = (topic: string, ms: number): Arrival => ({
  topic,
  key: null,
  value: null,
  headers: { "spillway-watermark-ms": String(ms) },
});

/** Events in an order in which none comes more than `boundMs` of event time behind another. */
export function inDisorder<Event extends { readonly t: number }>(
  events: readonly Event[],
  delays: readonly number[],
  boundMs: number,
): Event[] {
  const arrivals = events.map((each, index) => ({
    each,
    arrivalMs: each.t + ((delays[index % Math.max(1, delays.length)] ?? 0) % (boundMs + 1)),
  }));
  return arrivals.sort((a, b) => a.arrivalMs - b.arrivalMs).map(({ each }) => each);
}
