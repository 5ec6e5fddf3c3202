/** Throwing a pipeline's state away, so that it begins anew and its results win over those of before. */
import { consumerGroup, transactionalId } from "../../../contracts/environment.ts";
import type { Groups, Log } from "../log/port.ts";
import { type PipelineDefinition, stagesOf } from "../pipeline/definition.ts";
import type { CheckpointStore } from "./store.ts";

/** The pipeline is in use: stop it first. */
export class ResetError extends Error {
  override readonly name = "ResetError";
  readonly code = "in-use";
}

export interface ResetOptions {
  readonly log: Pick<Log, "partitionCount" | "fence">;
  readonly groups: Groups;
  readonly store: Pick<CheckpointStore, "read" | "reset">;
  readonly environment: string;
  readonly definition: PipelineDefinition;
}

/** What a reset did to a stage. */
export interface ResetStage {
  readonly name: string;
  readonly partitions: number;
  /** What its next results carry. */
  readonly generation: number;
}

/**
 * Clears every task of every stage: first the slots, whose epochs and generations rise, with the producers fenced; then
 * what waits between the stages; last the groups' offsets, each group's in one step. Wherever it is broken off, tasks
 * that start park, because slot and offset do not fit; run again, it does all of it again, with a higher generation.
 * @throws ResetError where a group has members
 */
export async function resetPipeline(options: ResetOptions): Promise<readonly ResetStage[]> {
  const { groups, environment, definition } = options;
  const stages = stagesOf(definition);
  for (const { name } of stages) await requireNoMembers(groups, consumerGroup(environment, name));
  const done: ResetStage[] = [];
  for (const stage of stages) done.push(await resetTasks(options, stage));
  for (const { forwards } of stages) if (forwards !== null) await groups.truncate(forwards.topic);
  for (const { name } of stages) {
    const group = consumerGroup(environment, name);
    if (await groups.delete(group)) continue;
    throw new ResetError(`${group} got members while it was reset; its tasks park. ${STOP_IT}`);
  }
  return done;
}

const STOP_IT = "Stop the service that runs it, wait until its processes are gone, and reset again";

async function requireNoMembers(groups: Groups, group: string): Promise<void> {
  const members = await groups.memberCount(group);
  if (members > 0) throw new ResetError(`the consumer group ${group} has ${members} members. ${STOP_IT}`);
}

/** One generation for all tasks, as a key may have moved between them: higher than any task ever had. */
async function resetTasks(
  { log, store, environment }: ResetOptions,
  { name, inputs }: PipelineDefinition,
): Promise<ResetStage> {
  const partitions = await log.partitionCount(inputs[0]!.topic);
  const all = Array.from({ length: partitions }, (_, partition) => partition);
  const claims = await Promise.all(all.map((partition) => store.read(taskId(environment, name, partition))));
  const generation = Math.max(...claims.map((claim) => claim.generation)) + 1;
  for (const partition of all) {
    await store.reset(taskId(environment, name, partition), generation);
    // A process that was paused with a transaction open must not commit the old position when it wakes up.
    const producer = await log.fence(
      transactionalId(environment, name, partition),
      consumerGroup(environment, name),
      { topic: inputs[0]!.topic, partition },
    );
    await producer.close();
  }
  return { name, partitions, generation };
}

const taskId = (environment: string, pipeline: string, partition: number): string =>
  `${environment}/${pipeline}/${partition}`;
