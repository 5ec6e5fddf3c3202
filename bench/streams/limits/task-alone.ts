/**
 * The engine's task on decoded events, without Kafka and without the storage of checkpoints: `node task-alone.ts <case>
 * <cold events> <events>`. One task takes all keys, and is cut about as often as a checkpoint would be.
 */
import type { RecordBatch } from "../../../processors/engine/log/port.ts";
import { emptyState } from "../../../processors/engine/state/task-state.ts";
import { Task } from "../../../processors/engine/task/task.ts";
import { type BenchEvent, eventAt } from "../events.ts";
import { pipelineOf } from "../pipelines.ts";
import { windowCaseOf } from "../windows.ts";
import { Marks } from "./marks.ts";

const BATCH_RECORDS = 5_000;
/** At 300,000 events a second, a second. */
const EVENTS_PER_CUT = 300_000;

const [name, coldEvents, events] = process.argv.slice(2) as [string, string, string];
const windowCase = windowCaseOf(name);
const { stream } = windowCase;
/** Those of the batch at hand; a record's value is its place among them. */
let decoded: readonly BenchEvent[] = [];
let keys: readonly Uint8Array[] = [];
const places = Array.from(
  { length: BATCH_RECORDS },
  (_, place) => new Uint8Array(Uint16Array.of(place).buffer),
);
const definition = pipelineOf(windowCase, {
  topic: stream.topic,
  decode: (value) => decoded[value[0]! + value[1]! * 256]!,
  time: ({ time }) => time,
});
const state = emptyState(definition, [0]);
const task = new Task({ definition, partition: 0, partitions: 1, generation: 1, nextCheckpoint: 1, state });
const marks = new Marks(Number(coldEvents), Number(events));
for (let first = 0; !marks.passed(first); first += BATCH_RECORDS) {
  const batch = marks.leavingOut(() => batchOf(first));
  for (let next = 0; next < batch.count; ) {
    if (task.firing) task.fire(BATCH_RECORDS);
    else next = task.apply(batch, next, BATCH_RECORDS);
  }
  if (first % EVENTS_PER_CUT === 0) task.cut("delta");
}

function batchOf(first: number): RecordBatch {
  decoded = places.map((_, place) => eventAt(stream, first + place));
  keys = decoded.map(({ key }) => Buffer.from(key));
  return {
    topic: stream.topic,
    partition: 0,
    count: decoded.length,
    highWatermark: Number(events),
    nextOffset: first + decoded.length,
    offset: (index) => first + index,
    arrivalMs: (index) => decoded[index]!.time,
    key: (index) => keys[index]!,
    value: (index) => places[index]!,
    header: () => undefined,
  };
}
