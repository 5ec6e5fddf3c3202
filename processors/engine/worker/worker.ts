/**
 * Runs one pipeline in this process: joins its consumer group and runs a task for every partition it is given. A task
 * whose partition stays here goes on through a rebalance; only those that move are stopped, and recovered elsewhere.
 */
import { consumerGroup } from "../../../contracts/environment.ts";
import type { Assignment, GroupMembership, RecordBatch } from "../log/port.ts";
import type { WorkerContext } from "./ownership.ts";
import type { TaskVitals } from "./ports.ts";
import { type RunnerLimits, TaskRunner } from "./runner.ts";
import { ServiceGate } from "./service-gate.ts";

export const defaultLimits: RunnerLimits = {
  checkpointIntervalMs: 1_000,
  maxPendingOutputBytes: 8 * 1024 * 1024,
  maxStepsPerSlice: 250,
  maxInputSkewMs: 3_600_000,
  maxWholeBytes: 256 * 1024,
  maxDeltas: 32,
};

interface RunningTask {
  readonly runner: TaskRunner;
  readonly ended: Promise<void>;
}

export interface WorkerHandlers {
  /** The Kafka client gave up: the process should exit, so that a fresh one takes over. */
  onCrash(error: Error): void;
}

export class Worker {
  readonly #context: WorkerContext;
  readonly #limits: RunnerLimits;
  readonly #handlers: WorkerHandlers;
  readonly #gates: readonly (ServiceGate | null)[];
  #tasks = new Map<number, RunningTask>();
  /** Null between two generations: no batch is of it. */
  #generation: number | null = null;
  #joining: Promise<GroupMembership> | undefined;
  #finishing = false;

  constructor(context: WorkerContext, handlers: WorkerHandlers, limits: RunnerLimits = defaultLimits) {
    this.#context = context;
    this.#handlers = handlers;
    this.#limits = limits;
    this.#gates = context.definition.inputs.map(({ enrich }) =>
      enrich === null ? null : new ServiceGate({ ...context, enrich }),
    );
  }

  /** Whether it has an assignment of its group's present generation, be it an empty one. */
  get inGroup(): boolean {
    return this.#generation !== null;
  }

  /** How many tasks are in which state. */
  taskStates(): Record<TaskRunner["state"], number> {
    const states = { recovering: 0, running: 0, parked: 0, ended: 0 };
    for (const { runner } of this.#tasks.values()) states[runner.state] += 1;
    return states;
  }

  /** How the tasks are that run. */
  vitals(): TaskVitals[] {
    return [...this.#tasks.values()].flatMap(({ runner }) => runner.vitals ?? []);
  }

  async start(): Promise<void> {
    const { log, environment, definition } = this.#context;
    const topics = definition.inputs.map(({ topic }) => topic);
    // An assignment may come before the join resolves; tasks wait for the membership it resolves to.
    this.#joining = log.join(consumerGroup(environment, definition.name), topics, {
      onAssigned: (assignment) => this.#assign(assignment),
      onLost: () => {
        this.#generation = null;
      },
      onBatch: (batch, generation) => this.#deliver(batch, generation),
      onCrash: (error) => this.#handlers.onCrash(error),
    });
    await this.#joining;
  }

  /** A last checkpoint of every task, then leaves the group, so that its partitions move at once. */
  async finish(): Promise<void> {
    this.#finishing = true;
    const tasks = [...this.#tasks.values()];
    for (const { runner } of tasks) runner.finish();
    await Promise.all(tasks.map(({ ended }) => ended));
    // One who cannot join has nothing to leave; who started it was told.
    const membership = await this.#joining?.catch(() => undefined);
    await membership?.leave();
  }

  #assign({ generation, partitions }: Assignment): void {
    const assigned = new Set(partitions.map(({ partition }) => partition));
    this.#generation = generation;
    for (const [partition, { runner }] of this.#tasks) {
      if (assigned.has(partition) && isAtWork(runner)) runner.reassign(generation);
      else this.#stopTask(partition);
    }
    for (const partition of assigned) {
      if (this.#tasks.has(partition)) continue;
      const start = (joined: GroupMembership) => this.#startTask(partition, generation, joined);
      // Who started the worker is told that it cannot join.
      this.#joining!.then(start, () => undefined);
    }
  }

  #startTask(partition: number, groupGeneration: number, membership: GroupMembership): void {
    if (groupGeneration !== this.#generation || this.#finishing) return;
    const context = this.#context;
    const runner = new TaskRunner({
      context,
      limits: this.#limits,
      partition,
      membership,
      groupGeneration,
      gates: this.#gates,
    });
    this.#tasks.set(partition, { runner, ended: runner.run() });
  }

  #stopTask(partition: number): void {
    this.#tasks.get(partition)?.runner.stop();
    this.#tasks.delete(partition);
  }

  #deliver(batch: RecordBatch, generation: number): void {
    if (generation === this.#generation) this.#tasks.get(batch.partition)?.runner.enqueue(batch);
  }
}

/** One that has parked or ended is started anew, so that a rebalance after a repair takes it up again. */
const isAtWork = ({ state }: TaskRunner): boolean => state === "recovering" || state === "running";
