/**
 * A model of Kafka as the engine meets it: a partitioned input, transactions with fencing, committed offsets that
 * may show late, and a consumer group that rebalances and evicts whoever stays silent.
 */
import {
  type Commit,
  CommitNotMadeError,
  CommitUnknownError,
  FencedError,
  type GroupHandlers,
  type GroupMembership,
  type Log,
  type OffsetCommit,
  type OutputRecord,
  type Transactions,
} from "../../../../processors/engine/log/port.ts";
import { batchOf, type TestRecord } from "../../../support/records.ts";
import type { Process, World } from "./world.ts";

export const SESSION_TIMEOUT_MS = 1_000;
const REBALANCE_MS = 50;
const HEARTBEAT_MS = 100;
const FAULT = 0.03;
export const RECORD_INTERVAL_MS = 30;
/** Longest time until a committed offset shows; less than the engine keeps reading again. */
const MAX_VISIBILITY_DELAY_MS = 300;

interface OpenTransaction {
  readonly outputs: OutputRecord[];
}

interface Member {
  readonly process: Process;
  readonly handlers: GroupHandlers;
  /** The generation the member itself knows of. */
  generation: number;
  readonly positions: Map<number, number>;
  readonly resumed: Set<number>;
}

export class KafkaModel {
  readonly #world: World;
  readonly #topic: string;
  readonly #input: readonly (readonly TestRecord[])[];
  readonly #producers = new Map<string, { epoch: number; open: OpenTransaction | null }>();
  readonly #offsets = new Map<
    number,
    { commit: OffsetCommit; previous: OffsetCommit | null; visibleMs: number }
  >();
  #members: Member[] = [];
  #generation = 0;
  /** In the order in which their transactions committed. */
  readonly committed: OutputRecord[] = [];
  /** Everything that was ever written, as a reader of uncommitted data sees it. */
  readonly written: OutputRecord[] = [];

  constructor(world: World, topic: string, input: readonly (readonly TestRecord[])[]) {
    this.#world = world;
    this.#topic = topic;
    this.#input = input;
  }

  committedOffset(partition: number): number {
    return this.#offsets.get(partition)?.commit.offset ?? 0;
  }

  committedMetadata(partition: number): string {
    return this.#offsets.get(partition)?.commit.metadata ?? "";
  }

  /** The log as one process sees it. */
  for(process: Process): Log {
    const call = <T>(effect: () => T): Promise<T> =>
      process.call(() => {
        if (this.#world.chance(FAULT)) throw new Error("kafka: the request was lost");
        const value = effect();
        if (this.#world.chance(FAULT)) throw new Error("kafka: the answer was lost");
        return value;
      });
    return {
      join: (_group, _topics, handlers) => process.call(() => this.#join(process, handlers)),
      fence: (id) => call(() => this.#fence(process, id)),
      committed: (_group, partitions) =>
        call(() => partitions.map(({ topic, partition }) => this.#read(topic, partition))),
      bounds: ({ partition }) => call(() => ({ low: 0, high: this.#produced(partition) })),
      partitionCount: () => call(() => this.#input.length),
      close: () => Promise.resolve(),
    };
  }

  /** Lets the group forget a member that was silent for its session timeout. */
  evict(process: Process): void {
    if (!this.#members.some((member) => member.process === process)) return;
    this.#members = this.#members.filter((member) => member.process !== process);
    this.#rebalance();
  }

  rebalance(): void {
    this.#rebalance();
  }

  #read(topic: string, partition: number) {
    const entry = this.#offsets.get(partition);
    const seen = entry === undefined || this.#world.nowMs >= entry.visibleMs ? entry?.commit : entry.previous;
    return { topic, partition, offset: seen?.offset ?? null, metadata: seen?.metadata ?? "" };
  }

  #fence(process: Process, id: string): Transactions {
    const epoch = (this.#producers.get(id)?.epoch ?? 0) + 1;
    this.#producers.set(id, { epoch, open: null });
    return {
      commit: (commit) => this.#commit(process, id, epoch, commit),
      close: () => Promise.resolve(),
    };
  }

  /** Writes, then ends the transaction: two requests, each of which can fail or lose its answer. */
  async #commit(process: Process, id: string, epoch: number, commit: Commit): Promise<void> {
    await process.call(() => {
      const producer = this.#requireOwn(id, epoch);
      if (this.#world.chance(0.03)) {
        const written = commit.outputs.slice(0, this.#world.between(0, commit.outputs.length));
        this.written.push(...written);
        throw new CommitNotMadeError("a partition did not acknowledge");
      }
      producer.open = { outputs: [...commit.outputs] };
      this.written.push(...commit.outputs);
    });
    await process.call(() => {
      if (this.#world.chance(0.02)) throw new CommitUnknownError("EndTxn was lost on its way");
      const producer = this.#producers.get(id)!;
      if (producer.epoch !== epoch || producer.open === null)
        throw new CommitUnknownError("invalid producer epoch");
      this.committed.push(...producer.open.outputs);
      producer.open = null;
      for (const offset of commit.offsets) this.#setOffset(offset);
      if (this.#world.chance(0.03)) throw new CommitUnknownError("the answer to EndTxn was lost");
    });
  }

  #requireOwn(id: string, epoch: number) {
    const producer = this.#producers.get(id)!;
    if (producer.epoch !== epoch)
      throw new FencedError(`${id}: epoch ${epoch} is fenced by ${producer.epoch}`);
    return producer;
  }

  #setOffset(commit: OffsetCommit): void {
    const previous = this.#offsets.get(commit.partition)?.commit ?? null;
    const late = this.#world.chance(0.2) ? this.#world.between(0, MAX_VISIBILITY_DELAY_MS) : 0;
    this.#offsets.set(commit.partition, { commit, previous, visibleMs: this.#world.nowMs + late });
  }

  #join(process: Process, handlers: GroupHandlers): GroupMembership {
    const member: Member = { process, handlers, generation: 0, positions: new Map(), resumed: new Set() };
    this.#members.push(member);
    this.#rebalance();
    return {
      seek: ({ partition, offset }) => member.positions.set(partition, offset),
      pause: (partitions) => partitions.forEach(({ partition }) => void member.resumed.delete(partition)),
      resume: (partitions) => {
        for (const { partition } of partitions) {
          member.resumed.add(partition);
          this.#fetch(member, partition, member.generation);
        }
      },
      confirm: (generation) => this.#confirm(member, generation),
      leave: () => process.call(() => this.evict(process)),
    };
  }

  #confirm(member: Member, generation: number): Promise<boolean> {
    const { process } = member;
    return new Promise((resolve) => {
      this.#world.after(HEARTBEAT_MS, () =>
        process.deliver(() => {
          const current = this.#members.includes(member) && this.#generation === generation;
          resolve(current && member.generation === generation);
        }),
      );
    });
  }

  #rebalance(): void {
    this.#generation += 1;
    const generation = this.#generation;
    for (const member of this.#members) {
      this.#world.after(this.#world.between(1, HEARTBEAT_MS), () =>
        member.process.deliver(() => {
          if (this.#generation !== generation || !this.#members.includes(member)) return;
          member.generation = -1;
          member.resumed.clear();
          member.handlers.onLost();
        }),
      );
    }
    this.#world.after(HEARTBEAT_MS + REBALANCE_MS, () => this.#assign(generation));
  }

  #assign(generation: number): void {
    if (this.#generation !== generation) return;
    this.#members.forEach((member, index) => {
      const mine = this.#input
        .map((_, partition) => partition)
        .filter((p) => p % this.#members.length === index);
      member.process.deliver(() => {
        if (!this.#members.includes(member)) return this.#tellEvicted(member);
        member.generation = generation;
        member.resumed.clear();
        member.handlers.onAssigned({
          generation,
          partitions: mine.map((partition) => ({ topic: this.#topic, partition })),
        });
      });
    });
  }

  /** A member that comes back after its eviction learns it at its next heartbeat, and joins again. */
  #tellEvicted(member: Member): void {
    member.generation = -1;
    member.resumed.clear();
    member.handlers.onLost();
  }

  rejoin(process: Process, everyMember: readonly Process[]): void {
    const member = this.#known.get(process);
    if (member === undefined || !everyMember.includes(process)) return;
    this.#tellEvicted(member);
    if (!this.#members.includes(member)) this.#members.push(member);
    this.#rebalance();
  }

  readonly #known = new Map<Process, Member>();

  remember(process: Process): void {
    const member = this.#members.find((candidate) => candidate.process === process);
    if (member !== undefined) this.#known.set(process, member);
  }

  /** Records are produced over time, so that faults meet a task in the middle of its work. */
  #produced(partition: number): number {
    return Math.min(this.#input[partition]!.length, Math.floor(this.#world.nowMs / RECORD_INTERVAL_MS));
  }

  #fetch(member: Member, partition: number, generation: number): void {
    this.#world.after(this.#world.between(1, 30), () =>
      member.process.deliver(() => {
        if (member.generation !== generation || !member.resumed.has(partition)) return;
        const from = member.positions.get(partition)!;
        const end = Math.min(from + this.#world.between(1, 12), this.#produced(partition));
        const records = this.#input[partition]!.slice(from, end);
        if (records.length > 0) {
          member.positions.set(partition, from + records.length);
          member.handlers.onBatch(batchOf({ topic: this.#topic, partition }, records), generation);
        }
        this.#fetch(member, partition, generation);
      }),
    );
  }
}
