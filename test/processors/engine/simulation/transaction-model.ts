/**
 * Kafka's transactions as the adapter uses them: one request for each partition's outputs, one for the offsets, one
 * for the end; producers fenced by epoch, transactions left open and aborted by the coordinator's timeout, and
 * offsets that show a while after their commit.
 */
import { keyHash } from "../../../../contracts/partitioning.ts";
import {
  type Commit,
  CommitNotMadeError,
  type CommittedOffset,
  CommitUnknownError,
  FencedError,
  type OffsetCommit,
  type OutputRecord,
  type Transactions,
} from "../../../../processors/engine/log/port.ts";
import type { Process } from "./process.ts";
import type { World } from "./world.ts";

const TRANSACTION_TIMEOUT_MS = 1_500;
const OUTPUT_PARTITIONS = 3;
const BUSY_RETRY_MS = 10;
/** Longest time until a committed offset shows; less than the engine keeps reading again. */
const MAX_VISIBILITY_DELAY_MS = 450;

/** What happens to the log, at the moment at which it happens. */
export interface TransactionEvents {
  wrote(commit: Commit, records: readonly OutputRecord[]): void;
  committed(commit: Commit, records: readonly OutputRecord[]): void;
}

interface OpenTransaction {
  readonly commit: Commit;
  readonly written: Set<OutputRecord>;
  hasOffsets: boolean;
}

interface Producer {
  epoch: number;
  open: OpenTransaction | null;
  /** Commits of this epoch that have ended, either way: what arrives late for them is refused. */
  readonly ended: Map<Commit, "committed" | "aborted">;
  /** When the markers of the last commit are written: until then the coordinator is busy. */
  busyUntilMs: number;
}

interface StoredOffset {
  readonly commit: OffsetCommit | null;
  readonly previous: OffsetCommit | null;
  readonly visibleMs: number;
}

export class TransactionModel {
  readonly #world: World;
  readonly #events: TransactionEvents;
  readonly #producers = new Map<string, Producer>();
  readonly #offsets = new Map<number, StoredOffset>();

  constructor(world: World, events: TransactionEvents) {
    this.#world = world;
    this.#events = events;
  }

  epochOf(id: string): number {
    return this.#producers.get(id)?.epoch ?? 0;
  }

  committedOffset(partition: number): OffsetCommit | null {
    return this.#offsets.get(partition)?.commit ?? null;
  }

  /** Aborts what is open, and fences whoever opened it. */
  abortAll(): void {
    for (const producer of this.#producers.values()) {
      producer.open = null;
      producer.epoch += 1;
    }
  }

  /** Loses or replaces what the group committed. */
  damageOffset(partition: number, commit: OffsetCommit | null): void {
    this.#offsets.set(partition, { commit, previous: null, visibleMs: 0 });
  }

  /** What the group committed, as one sees it who cannot ask for stable offsets only. */
  read(topic: string, partition: number): CommittedOffset {
    const stored = this.#offsets.get(partition);
    const seen = stored && this.#world.nowMs >= stored.visibleMs ? stored.commit : stored?.previous;
    return { topic, partition, offset: seen?.offset ?? null, metadata: seen?.metadata ?? "" };
  }

  /** @returns the producer's new epoch */
  fence(id: string): number {
    const producer = this.#producers.get(id) ?? { epoch: 0, busyUntilMs: 0 };
    if (producer.busyUntilMs > this.#world.nowMs) throw new Error("CONCURRENT_TRANSACTIONS");
    this.#producers.set(id, { epoch: producer.epoch + 1, open: null, ended: new Map(), busyUntilMs: 0 });
    return producer.epoch + 1;
  }

  transactions(process: Process, id: string, epoch: number): Transactions {
    let spent = false;
    const begin = async (commit: Commit): Promise<void> => {
      const parts = Map.groupBy(commit.outputs, leaderOf);
      await Promise.all(
        [...parts].map(([leader, records]) => this.#send(process, id, epoch, commit, leader, records)),
      );
      await this.#ask(process, "offsets", id, epoch, commit, (open) => {
        open.hasOffsets = true;
      });
    };
    return {
      commit: async (commit) => {
        if (spent) throw new CommitNotMadeError("this producer failed before; fence a new one");
        try {
          await begin(commit);
        } catch (cause) {
          spent = true;
          if (cause instanceof FencedError) throw cause;
          await process.call("transactions", () => this.#abort(id, epoch, commit)).catch(() => undefined);
          throw new CommitNotMadeError((cause as Error).message, { cause });
        }
        try {
          await process.call("transactions", () => this.#end(id, epoch, commit));
        } catch (cause) {
          spent = true;
          throw new CommitUnknownError((cause as Error).message, { cause });
        }
      },
      close: async () => {
        spent = true;
      },
    };
  }

  async #send(
    process: Process,
    id: string,
    epoch: number,
    commit: Commit,
    leader: string,
    records: readonly OutputRecord[],
  ): Promise<void> {
    await this.#ask(process, leader, id, epoch, commit, (open) => {
      // A leader knows a request that it has executed before by its sequence numbers.
      const fresh = records.filter((record) => !open.written.has(record));
      for (const record of fresh) open.written.add(record);
      this.#events.wrote(commit, fresh);
    });
  }

  /** A request within the transaction, asked again while the coordinator completes the one before. */
  async #ask(
    process: Process,
    server: string,
    id: string,
    epoch: number,
    commit: Commit,
    effect: (open: OpenTransaction) => void,
  ): Promise<void> {
    for (;;) {
      const isBusy = await process.call(server, () => {
        const producer = this.#requireNewest(id, epoch);
        if (producer.busyUntilMs > this.#world.nowMs) return true;
        if (producer.ended.has(commit)) throw new Error("INVALID_TXN_STATE");
        effect(this.#opened(producer, commit));
        return false;
      });
      if (!isBusy) return;
      await new Promise<void>((resolve) => this.#world.after(BUSY_RETRY_MS, () => process.deliver(resolve)));
    }
  }

  #opened(producer: Producer, commit: Commit): OpenTransaction {
    if (producer.open?.commit === commit) return producer.open;
    const open = { commit, written: new Set<OutputRecord>(), hasOffsets: false };
    producer.open = open;
    this.#world.after(TRANSACTION_TIMEOUT_MS, () => {
      if (producer.open !== open) return;
      producer.open = null;
      producer.epoch += 1;
    });
    return open;
  }

  #abort(id: string, epoch: number, commit: Commit): void {
    const producer = this.#requireNewest(id, epoch);
    producer.open = null;
    producer.ended.set(commit, "aborted");
  }

  #end(id: string, epoch: number, commit: Commit): void {
    const producer = this.#requireNewest(id, epoch);
    if (producer.ended.get(commit) === "committed") return;
    const { open } = producer;
    if (open?.commit !== commit || !open.hasOffsets) throw new Error("INVALID_TXN_STATE");
    producer.open = null;
    producer.ended.set(commit, "committed");
    producer.busyUntilMs = this.#world.nowMs + this.#world.between(0, 60);
    this.#events.committed(
      commit,
      commit.outputs.filter((record) => open.written.has(record)),
    );
    for (const offset of commit.offsets) this.#store(offset, producer.busyUntilMs);
  }

  #store(commit: OffsetCommit, completeMs: number): void {
    const previous = this.#offsets.get(commit.partition)?.commit ?? null;
    const late =
      this.#world.faults && this.#world.random() < 0.4 ? this.#world.between(0, MAX_VISIBILITY_DELAY_MS) : 0;
    this.#offsets.set(commit.partition, { commit, previous, visibleMs: completeMs + late });
  }

  #requireNewest(id: string, epoch: number): Producer {
    const producer = this.#producers.get(id)!;
    if (producer.epoch === epoch) return producer;
    throw new FencedError(`${id}: epoch ${epoch} is fenced by ${producer.epoch}`);
  }
}

const leaderOf = ({ topic, key }: OutputRecord): string =>
  `leader/${topic}-${key === null ? 0 : keyHash(key) % OUTPUT_PARTITIONS}`;
