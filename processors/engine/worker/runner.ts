/**
 * Runs one task as long as the group assigns it, through any number of rebalances: takes ownership, applies batches in
 * slices, cuts and commits checkpoints, and ends by being stopped, finished or parked.
 */
import type { ChainLimits } from "../checkpoint/chain.ts";
import type { Loaded } from "../checkpoint/checkpointer.ts";
import type { FirstStep } from "../checkpoint/decide.ts";
import { CheckpointError } from "../checkpoint/errors.ts";
import type { Manifest } from "../checkpoint/manifest.ts";
import { SlotRefusedError } from "../checkpoint/store.ts";
import { FencedError, type GroupMembership, type RecordBatch, type TopicPartition } from "../log/port.ts";
import { Task } from "../task/task.ts";
import { Asking } from "./asking.ts";
import { CarriedTraces, traced } from "./carried-traces.ts";
import { growth } from "./growth.ts";
import { tickWhileIdle } from "./idle.ts";
import { Intake } from "./intake.ts";
import { Ownership, type WorkerContext } from "./ownership.ts";
import type { Checkpointed, TaskName, TaskVitals } from "./ports.ts";
import { throwIfStopped } from "./retry.ts";
import type { ServiceGate } from "./service-gate.ts";
import { Standing } from "./standing.ts";
import { TablesFirst } from "./tables-first.ts";
import { nextInput } from "./turns.ts";
import { vitalsOf } from "./vitals.ts";
import { WorkRecord } from "./work-record.ts";

export interface RunnerLimits extends ChainLimits {
  /** Time between the starts of two checkpoints, while there is anything to commit. */
  readonly checkpointIntervalMs: number;
  /** Outputs held back until a checkpoint; past it the task waits, and a checkpoint is made at once. */
  readonly maxPendingOutputBytes: number;
  /** Records and fired rows between two looks at the event loop at the most, so that heartbeats go on. */
  readonly maxStepsPerSlice: number;
  /** An input whose event time is further ahead of another's waits for it. */
  readonly maxInputSkewMs: number;
}

/** Offsets and transactional ids expire after 7 days, so an idle task commits at least daily. */
const IDLE_CHECKPOINT_MS = 86_400_000;

const RECLAIM_DELAY_MS = 1_000;

export interface RunnerOptions {
  readonly context: WorkerContext;
  readonly limits: RunnerLimits;
  readonly partition: number;
  readonly membership: GroupMembership;
  readonly groupGeneration: number;
  /** Where the tasks of this process ask, one for each input; null where it asks nothing. */
  readonly gates: readonly (ServiceGate | null)[];
}

export class TaskRunner {
  readonly #options: RunnerOptions;
  readonly #name: TaskName;
  readonly #stop = new AbortController();
  readonly #inputs: readonly TopicPartition[];
  readonly #intake: Intake;
  readonly #finish = new AbortController();
  readonly #standing: Standing;
  /** The task of the present ownership, once it is recovered. */
  #task: Task | undefined;
  /** As long as there is a task. */
  #asking: Asking | undefined;
  #tablesFirst: TablesFirst;
  readonly #work: WorkRecord;
  readonly #traces: CarriedTraces;
  #state: "recovering" | "running" | "parked" | "ended" = "recovering";
  #wakeProcessing: () => void = () => undefined;
  #checkpointNow = new AbortController();

  constructor(options: RunnerOptions) {
    const { context, partition, membership, groupGeneration } = options;
    this.#inputs = context.definition.inputs.map(({ topic }) => ({ topic, partition }));
    this.#options = options;
    this.#work = new WorkRecord(context.clock, options.limits.maxStepsPerSlice);
    this.#traces = new CarriedTraces(context.traceCheckpoint);
    this.#name = { pipeline: context.definition.name, partition };
    this.#intake = new Intake(
      this.#inputs.map(({ topic }) => topic),
      {
        pause: (input) => membership.pause([this.#inputs[input]!]),
        resume: () => this.#resume(),
      },
    );
    this.#tablesFirst = new TablesFirst(context.definition.inputs, partition);
    this.#standing = new Standing(membership, groupGeneration, this.#stop.signal);
  }

  get #finishing(): boolean {
    return this.#finish.signal.aborted;
  }

  get state(): "recovering" | "running" | "parked" | "ended" {
    return this.#state;
  }

  /** Undefined while there is no task. */
  get vitals(): TaskVitals | undefined {
    return this.#task && vitalsOf(this.#name, this, this.#task, this.#intake, this.#work);
  }

  /** Takes a batch in; called from the client's fetch loop, so it only enqueues. */
  enqueue(batch: RecordBatch): void {
    this.#intake.add(batch);
    this.#asking?.lookAhead();
    this.#wakeProcessing();
  }

  /** The partition stays here: the task goes on, and reads on from where it is, since all positions are forgotten. */
  reassign(groupGeneration: number): void {
    this.#standing.assigned(groupGeneration);
    if (this.#task !== undefined) this.#fetch(this.#task);
  }

  /** Ends at once, without a checkpoint: the partition is somebody else's now. */
  stop(): void {
    this.#stop.abort();
    this.#wakeProcessing();
    this.#checkpointNow.abort();
  }

  /** Stops applying records; {@link run} resolves after one last checkpoint. */
  finish(): void {
    this.#finish.abort();
    if (this.#state === "recovering") this.stop();
    this.#wakeProcessing();
    this.#checkpointNow.abort();
  }

  /** Resolves when the task has ended, for whatever reason; the observer was told which. */
  async run(): Promise<void> {
    const { observer } = this.#options.context;
    try {
      while (!this.#stop.signal.aborted && !this.#finishing) await this.#own();
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      if (error instanceof CheckpointError) {
        this.#state = "parked";
        observer.parked(this.#name, error.code, error.message);
      } else {
        observer.failed(this.#name, error as Error);
      }
    } finally {
      if (this.#state !== "parked") this.#state = "ended";
    }
  }

  /** One ownership, to its end. Fenced while the group still means us: it is taken again (rule 7). */
  async #own(): Promise<void> {
    const { context, limits, membership, partition } = this.#options;
    const standing = this.#standing;
    const { signal } = this.#stop;
    let ownership: Ownership | undefined;
    this.#state = "recovering";
    membership.pause(this.#inputs);
    try {
      const taken = await this.#take(() => Ownership.take({ context, partition, standing, signal, limits }));
      ownership = taken.ownership;
      await this.#runLoops(ownership, this.#restore(ownership, taken.loaded), taken.step);
    } catch (error) {
      throwIfStopped(signal);
      if (!(error instanceof FencedError || error instanceof SlotRefusedError)) throw error;
      context.observer.dropped(this.#name, error.message);
      await standing.confirm();
      await context.clock.sleep(RECLAIM_DELAY_MS, signal);
    } finally {
      this.#task = undefined;
      this.#asking = undefined;
      this.#work.forget();
      this.#traces.forget();
      await ownership?.close();
    }
  }

  async #take<T extends { loaded: Loaded; step: FirstStep["kind"] }>(take: () => Promise<T>): Promise<T> {
    const { clock, observer } = this.#options.context;
    const startedMs = clock.nowMs();
    const taken = await take();
    const { manifest } = taken.loaded;
    observer.recovered({
      ...this.#name,
      step: taken.step,
      checkpoint: manifest.number,
      offsets: manifest.offsets.map(({ offset }) => offset),
      recoveryMs: clock.nowMs() - startedMs,
    });
    return taken;
  }

  #restore({ partitions }: Ownership, { manifest, state }: Loaded): Task {
    const { partition } = this.#options;
    const { definition } = this.#options.context;
    throwIfStopped(this.#stop.signal);
    const { generation, number } = manifest;
    const task = new Task({
      definition,
      partition,
      partitions,
      generation,
      nextCheckpoint: number + 1,
      state,
    });
    this.#task = task;
    this.#tablesFirst = new TablesFirst(definition.inputs, partition);
    this.#state = "running";
    this.#fetch(task);
    return task;
  }

  /** What waits was read from another position. Between two generations this has no effect: the next comes here again. */
  #fetch(task: Task): void {
    const { membership } = this.#options;
    this.#intake.clear();
    this.#asking?.clear();
    task.wake();
    for (const [input, position] of this.#inputs.entries()) {
      membership.seek({ ...position, offset: task.offsets[input]! });
    }
    this.#resume();
  }

  /** Fetches what may be fetched, and is not paused because enough of it waits. */
  #resume(): void {
    const wanted = this.#tablesFirst.fetchable.filter(({ topic }) => !this.#intake.isPaused(topic));
    this.#options.membership.resume(wanted);
  }

  /** Processing and checkpointing side by side; the failure of either ends both. */
  async #runLoops(ownership: Ownership, task: Task, step: FirstStep["kind"]): Promise<void> {
    const failed = new AbortController();
    this.#asking = new Asking({
      context: this.#options.context,
      name: this.#name,
      task,
      partitions: ownership.partitions,
      intake: this.#intake,
      gates: this.#options.gates,
      signal: AbortSignal.any([failed.signal, this.#stop.signal, this.#finish.signal]),
      onAnswer: () => this.#wakeProcessing(),
    });
    const loops = [
      this.#process(task, failed.signal),
      this.#commitRegularly(ownership, task, step, failed.signal),
      this.#readTablesThenTick(task, failed.signal),
    ];
    const end = (error: unknown): never => {
      failed.abort();
      this.#wakeProcessing();
      this.#checkpointNow.abort();
      throw error;
    };
    try {
      await Promise.all(loops.map((loop) => loop.catch(end)));
    } finally {
      await Promise.allSettled(loops);
    }
  }

  async #process(task: Task, failed: AbortSignal): Promise<void> {
    const { context } = this.#options;
    while (!failed.aborted && !this.#stop.signal.aborted && !this.#finishing) {
      const input = this.#nextInput(task);
      if (this.#outputsAreFull(task)) {
        this.#checkpointNow.abort();
        await this.#untilWoken();
      } else if (task.firing) {
        this.#work.slice((steps) => task.fire(steps));
        await context.clock.yield();
      } else if (input !== undefined) {
        this.#applyNext(task, input);
        await context.clock.yield();
      } else {
        await this.#untilWoken();
      }
    }
  }

  #applyNext(task: Task, input: number): void {
    const asking = this.#asking!;
    const head = this.#intake.head(input)!;
    const { batch, next: from } = head;
    head.next = this.#work.slice((steps) => task.apply(batch, from, steps, asking));
    if (head.next > from) this.#work.applied(batch, from, head.next);
    this.#traces.applied(batch, from, head.next);
    asking.applied(input, task.offsets[input]!);
    if (task.blocked) asking.need(input, head);
    if (head.next === head.batch.count) this.#intake.drop(input);
    asking.lookAhead();
  }

  #nextInput(task: Task): number | undefined {
    const progress = this.#inputs.map((_, input) => {
      const waiting = this.#intake.head(input) !== undefined && !this.#asking?.blocks(input);
      return { ...task.progressOf(input), waiting };
    });
    return nextInput(progress, this.#options.limits.maxInputSkewMs);
  }

  #untilWoken(): Promise<void> {
    return new Promise<void>((resolve) => {
      this.#wakeProcessing = resolve;
    });
  }

  /** Events wait for the tables, and the clock stands still until they need not any more. */
  async #readTablesThenTick(task: Task, failed: AbortSignal): Promise<void> {
    const { clock, log, observer, definition } = this.#options.context;
    const reading = {
      clock,
      signal: AbortSignal.any([failed, this.#stop.signal, this.#finish.signal]),
      position: (input: number) => this.#intake.position(input, task.offsets[input]!),
      endOffset: async (input: number) => (await log.bounds(this.#inputs[input]!)).high,
      onFailure: (error: Error) => observer.retried(this.#name, "read the log's end", error),
    };
    if (!(await this.#tablesFirst.untilRead(reading))) return;
    this.#resume();
    const onTick = () => this.#wakeProcessing();
    await tickWhileIdle({ ...reading, task, inputs: definition.inputs, onTick });
  }

  #outputsAreFull(task: Task): boolean {
    return task.pendingOutputBytes >= this.#options.limits.maxPendingOutputBytes;
  }

  async #commitRegularly(
    ownership: Ownership,
    task: Task,
    step: FirstStep["kind"],
    failed: AbortSignal,
  ): Promise<void> {
    const { clock } = this.#options.context;
    let startedMs = clock.nowMs();
    // How old a loaded checkpoint is nobody knows, and an idle task that moves often must not let it expire.
    let committedMs = step === "load" ? Number.NEGATIVE_INFINITY : startedMs;
    for (let last = false; !last; ) {
      await this.#untilDue(task, startedMs);
      throwIfStopped(this.#stop.signal);
      if (failed.aborted) return;
      // Read before the cut: a finish that comes while the checkpoint is made wants one more.
      last = this.#finishing;
      startedMs = clock.nowMs();
      if (hasProgress(task, ownership.last.manifest) || startedMs - committedMs >= IDLE_CHECKPOINT_MS) {
        await this.#checkpoint(ownership, task);
        committedMs = startedMs;
      }
    }
  }

  /** Waits until the next checkpoint is due; not at all once the task finishes or its outputs are full. */
  async #untilDue(task: Task, startedMs: number): Promise<void> {
    const { context, limits } = this.#options;
    const leftMs = startedMs + limits.checkpointIntervalMs - context.clock.nowMs();
    if (leftMs <= 0 || this.#finishing || this.#outputsAreFull(task)) return;
    this.#checkpointNow = new AbortController();
    await context.clock.sleep(leftMs, this.#checkpointNow.signal);
  }

  /** Retention takes markers with the records before them: a position that waits for one would be outside of the log. */
  #stepOverMarkers(task: Task): void {
    for (const [input, applied] of task.offsets.entries()) {
      task.stepTo(input, this.#intake.position(input, applied) ?? applied);
    }
  }

  async #checkpoint(ownership: Ownership, task: Task): Promise<void> {
    const { clock, observer } = this.#options.context;
    const before = ownership.last.manifest.counters;
    const startedMs = clock.nowMs();
    this.#stepOverMarkers(task);
    const cut = task.cut(ownership.nextKind);
    const applied = this.#work.cut();
    const span = this.#traces.cut(this.#name);
    // The cut emptied the outbox, so a task that waited for room can go on.
    this.#wakeProcessing();
    await ownership.checkpoint(traced(cut, span));
    this.#work.committed();
    const checkpointed: Checkpointed = {
      ...this.#name,
      checkpoint: cut.number,
      counters: growth(before, cut.counters),
      outputs: cut.outputs.length,
      snapshotBytes: cut.snapshot.length,
      stateEntries: task.limit.entries,
      stateLimitShare: task.limit.share,
      checkpointMs: clock.nowMs() - startedMs,
      applied,
    };
    observer.checkpointed(checkpointed);
    span?.committed(checkpointed);
  }
}

/** A firing may end without an output, where the checkpoint before fell right behind its last row. */
const hasProgress = (task: Task, committed: Manifest): boolean =>
  task.pendingOutputBytes > 0 ||
  task.firing !== committed.firing ||
  task.offsets.some((offset, input) => offset !== committed.offsets[input]!.offset);
