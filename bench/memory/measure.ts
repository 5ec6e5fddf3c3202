/** Fills a task and weighs it: memory, and the size and the times of a base. */
import type { RecordBatch } from "../../processors/engine/log/port.ts";
import type { PipelineDefinition } from "../../processors/engine/pipeline/definition.ts";
import { decodeSnapshot } from "../../processors/engine/state/snapshot.ts";
import { emptyState } from "../../processors/engine/state/task-state.ts";
import { Task } from "../../processors/engine/task/task.ts";
import { type MemoryCase, MOMENT_MS } from "./cases.ts";

export interface Weight {
  readonly name: string;
  readonly rows: number;
  /** Of the heap, a row, key and all; as it grew, and as a recovery makes it. */
  readonly bytesPerRow: number;
  readonly recoveredBytesPerRow: number;
  readonly snapshotBytesPerRow: number;
  /** Processor time of the thread for each million rows. */
  readonly fillMs: number;
  readonly encodeMs: number;
  readonly decodeMs: number;
}

const BATCH_RECORDS = 1_000;
const MILLION = 1_000_000;

/** @param collectGarbage what `--expose-gc` gives */
export function weigh(
  { name, definition, topic }: MemoryCase,
  rows: number,
  collectGarbage: () => void,
): Weight {
  const heapBytes = (): number => {
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const emptyBytes = heapBytes();
  let task: Task | undefined = taskOf(
    definition,
    emptyState(
      definition,
      definition.inputs.map(() => 0),
    ),
  );
  const fillMs = timed(() => fill(task!, topic, rows));
  // The fill was a cut too, so that outputs and notes of what changed are gone.
  task.cut("base");
  const bytes = heapBytes() - emptyBytes;
  let snapshot: Uint8Array = new Uint8Array();
  const encodeMs = timed(() => {
    snapshot = task!.cut("base").snapshot;
  });
  task = undefined;
  const withoutBytes = heapBytes();
  const decodeMs = timed(() => {
    task = taskOf(definition, decodeSnapshot(definition, snapshot));
  });
  const recoveredBytes = heapBytes() - withoutBytes;
  // Read once more, or it would be gone before it was weighed.
  if ((task as Task | undefined)?.firing) throw new Error(`${name}: something is due already`);
  const perMillion = (ms: number) => (ms * MILLION) / rows;
  return {
    name,
    rows,
    bytesPerRow: bytes / rows,
    recoveredBytesPerRow: recoveredBytes / rows,
    snapshotBytesPerRow: snapshot.length / rows,
    fillMs: perMillion(fillMs),
    encodeMs: perMillion(encodeMs),
    decodeMs: perMillion(decodeMs),
  };
}

const taskOf = (
  definition: PipelineDefinition,
  state: ConstructorParameters<typeof Task>[0]["state"],
): Task => new Task({ definition, partition: 0, partitions: 1, generation: 1, nextCheckpoint: 1, state });

function fill(task: Task, topic: string, rows: number): void {
  for (let first = 0; first < rows; first += BATCH_RECORDS) {
    const batch = batchOf(topic, first, Math.min(BATCH_RECORDS, rows - first));
    for (let next = 0; next < batch.count; ) next = task.apply(batch, next, BATCH_RECORDS);
    // As a checkpoint does every second or so.
    if (first % 100_000 === 0) task.cut("delta");
  }
}

function batchOf(topic: string, first: number, count: number): RecordBatch {
  return {
    topic,
    partition: 0,
    count,
    highWatermark: first + count,
    nextOffset: first + count,
    offset: (index) => first + index,
    arrivalMs: () => MOMENT_MS,
    key: (index) => new TextEncoder().encode(`key-${first + index}`),
    value: (index) => {
      const bytes = new DataView(new ArrayBuffer(4));
      bytes.setUint32(0, first + index);
      return new Uint8Array(bytes.buffer);
    },
    header: () => undefined,
  };
}

/** Of this thread, so that whatever else the machine does counts less. */
function timed(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}
