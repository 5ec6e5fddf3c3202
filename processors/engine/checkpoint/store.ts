/**
 * The checkpoint store port: blobs under names that are never reused, and one slot a task that says which
 * checkpoint was prepared last (design, section 4, rules 4 to 8).
 */

/** `environment/pipeline/partition`: the identity of a task, and the slot's key. */
export type TaskId = string;

/** The generation of a task that was never reset. */
export const FIRST_GENERATION = 1;

export interface Slot {
  /** Name of the manifest registered last. */
  readonly id: string;
  /** The manifest it follows; null for genesis. */
  readonly parent: string | null;
}

export interface Claim {
  /** Raised by every claim: a writer whose epoch is not the newest is refused. Starts at 1. */
  readonly epoch: number;
  /** Null until genesis is registered, and again after a reset. */
  readonly slot: Slot | null;
  /** What a genesis of this task is to carry: 1, and raised by every reset, so that its results win over older ones. */
  readonly generation: number;
}

export interface CheckpointStore {
  /** Raises the task's epoch and returns it with the slot and the generation, in one conditional write. */
  claim(task: TaskId, owner: string): Promise<Claim>;
  /** Reads the newest epoch, the slot and the generation, strongly consistent. The task must have been claimed before. */
  read(task: TaskId): Promise<Claim>;
  /**
   * Registers a prepared checkpoint: the slot becomes `next`, only if the epoch is still the task's newest and the
   * slot's id is `next.parent` (no slot yet, where that is null). Repeating a register that took effect succeeds,
   * so that a lost response may be retried. Rejects with {@link SlotRefusedError} otherwise.
   */
  register(task: TaskId, epoch: number, next: Slot): Promise<void>;
  /**
   * Throws the task's state away: empties the slot, raises the epoch, so that whoever wrote before is refused, and sets
   * the generation, which is never lowered. May be repeated.
   */
  reset(task: TaskId, generation: number): Promise<void>;
  /** Writes a blob. Durable when it resolves. Writing the same bytes again under the same name is harmless. */
  put(name: string, bytes: Uint8Array): Promise<void>;
  /** Reads a blob; null where it does not exist. */
  get(name: string): Promise<Uint8Array | null>;
  /** Names of all blobs of a task: those that begin with its id and a slash. */
  list(task: TaskId): Promise<readonly string[]>;
  /** Deletes blobs; missing ones are no error. */
  delete(names: readonly string[]): Promise<void>;
}

/** The slot or the epoch is not what the writer believed: another owner took the task over. */
export class SlotRefusedError extends Error {
  override readonly name = "SlotRefusedError";
}
