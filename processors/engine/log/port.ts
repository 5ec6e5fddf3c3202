/**
 * The Kafka port: what the engine needs of a log, and no more. Batches come in as undecoded bytes; commits go
 * out whole. Another client, or the simulator's model of Kafka, fits behind it.
 */

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/**
 * Consecutive records of one partition, as the broker sent them. Accessors, not record objects, so that a client
 * that decodes lazily never makes one. Offsets only grow, but may jump (commit markers, aborted records).
 */
export interface RecordBatch extends TopicPartition {
  readonly count: number;
  /** The partition's end offset when the batch was fetched: one past the last record a consumer may read. */
  readonly highWatermark: number;
  /**
   * Where reading goes on: one past the last record that was fetched, commit markers and aborted records included.
   * A batch of nothing but those has no records, and says only this.
   */
  readonly nextOffset: number;
  offset(index: number): number;
  /** When the broker took the record in (LogAppendTime), milliseconds since the epoch. */
  arrivalMs(index: number): number;
  key(index: number): Uint8Array | null;
  value(index: number): Uint8Array | null;
  /** The header's value as UTF-8 text, its last one if it is repeated; undefined where it is absent. */
  header(index: number, name: string): string | undefined;
}

/** A record to write. Keys and values are bytes: outputs are published again byte for byte after a crash. */
export interface OutputRecord extends TopicPartitionChoice {
  readonly topic: string;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** Absent: the key's murmur2 hash decides, as every Kafka client's default does. */
interface TopicPartitionChoice {
  readonly partition?: number;
}

export interface CommittedOffset extends TopicPartition {
  /** The next offset to read; null where the group never committed this partition. */
  readonly offset: number | null;
  /** What the commit carried beside the offset; empty where there was none. */
  readonly metadata: string;
}

export interface OffsetCommit extends TopicPartition {
  readonly offset: number;
  /** At most 512 bytes. */
  readonly metadata: string;
}

/** One Kafka transaction: everything a checkpoint makes visible. */
export interface Commit {
  readonly outputs: readonly OutputRecord[];
  readonly offsets: readonly OffsetCommit[];
}

/**
 * A transactional producer of one task. Made by {@link Log.fence}; from then on every older producer with the
 * same transactional id is fenced.
 */
export interface Transactions {
  /**
   * Writes outputs and offsets in one transaction. Rejects with:
   * - {@link CommitNotMadeError}: failed before EndTxn and was aborted; the same commit may be sent again;
   * - {@link CommitUnknownError}: EndTxn was sent and its answer is an error or missing;
   * - {@link FencedError}: a newer producer with this transactional id exists; nothing was written.
   *
   * After any of them this object takes no further commit: fence anew and send again there. (A send whose answer
   * was lost may have been written; sent again with its sequence numbers it would pass for a duplicate.)
   */
  commit(commit: Commit): Promise<void>;
  close(): Promise<void>;
}

/** What the group gave this member. Each join makes a new assignment with a new generation, even if nothing moved. */
export interface Assignment {
  readonly generation: number;
  readonly partitions: readonly TopicPartition[];
}

export interface GroupHandlers {
  /**
   * Called synchronously in the join, before anything is fetched: every assigned partition is already paused.
   * The worker seeks and resumes each one once its task has recovered.
   */
  onAssigned(assignment: Assignment): void;
  /** The assignment no longer holds (a rebalance began, or the session was lost). Tasks must stop. */
  onLost(): void;
  /** Must only enqueue: the next fetch waits for its return. `generation` is the one it was fetched under. */
  onBatch(batch: RecordBatch, generation: number): void;
  /** The client crashed in a way it will not recover from. The process should exit. */
  onCrash(error: Error): void;
}

export interface GroupMembership {
  seek(position: TopicPartition & { readonly offset: number }): void;
  pause(partitions: readonly TopicPartition[]): void;
  resume(partitions: readonly TopicPartition[]): void;
  /**
   * Resolves true after the next successful heartbeat that was sent after this call under `generation`; false as
   * soon as that generation is known to be over (design, section 4, rule 7).
   */
  confirm(generation: number): Promise<boolean>;
  /** Leaves the group, so that its partitions move at once. */
  leave(): Promise<void>;
}

export interface Log {
  /** Joins the consumer group and starts to deliver batches. Never commits offsets by itself. */
  join(group: string, topics: readonly string[], handlers: GroupHandlers): Promise<GroupMembership>;
  /**
   * Initializes the transactional producer: older ones with the same id are fenced when it resolves, and whatever they
   * committed is what {@link committed} tells from then on. Its commits carry offsets of `group`.
   * @param input one of the partitions whose offsets it commits
   */
  fence(transactionalId: string, group: string, input: TopicPartition): Promise<Transactions>;
  /** Committed offsets of a group, read fresh. */
  committed(group: string, partitions: readonly TopicPartition[]): Promise<readonly CommittedOffset[]>;
  /** First offset still in the log, and the next one to be written. */
  bounds(partition: TopicPartition): Promise<{ readonly low: number; readonly high: number }>;
  /** Offset of the first record that arrived at `arrivalMs` or later; the next one to be written where none has. */
  offsetAt(partition: TopicPartition, arrivalMs: number): Promise<number>;
  /** Number of partitions of a topic; rejects where the topic does not exist. */
  partitionCount(topic: string): Promise<number>;
  close(): Promise<void>;
}

/** What a reset needs of Kafka beside the log. */
export interface Groups {
  /** How many members a consumer group has; 0 where there is none. */
  memberCount(group: string): Promise<number>;
  /** Deletes a group with all of its offsets. False where it has members; a group that does not exist is no error. */
  delete(group: string): Promise<boolean>;
  /** Deletes every record that a topic holds; its offsets go on from where they are. */
  truncate(topic: string): Promise<void>;
}

/** The transaction failed before its commit was asked for, and was aborted. */
export class CommitNotMadeError extends Error {
  override readonly name = "CommitNotMadeError";
}

/** The commit was asked for, and whether it happened is not known. */
export class CommitUnknownError extends Error {
  override readonly name = "CommitUnknownError";
}

/** Another producer with the same transactional id took over. */
export class FencedError extends Error {
  override readonly name = "FencedError";
}
