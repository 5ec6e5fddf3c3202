/**
 * Kafka as the engine meets it, put together from its parts; and an eye on how each process uses it, for the rules
 * that say who may do what and when (design, section 4, rule 7).
 */
import type { CheckpointStore } from "../../../../processors/engine/checkpoint/store.ts";
import { SlotRefusedError } from "../../../../processors/engine/checkpoint/store.ts";
import type { Log, Transactions } from "../../../../processors/engine/log/port.ts";
import type { GroupModel } from "./group-model.ts";
import type { InputModel } from "./input-model.ts";
import { MemberModel } from "./member-model.ts";
import type { Process } from "./process.ts";
import type { StoreModel } from "./store-model.ts";
import type { TransactionModel } from "./transaction-model.ts";
import type { World } from "./world.ts";

export interface Cluster {
  readonly world: World;
  readonly input: InputModel;
  readonly group: GroupModel;
  readonly transactions: TransactionModel;
  readonly store: StoreModel;
  readonly problem: (text: string) => void;
}

/** What one process believes of one partition's task. */
interface Belief {
  /** The epochs that its last claim and its last fence gave it. */
  storeEpoch: number;
  producerEpoch: number;
  /** When it was last told that somebody else may own the task, by a request of when; it keeps off until proved wrong. */
  doubt: { readonly askedAt: number; readonly toldAt: number } | null;
  /** How often it has claimed: what an ownership before the last one is told does not count. */
  claims: number;
}

/** Kafka and the store as one process sees them. */
export class Client {
  readonly #process: Process;
  readonly #cluster: Cluster;
  readonly #beliefs = new Map<number, Belief>();
  #member: MemberModel | undefined;

  constructor(process: Process, cluster: Cluster) {
    this.#process = process;
    this.#cluster = cluster;
  }

  get log(): Log {
    const process = this.#process;
    const { input, transactions } = this.#cluster;
    return {
      join: async (_group, _topics, handlers) => {
        await process.call("group", () => undefined);
        this.#member = new MemberModel(process, this.#cluster.group, input, handlers);
        // An assignment may come before the join is told to be done.
        await new Promise<void>((resolve) =>
          process.world.after(process.world.between(0, 150), () => process.deliver(resolve)),
        );
        return this.#member;
      },
      fence: (id) => this.#fence(id),
      committed: (_group, partitions) =>
        process.call("offsets", () =>
          partitions.map(({ topic, partition }) => transactions.read(topic, partition)),
        ),
      offsetAt: ({ partition }, arrivalMs) =>
        process.call(`leader/${partition}`, () => input.offsetAt(partition, arrivalMs)),
      bounds: ({ partition }) => process.call(`leader/${partition}`, () => input.bounds(partition)),
      partitionCount: () => process.call("brokers", () => input.partitionCount),
      close: () => Promise.resolve(),
    };
  }

  get store(): CheckpointStore {
    const store = this.#cluster.store.for(this.#process);
    return {
      ...store,
      claim: async (task, owner) => {
        const partition = partitionOf(task);
        this.#requireNoDoubt(partition, "claim");
        const belief = this.#belief(partition);
        belief.claims += 1;
        const { claims } = belief;
        const claim = await store.claim(task, owner);
        if (belief.claims === claims) belief.storeEpoch = claim.epoch;
        return claim;
      },
      register: async (task, epoch, next) => {
        const doubt = this.#doubtLater(partitionOf(task));
        try {
          await store.register(task, epoch, next);
        } catch (error) {
          if (error instanceof SlotRefusedError) doubt();
          throw error;
        }
      },
    };
  }

  /** Whether anything has happened that may make this process give the task up. */
  hasCauseToDrop(task: string, transactionalId: string): boolean {
    const partition = partitionOf(task);
    const { storeEpoch, producerEpoch } = this.#belief(partition);
    const { store, transactions, group } = this.#cluster;
    return (
      storeEpoch !== store.slots.get(task)?.epoch ||
      producerEpoch !== transactions.epochOf(transactionalId) ||
      group.ownerOf(partition) !== this.#member?.id
    );
  }

  end(): void {
    this.#member?.end();
  }

  async #fence(id: string): Promise<Transactions> {
    const partition = partitionOf(id);
    const { transactions } = this.#cluster;
    this.#requireNoDoubt(partition, "fence");
    const belief = this.#belief(partition);
    const { claims } = belief;
    const epoch = await this.#process.call("transactions", () => transactions.fence(id));
    if (belief.claims === claims) belief.producerEpoch = epoch;
    const producer = transactions.transactions(this.#process, id, epoch);
    return {
      ...producer,
      commit: async (commit) => {
        const doubt = this.#doubtLater(partition);
        try {
          await producer.commit(commit);
        } catch (error) {
          doubt();
          throw error;
        }
      },
    };
  }

  #doubtLater(partition: number): () => void {
    const { world } = this.#process;
    const belief = this.#belief(partition);
    const { claims } = belief;
    const askedAt = world.nextOrder();
    return () => {
      if (belief.claims === claims) belief.doubt = { askedAt, toldAt: world.nextOrder() };
    };
  }

  /**
   * Rule 7: after an error nobody fences, or claims anew, whom the group has not confirmed since; an assignment begins
   * a new ownership, which knows nothing of what the one before was told.
   */
  #requireNoDoubt(partition: number, deed: "claim" | "fence"): void {
    const belief = this.#belief(partition);
    const { doubt } = belief;
    if (doubt === null) return;
    const isSure =
      this.#member?.provedSince(doubt.toldAt, partition) ||
      (deed === "claim" && this.#member?.assignedSince(doubt.askedAt, partition));
    if (!isSure)
      this.#cluster.problem(`a ${deed} of partition ${partition} after an error, without a heartbeat since`);
    belief.doubt = null;
  }

  #belief(partition: number): Belief {
    let belief = this.#beliefs.get(partition);
    if (belief === undefined) {
      belief = { storeEpoch: 0, producerEpoch: 0, doubt: null, claims: 0 };
      this.#beliefs.set(partition, belief);
    }
    return belief;
  }
}

/** Task and transactional ids end with the partition. */
const partitionOf = (id: string): number => Number(/\d+$/.exec(id)![0]);
