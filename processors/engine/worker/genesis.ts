/** The state that a task begins with (design, section 4, rule 8), from where its pipeline says that it starts. */
import type { Checkpointer } from "../checkpoint/checkpointer.ts";
import { requireInsideLog } from "../checkpoint/decide.ts";
import { CheckpointError } from "../checkpoint/errors.ts";
import { readSavepoint, SavepointError } from "../checkpoint/savepoint.ts";
import type { CheckpointStore } from "../checkpoint/store.ts";
import type { Log, TopicPartition } from "../log/port.ts";
import type { InputDefinition, PipelineDefinition } from "../pipeline/definition.ts";
import { emptyState, type TaskState } from "../state/task-state.ts";

export interface GenesisOptions {
  readonly log: Pick<Log, "bounds" | "offsetAt">;
  readonly store: Pick<CheckpointStore, "get">;
  readonly checkpointer: Pick<Checkpointer, "load">;
  readonly environment: string;
  readonly definition: PipelineDefinition;
  readonly partition: number;
}

/**
 * What a stage or a table brings is read from its beginning whatever the pipeline says; the start is that of events.
 * @throws CheckpointError where there is no such start: the task parks, and begins where the next definition says
 */
export async function startingState(options: GenesisOptions): Promise<TaskState> {
  const { definition, partition, log } = options;
  const { startAt, inputs } = definition;
  const state = await stateAt(options);
  for (const [index, { topic }] of inputs.entries()) {
    const { offset } = state.inputs[index]!;
    requireInsideLog({ topic, partition, offset }, await log.bounds({ topic, partition }));
    if (typeof startAt === "object" && "eventTimeMs" in startAt && inputs[index]!.role === "events") {
      state.inputs[index]!.fromMs = startAt.eventTimeMs;
    }
  }
  return state;
}

async function stateAt(options: GenesisOptions): Promise<TaskState> {
  const { definition } = options;
  const { startAt } = definition;
  if (typeof startAt === "object" && "savepoint" in startAt) {
    return stateOfSavepoint(options, startAt.savepoint, startAt.of);
  }
  return emptyState(
    definition,
    await Promise.all(definition.inputs.map((input) => startingOffset(options, input))),
  );
}

async function startingOffset(options: GenesisOptions, input: InputDefinition): Promise<number> {
  const { definition, partition, log } = options;
  const position: TopicPartition = { topic: input.topic, partition };
  const startAt = input.role === "events" ? definition.startAt : "earliest";
  if (startAt === "earliest") return (await log.bounds(position)).low;
  if (startAt === "latest") return (await log.bounds(position)).high;
  // An event may arrive this much before its time; what arrived earlier still cannot be of this time or later.
  if ("eventTimeMs" in startAt) {
    return log.offsetAt(position, startAt.eventTimeMs - input.source.maxFutureBoundMs);
  }
  const offset = "offsets" in startAt ? startAt.offsets[partition] : undefined;
  if (offset !== undefined) return offset;
  throw new CheckpointError(
    "start-unavailable",
    `startAt.offsets of ${definition.name} has no offset for partition ${partition} of ${input.topic}: add it`,
  );
}

async function stateOfSavepoint(options: GenesisOptions, name: string, of: string): Promise<TaskState> {
  const { store, checkpointer, environment, definition, partition } = options;
  try {
    const { tasks } = await readSavepoint(store, environment, of, name);
    const task = tasks.find((candidate) => candidate.partition === partition);
    if (task === undefined) {
      throw new CheckpointError(
        "partitions-changed",
        `savepoint ${name} of ${of} has ${tasks.length} partitions`,
      );
    }
    return (await checkpointer.load(task.manifest, task.sha256)).state;
  } catch (cause) {
    if (!(cause instanceof CheckpointError || cause instanceof SavepointError)) throw cause;
    const code = cause instanceof CheckpointError ? cause.code : "start-unavailable";
    throw new CheckpointError(
      code,
      `${definition.name} cannot start at savepoint ${name} of ${of}: ${cause.message}`,
      {
        cause,
      },
    );
  }
}
