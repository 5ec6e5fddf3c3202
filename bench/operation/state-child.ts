/**
 * What events cost a process that holds so many rows: `node state-child.ts <StateOptions as JSON>`. Values are parsed,
 * checkpoints are cut, written (to memory) and compacted; Kafka, DynamoDB and S3 are left out, whose cost is the same
 * for any number of rows and would make the difference smaller.
 */
import { MemoryCheckpointStore } from "../../test/support/memory-checkpoint-store.ts";
import { pipelineOf } from "../streams/pipelines.ts";
import { rowsHeld } from "./cases.ts";
import { NOTHING, type Spent, spentOn, sumOf, TaskAtWork } from "./task-at-work.ts";

export interface StateOptions {
  readonly rows: number;
  /** Of the process, with as many rows each. */
  readonly tasks: number;
  /** Between two checkpoints, of all tasks together. */
  readonly eventsPerCheckpoint: number;
  readonly checkpoints: number;
}

export interface StateOutcome {
  readonly events: number;
  readonly apply: Spent;
  readonly checkpoint: Spent;
  readonly compact: Spent;
}

const { rows, tasks, eventsPerCheckpoint, checkpoints } = JSON.parse(process.argv[2]!) as StateOptions;
const rowsEach = rows / tasks;
const eventsEach = Math.floor(eventsPerCheckpoint / tasks);
const store = new MemoryCheckpointStore();
const [each, random] = [rowsHeld(rowsEach), rowsHeld(rowsEach, "random")];
const all = Array.from({ length: tasks }, (_, partition) => {
  const id = `bench/state/${partition}`;
  return new TaskAtWork({ definition: pipelineOf(each), id, stream: random.stream, store });
});
const places = Array.from({ length: rowsEach }, (_, place) => place);
for (const task of all) {
  await task.claim();
  await task.apply(places, each.stream);
  await checkpoint(task);
}
const outcome: { apply: Spent; checkpoint: Spent; compact: Spent } = {
  apply: NOTHING,
  checkpoint: NOTHING,
  compact: NOTHING,
};
for (let number = 0; number < checkpoints; number++) {
  for (const [partition, task] of all.entries()) {
    const first = (number * tasks + partition) * eventsEach;
    const apply = await task.apply(Array.from({ length: eventsEach }, (_, index) => first + index));
    const { spent } = await spentOn(() => checkpoint(task));
    const { spent: compact } = await spentOn(() => task.compactIfLong());
    outcome.apply = sumOf([outcome.apply, apply]);
    outcome.checkpoint = sumOf([outcome.checkpoint, spent]);
    outcome.compact = sumOf([outcome.compact, compact]);
  }
}
const told: StateOutcome = { events: checkpoints * tasks * eventsEach, ...outcome };
console.log(JSON.stringify(told));

async function checkpoint(task: TaskAtWork): Promise<void> {
  const prepared = await task.write(task.cut());
  await task.register(prepared);
  await task.committed(prepared);
}
