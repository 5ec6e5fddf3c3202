/** One member's client: joins, heartbeats, fetches what is resumed, and tells the worker what kafkajs would. */
import type {
  GroupHandlers,
  GroupMembership,
  TopicPartition,
} from "../../../../processors/engine/log/port.ts";
import type { GroupModel } from "./group-model.ts";
import type { InputModel } from "./input-model.ts";
import type { Process } from "./process.ts";

const HEARTBEAT_MS = 100;
const REJOIN_AFTER_MS = 1_200;
const MAX_FETCH_MS = 30;

interface Confirmation {
  readonly asked: number;
  readonly answer: (confirmed: boolean) => void;
}

interface Position {
  offset: number;
  /** Counts seeks: what was fetched before one is not delivered after it. */
  seeks: number;
}

export class MemberModel implements GroupMembership {
  readonly #process: Process;
  readonly #group: GroupModel;
  readonly #input: InputModel;
  readonly #handlers: GroupHandlers;
  #id: string | null = null;
  #generation = -1;
  #claim: { generation: number; partitions: readonly number[] } = { generation: 0, partitions: [] };
  #joins = 0;
  #left = false;
  readonly #positions = new Map<number, Position>();
  readonly #resumed = new Set<number>();
  #confirmations: Confirmation[] = [];
  /** When the last heartbeat was sent that has been answered well. */
  #provenAt = -1;
  #assignedAt = -1;

  constructor(process: Process, group: GroupModel, input: InputModel, handlers: GroupHandlers) {
    this.#process = process;
    this.#group = group;
    this.#input = input;
    this.#handlers = handlers;
    this.#join();
  }

  get id(): string | null {
    return this.#id;
  }

  /** Whether the group has answered a heartbeat sent after that moment while the partition is this member's. */
  provedSince(order: number, partition: number): boolean {
    return this.#provenAt > order && this.#claim.partitions.includes(partition);
  }

  /** Whether the group gave the partition to this member after that moment. */
  assignedSince(order: number, partition: number): boolean {
    return this.#assignedAt > order && this.#claim.partitions.includes(partition);
  }

  seek({ partition, offset }: TopicPartition & { readonly offset: number }): void {
    const seeks = (this.#positions.get(partition)?.seeks ?? 0) + 1;
    this.#positions.set(partition, { offset, seeks });
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const { partition } of partitions) this.#resumed.delete(partition);
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const { partition } of partitions) {
      if (this.#resumed.has(partition)) continue;
      this.#resumed.add(partition);
      if (this.#generation !== -1) this.#fetch(partition, this.#generation);
    }
  }

  confirm(generation: number): Promise<boolean> {
    if (generation !== this.#generation) return Promise.resolve(false);
    return new Promise((answer) =>
      this.#confirmations.push({ asked: this.#process.world.nextOrder(), answer }),
    );
  }

  async leave(): Promise<void> {
    this.#left = true;
    this.#stopBeingCurrent();
    if (this.#id !== null)
      await this.#process.call("group", () => this.#group.leave(this.#id!)).catch(() => undefined);
  }

  /** Takes everything away, of a dead process too: signals that nobody aborts would be kept for ever. */
  end(): void {
    this.#left = true;
    this.#handlers.onAssigned({ generation: Number.POSITIVE_INFINITY, partitions: [] });
  }

  #join(): void {
    const { world } = this.#process;
    const join = ++this.#joins;
    const isOpen = () => this.#joins === join && this.#generation === -1 && !this.#left;
    const again = () => {
      if (isOpen()) this.#join();
    };
    const assigned = (id: string, generation: number, partitions: readonly number[]) => {
      if (world.chance(0.02)) return;
      this.#afterwards(world.between(1, 30), () => {
        if (!isOpen()) return;
        this.#id = id;
        this.#assign(generation, partitions);
      });
    };
    const request = { id: this.#id, claim: this.#claim, assigned };
    // The broker makes a member once, however often it is asked with one request.
    let made: string | undefined;
    const effect = () => {
      made ??= this.#group.join(request);
      return made;
    };
    this.#process.call("group", effect).catch(() => this.#afterwards(20, again));
    this.#afterwards(REJOIN_AFTER_MS, again);
  }

  #assign(generation: number, partitions: readonly number[]): void {
    this.#generation = generation;
    this.#assignedAt = this.#process.world.nextOrder();
    this.#claim = { generation, partitions };
    this.#resumed.clear();
    this.#positions.clear();
    const { topic } = this.#input;
    this.#handlers.onAssigned({
      generation,
      partitions: partitions.map((partition) => ({ topic, partition })),
    });
    this.#afterwards(HEARTBEAT_MS, () => this.#heartbeat(generation));
  }

  #heartbeat(generation: number): void {
    if (this.#generation !== generation || this.#id === null) return;
    const sent = this.#process.world.nextOrder();
    const id = this.#id;
    const next = () => this.#afterwards(HEARTBEAT_MS, () => this.#heartbeat(generation));
    this.#process
      .call("group", () => this.#group.heartbeat(id, generation))
      .then((answer) => {
        if (this.#generation !== generation) return;
        if (answer !== "ok") return this.#rejoin(answer === "unknown");
        this.#provenAt = sent;
        const confirmed = this.#confirmations.filter(({ asked }) => sent > asked);
        this.#confirmations = this.#confirmations.filter(({ asked }) => sent <= asked);
        for (const { answer: confirm } of confirmed) confirm(true);
        next();
      }, next);
  }

  #rejoin(unknown: boolean): void {
    if (unknown) this.#id = null;
    this.#stopBeingCurrent();
    this.#handlers.onLost();
    this.#join();
  }

  #stopBeingCurrent(): void {
    this.#generation = -1;
    this.#resumed.clear();
    for (const { answer } of this.#confirmations.splice(0)) answer(false);
  }

  #fetch(partition: number, generation: number): void {
    const { world } = this.#process;
    const position = this.#positions.get(partition);
    if (position === undefined) return;
    this.#afterwards(world.between(1, MAX_FETCH_MS), () => {
      const isWanted = this.#resumed.has(partition) && this.#generation === generation;
      const fetched = this.#input.fetch(partition, position.offset);
      if (!isWanted) {
        // What was fetched in an older generation may still come through, much later.
        if (fetched === null || this.#generation === generation || world.random() < 0.3) return;
        this.#afterwards(world.between(10, 1_000), () => this.#handlers.onBatch(fetched, generation));
        return;
      }
      if (fetched !== null && this.#positions.get(partition) === position) {
        position.offset = fetched.nextOffset;
        this.#handlers.onBatch(fetched, generation);
      }
      this.#fetch(partition, generation);
    });
  }

  #afterwards(delayMs: number, run: () => void): void {
    this.#process.world.after(delayMs, () => this.#process.deliver(run));
  }
}
