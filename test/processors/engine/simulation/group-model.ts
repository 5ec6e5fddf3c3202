/**
 * A consumer group as an eager client meets it: members prove their life by heartbeats, every change makes all of
 * them join again, who is silent for its session or misses the join is put out, and learns it when it asks next.
 */
import { share } from "../../../../processors/adapters/partition-shares.ts";
import type { World } from "./world.ts";

const SESSION_TIMEOUT_MS = 1_000;
const REBALANCE_TIMEOUT_MS = 500;
const CHECK_MS = 100;

export type HeartbeatAnswer = "ok" | "rebalancing" | "unknown";

export interface JoinRequest {
  /** Null for one who is not a member yet, or no more. */
  readonly id: string | null;
  readonly claim: { readonly generation: number; readonly partitions: readonly number[] };
  /** Takes the outcome once all have joined. */
  readonly assigned: (id: string, generation: number, partitions: readonly number[]) => void;
}

interface Entry {
  readonly id: string;
  request: JoinRequest;
  joined: boolean;
  seenMs: number;
}

export class GroupModel {
  readonly #world: World;
  readonly #partitionCount: number;
  #members = new Map<string, Entry>();
  #generation = 0;
  #joining = false;
  /** Counts rebalances, so that the timer of one does not end another. */
  #rebalances = 0;
  #ids = 0;
  #owners: (string | undefined)[] = [];

  constructor(world: World, partitionCount: number) {
    this.#world = world;
    this.#partitionCount = partitionCount;
    this.#checkSessions();
  }

  /** The member that the present generation gives the partition; undefined while the group rebalances. */
  ownerOf(partition: number): string | undefined {
    return this.#joining ? undefined : this.#owners[partition];
  }

  /** @returns the member's id */
  join(request: JoinRequest): string {
    const known = request.id === null ? undefined : this.#members.get(request.id);
    const id = known?.id ?? `m${String(this.#ids++).padStart(3, "0")}`;
    this.#members.set(id, { id, request, joined: true, seenMs: this.#world.nowMs });
    if (!this.#joining) this.rebalance();
    const entry = this.#members.get(id)!;
    entry.joined = true;
    this.#completeIfAllJoined();
    return id;
  }

  heartbeat(id: string, generation: number): HeartbeatAnswer {
    const member = this.#members.get(id);
    if (member === undefined) return "unknown";
    member.seenMs = this.#world.nowMs;
    if (this.#joining) return "rebalancing";
    return generation === this.#generation ? "ok" : "unknown";
  }

  leave(id: string): void {
    if (this.#members.delete(id)) this.rebalance();
  }

  /** All must join again, whatever the reason; those who have joined already wait for the others. */
  rebalance(): void {
    if (this.#joining) {
      this.#completeIfAllJoined();
      return;
    }
    this.#joining = true;
    const rebalance = ++this.#rebalances;
    for (const member of this.#members.values()) member.joined = false;
    this.#world.after(REBALANCE_TIMEOUT_MS, () => {
      if (this.#joining && this.#rebalances === rebalance) this.#complete();
    });
  }

  #completeIfAllJoined(): void {
    if ([...this.#members.values()].every(({ joined }) => joined)) this.#complete();
  }

  #complete(): void {
    for (const [id, { joined }] of this.#members) if (!joined) this.#members.delete(id);
    this.#joining = false;
    this.#generation += 1;
    this.#owners = [];
    if (this.#members.size === 0) return;
    const claims = [...this.#members.values()].map(({ id, request }) => ({ memberId: id, ...request.claim }));
    for (const [id, partitions] of share(this.#partitionCount, claims)) {
      const member = this.#members.get(id)!;
      member.seenMs = this.#world.nowMs;
      for (const partition of partitions) this.#owners[partition] = id;
      member.request.assigned(id, this.#generation, partitions);
    }
  }

  #checkSessions(): void {
    this.#world.after(CHECK_MS, () => {
      const silentSinceMs = this.#world.nowMs - SESSION_TIMEOUT_MS;
      const silent = [...this.#members.values()].filter(
        ({ joined, seenMs }) => seenMs < silentSinceMs && !(this.#joining && joined),
      );
      for (const { id } of silent) this.#members.delete(id);
      if (silent.length > 0) this.rebalance();
      this.#checkSessions();
    });
  }
}
