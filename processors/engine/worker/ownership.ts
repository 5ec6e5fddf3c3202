/**
 * One ownership of one task: from its claim to the loss of it (design, section 4, rules 4 to 8). It holds the
 * epoch, the transactional producer and the last committed checkpoint, and does everything that must be done in
 * their order. Processing is not its business; it takes cuts and makes them visible.
 */
import { consumerGroup, transactionalId } from "../../../contracts/environment.ts";
import { Chain, type ChainLimits } from "../checkpoint/chain.ts";
import { Checkpointer, type Loaded, type Prepared } from "../checkpoint/checkpointer.ts";
import { type Compactor, compactHere } from "../checkpoint/compactor.ts";
import { decideFirstStep, type FirstStep, requireInsideLog } from "../checkpoint/decide.ts";
import { CheckpointError } from "../checkpoint/errors.ts";
import { decodePointer, type Manifest } from "../checkpoint/manifest.ts";
import { type CheckpointStore, type Slot, SlotRefusedError, type TaskId } from "../checkpoint/store.ts";
import {
  CommitNotMadeError,
  type CommittedOffset,
  CommitUnknownError,
  FencedError,
  type Log,
  type TopicPartition,
  type Transactions,
} from "../log/port.ts";
import type { PipelineDefinition } from "../pipeline/definition.ts";
import type { Cut } from "../task/cut.ts";
import { Task } from "../task/task.ts";
import { startingState } from "./genesis.ts";
import type { AskService, Clock, NewId, Observer, TaskName, TraceCheckpoint } from "./ports.ts";
import { retrying, throwIfStopped } from "./retry.ts";
import { retryingStore } from "./retrying-store.ts";
import type { Standing } from "./standing.ts";

/**
 * How often, and how far apart, the committed offset is read again while the slot holds a prepared child. The
 * client cannot ask for stable offsets only, and a commit's offsets may show a little after its markers.
 */
const REREADS = 5;
const REREAD_DELAY_MS = 100;

export interface WorkerContext {
  readonly log: Log;
  readonly store: CheckpointStore;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly observer: Observer;
  /** Default: no record is asked which trace it belongs to. */
  readonly traceCheckpoint?: TraceCheckpoint | undefined;
  readonly environment: string;
  readonly definition: PipelineDefinition;
  /** Makes one base of a chain of deltas. Default: in this thread. */
  readonly compact?: Compactor;
  /** Calls the services of pipelines that enrich. Default: the pipeline's own call. */
  readonly ask?: AskService;
  /** Who owns it, for people who look at the checkpoint table: host and process. */
  readonly owner: string;
}

export interface OwnershipOptions {
  readonly context: WorkerContext;
  readonly partition: number;
  readonly standing: Standing;
  readonly signal: AbortSignal;
  readonly limits: ChainLimits;
}

export class Ownership {
  readonly #options: OwnershipOptions;
  readonly #name: TaskName;
  readonly #inputs: readonly TopicPartition[];
  readonly #group: string;
  readonly #transactionalId: string;
  readonly #task: TaskId;
  readonly #store: CheckpointStore;
  readonly #checkpointer: Checkpointer;
  readonly #partitions: number;
  #epoch = 0;
  #transactions: Transactions | undefined;
  #last: Pick<Prepared, "name" | "manifest"> | undefined;
  #chain: Chain | undefined;
  #compacting = false;

  private constructor(options: OwnershipOptions, partitions: number) {
    const { context, partition } = options;
    const { definition, environment, newId } = context;
    this.#options = options;
    this.#partitions = partitions;
    this.#name = { pipeline: definition.name, partition };
    this.#inputs = definition.inputs.map(({ topic }) => ({ topic, partition }));
    this.#group = consumerGroup(environment, definition.name);
    this.#transactionalId = transactionalId(environment, definition.name, partition);
    const task = `${environment}/${definition.name}/${partition}`;
    this.#task = task;
    const store = retryingStore(context.store, (action, request) => this.#retry(action, request));
    this.#store = store;
    this.#checkpointer = new Checkpointer({ store, task, definition, partition, partitions, newId });
  }

  /**
   * Rule 6: claim, fence, read, roll forward or load, check the position.
   * @throws CheckpointError where the task must park; StoppedError; FencedError; SlotRefusedError
   */
  static async take(
    options: OwnershipOptions,
  ): Promise<{ ownership: Ownership; loaded: Loaded; step: FirstStep["kind"] }> {
    const partitions = await commonPartitionCount(options);
    const ownership = new Ownership(options, partitions);
    try {
      return { ownership, ...(await ownership.#recover()) };
    } catch (error) {
      await ownership.close();
      throw error;
    }
  }

  get partitions(): number {
    return this.#partitions;
  }

  /** The last committed checkpoint. */
  get last(): Pick<Prepared, "name" | "manifest"> {
    return this.#last!;
  }

  /** Rule 4: makes a cut durable, registers it, and publishes it in one transaction. */
  async checkpoint(cut: Cut): Promise<Prepared> {
    const previous = this.#last!;
    const prepared = await this.#prepare(cut, previous.manifest.generation, previous.name);
    await this.#publish(prepared);
    this.#last = { name: prepared.name, manifest: prepared.manifest };
    this.#chain!.committed(prepared.manifest);
    await this.#discard(previous, prepared.manifest);
    void this.#compactIfLong();
    return prepared;
  }

  /** Whether the next checkpoint should hold the whole state, or what changed. */
  get nextKind(): Cut["kind"] {
    return this.#chain!.nextKind;
  }

  /** Beside the processing: the checkpoints go on adding deltas until the new base is there. */
  async #compactIfLong(): Promise<void> {
    const { context, signal } = this.#options;
    const blobs = this.#chain!.toCompact;
    if (blobs === undefined || this.#compacting) return;
    this.#compacting = true;
    try {
      const name = this.#checkpointer.newName(this.#epoch, this.#last!.manifest.number);
      this.#chain!.replace(
        blobs,
        await this.#checkpointer.compact(name, blobs, context.compact ?? compactHere),
      );
    } catch (error) {
      // The chain stays as it is, and is compacted after a later checkpoint.
      if (!signal.aborted) context.observer.retried(this.#name, "compact", error as Error);
    } finally {
      this.#compacting = false;
    }
  }

  async close(): Promise<void> {
    // A producer that cannot be closed cleanly is of no use to anyone: the next owner fences it.
    await this.#transactions?.close().catch(() => undefined);
    this.#transactions = undefined;
  }

  async #recover(): Promise<{ loaded: Loaded; step: FirstStep["kind"] }> {
    const { context } = this.#options;
    const { epoch, generation } = await this.#store.claim(this.#task, context.owner);
    this.#epoch = epoch;
    try {
      await this.#fence();
      const step = await this.#firstStep();
      const loaded = await this.#carryOut(step, generation);
      await this.#requireInsideLog(loaded);
      // Without the outputs and the state: an idle task would keep both until its next checkpoint.
      this.#last = { name: loaded.name, manifest: loaded.manifest };
      this.#chain = new Chain(this.#options.limits, loaded.manifest, loaded.extendable);
      void this.#collect(this.#last);
      return { loaded, step: step.kind };
    } catch (error) {
      // A newer owner moves on and deletes what this one is reading: only an owner may say that state is lost.
      if (error instanceof CheckpointError) await this.#readSlot();
      throw error;
    }
  }

  /** @throws SlotRefusedError where the task was claimed again since */
  async #readSlot(): Promise<Slot | null> {
    const { epoch, slot } = await this.#store.read(this.#task);
    if (epoch === this.#epoch) return slot;
    throw new SlotRefusedError(`claimed again with epoch ${epoch}, ours is ${this.#epoch}`);
  }

  async #fence(): Promise<void> {
    await this.close();
    this.#transactions = await this.#retry("fence", () =>
      this.#options.context.log.fence(this.#transactionalId, this.#group, this.#inputs[0]!),
    );
  }

  /**
   * The offsets are read before the slot: while the slot still has this claim's epoch nobody else has registered
   * anything, so what is committed is the slot's checkpoint or its parent, unless the position is lost.
   */
  async #firstStep(): Promise<FirstStep> {
    const { clock } = this.#options.context;
    for (let reread = 0; ; reread++) {
      const committed = await this.#committed();
      const slot = await this.#readSlot();
      try {
        const step = decideFirstStep(committed, slot);
        if (step.kind !== "roll-forward" || reread === REREADS) return step;
      } catch (error) {
        // An offset that shows late can look like a lost one, as well as like a child that was never committed.
        if (reread === REREADS) throw error;
      }
      await clock.sleep(REREAD_DELAY_MS, this.#options.signal);
    }
  }

  async #carryOut(step: FirstStep, generation: number): Promise<Loaded> {
    switch (step.kind) {
      case "genesis":
        return this.#genesis(generation);
      case "load":
        return this.#checkpointer.load(step.pointer.manifest, step.pointer.sha256);
      case "roll-forward": {
        const child = await this.#checkpointer.load(step.manifest, null);
        await this.#publish(child);
        return child;
      }
    }
  }

  /** Rule 8: a checkpoint like any other, with an explicit start. */
  async #genesis(generation: number): Promise<Loaded> {
    const { context, partition } = this.#options;
    const { log, definition, environment } = context;
    const state = await startingState({
      log: {
        bounds: (input) => this.#retry("bounds", () => log.bounds(input)),
        offsetAt: (input, arrivalMs) => this.#retry("offset at", () => log.offsetAt(input, arrivalMs)),
      },
      store: this.#store,
      checkpointer: this.#checkpointer,
      environment,
      definition,
      partition,
    });
    const cut = new Task({
      definition,
      partition,
      partitions: this.#partitions,
      generation,
      nextCheckpoint: 0,
      state,
    }).cut();
    const prepared = await this.#prepare(cut, generation, null);
    await this.#publish(prepared);
    return { ...prepared, state, extendable: true };
  }

  async #prepare(cut: Cut, generation: number, parent: string | null): Promise<Prepared> {
    const name = this.#checkpointer.newName(this.#epoch, cut.number);
    const prepared = await this.#checkpointer.write(name, cut, generation, parent, this.#chain?.current);
    await this.#checkpointer.register(prepared, this.#epoch);
    return prepared;
  }

  /** Rules 4(c) and 7: one transaction; whatever goes wrong, the same checkpoint is sent until its fate is known. */
  async #publish(prepared: Prepared): Promise<void> {
    const { context, signal } = this.#options;
    for (let attempt = 0; ; attempt++) {
      throwIfStopped(signal);
      try {
        await this.#transactions!.commit(prepared.commit);
        return;
      } catch (error) {
        if (!(error instanceof CommitUnknownError || error instanceof CommitNotMadeError)) throw error;
        context.observer.retried(this.#name, "commit", error);
        await context.clock.sleep(Math.min(50 * 2 ** attempt, 2_000), signal);
        if (await this.#wasCommitted(prepared)) return;
      }
    }
  }

  /**
   * After an unknown outcome: prove that the group still means us (a re-init would fence the true owner), fence
   * the old producer, and read which checkpoint is committed.
   */
  async #wasCommitted(prepared: Prepared): Promise<boolean> {
    const { standing, context, signal } = this.#options;
    await standing.confirm();
    await this.#fence();
    for (let reread = 0; ; reread++) {
      const committed = await this.#committed();
      const pointers = committed.map(({ metadata }) => decodePointer(metadata)?.manifest ?? null);
      if (pointers.every((name) => name === prepared.name)) return true;
      if (reread === REREADS) {
        if (pointers.every((name) => name === prepared.manifest.parent)) return false;
        throw new FencedError(`another owner committed ${pointers.join(", ")}`);
      }
      await context.clock.sleep(REREAD_DELAY_MS, signal);
    }
  }

  #committed(): Promise<readonly CommittedOffset[]> {
    const { log } = this.#options.context;
    return this.#retry("read offsets", () => log.committed(this.#group, this.#inputs));
  }

  async #requireInsideLog({ manifest }: Loaded): Promise<void> {
    for (const { topic, offset } of manifest.offsets) {
      const partition = manifest.partition;
      const { log } = this.#options.context;
      const bounds = await this.#retry("bounds", () => log.bounds({ topic, partition }));
      requireInsideLog({ topic, partition, offset }, bounds);
    }
  }

  async #discard(superseded: Pick<Prepared, "name" | "manifest">, successor: Manifest): Promise<void> {
    try {
      await this.#checkpointer.discard(superseded, successor);
    } catch (error) {
      // Left-over blobs cost storage, nothing else.
      this.#options.context.observer.retried(this.#name, "discard", error as Error);
    }
  }

  /** Beside the processing. */
  async #collect(loaded: Pick<Prepared, "name" | "manifest">): Promise<void> {
    try {
      await this.#checkpointer.collect(this.#epoch, loaded);
    } catch (error) {
      this.#options.context.observer.retried(this.#name, "collect", error as Error);
    }
  }

  #retry<T>(action: string, attempt: () => Promise<T>): Promise<T> {
    const { context, signal } = this.#options;
    return retrying(attempt, {
      clock: context.clock,
      signal,
      retriable,
      onRetry: (error) => context.observer.retried(this.#name, action, error),
    });
  }
}

const retriable = (error: Error): boolean =>
  !(error instanceof CheckpointError || error instanceof SlotRefusedError || error instanceof FencedError);

/** Rule 1: every input has the same number of partitions. */
async function commonPartitionCount({ context, partition, signal }: OwnershipOptions): Promise<number> {
  const { log, definition, clock, observer } = context;
  const name = { pipeline: definition.name, partition };
  const onRetry = (error: Error) => observer.retried(name, "read partition counts", error);
  const counts = await Promise.all(
    definition.inputs.map(({ topic }) =>
      retrying(() => log.partitionCount(topic), { clock, signal, retriable, onRetry }),
    ),
  );
  if (counts.every((count) => count === counts[0])) return counts[0]!;
  const described = definition.inputs.map(({ topic }, index) => `${topic} ${counts[index]}`).join(", ");
  throw new CheckpointError("partitions-changed", `the inputs have different partition counts: ${described}`);
}
