/**
 * Losses that no engine can repair: each must park its task, and no other, whatever it finds (rule 8). After a person
 * has put back what was lost, the task goes on.
 */
import type { CheckpointProblem } from "../../../../processors/engine/checkpoint/errors.ts";
import type { Cluster } from "./client-model.ts";
import { blobNames, type Ledger, offsetOf } from "./ledger.ts";

/** Seeds that this divides have a loss; which one goes round. */
export const SEEDS_PER_LOSS = 6;

export interface Damage {
  /** Null where every partition is hit. */
  readonly partition: number | null;
  readonly code: CheckpointProblem;
  /** Puts back what was lost, as an operator would from a backup. */
  readonly repair: (() => void) | null;
}

interface Target {
  readonly cluster: Cluster;
  readonly ledger: Ledger;
  readonly partition: number;
  readonly task: string;
}

/** Each loses something of one task, and is told of as the code that the task must park with. */
const losses: readonly ((target: Target) => CheckpointProblem)[] = [
  ({ cluster, partition }) => {
    cluster.transactions.damageOffset(partition, null);
    return "offset-absent";
  },
  ({ cluster, partition }) => {
    damageCommit(cluster, partition, { offset: -2, metadata: "" });
    return "offset-negative";
  },
  ({ cluster, partition }) => {
    damageCommit(cluster, partition, { metadata: "" });
    return "offset-foreign";
  },
  ({ cluster, partition }) => {
    damageCommit(cluster, partition, { metadata: '{"f":9,"m":"other","h":"00"}' });
    return "offset-foreign";
  },
  ({ cluster, partition }) => {
    cluster.input.truncate(partition);
    return "offset-outside-log";
  },
  ({ cluster, partition }) => {
    cluster.input.recreate(partition);
    return "offset-outside-log";
  },
  ({ cluster, task }) => {
    cluster.store.blobs.delete(cluster.store.slots.get(task)!.slot!.id);
    return "missing";
  },
  (target) => {
    target.cluster.store.blobs.delete(newestBlobs(target)[0]!);
    return "missing";
  },
  (target) => {
    const { blobs } = target.cluster.store;
    const [base] = newestBlobs(target);
    const bytes = blobs.get(base!)!.slice();
    bytes[target.cluster.world.between(bytes.length >> 1, bytes.length - 1)]! ^= 1;
    blobs.set(base!, bytes);
    return "corrupt";
  },
  ({ cluster, task }) => {
    cluster.store.slots.delete(task);
    return "unknown-checkpoint";
  },
  ({ cluster, task, ledger, partition }) => {
    const [older, old] = ledger.committedOf(partition).slice(-4);
    const claim = cluster.store.slots.get(task)!;
    cluster.store.slots.set(task, { ...claim, slot: { id: old!.name, parent: older!.name } });
    return "unknown-checkpoint";
  },
];

/**
 * Damages one task, or all. No process may run. Null where the task has not come far enough for a loss to be one.
 * @param kind a number that says which loss it is
 */
export function damage(target: Target, kind: number): Damage | null {
  const { cluster, ledger, partition, task } = target;
  const { slot } = cluster.store.slots.get(task) ?? { slot: null };
  const last = ledger.lastOf(partition);
  if (slot === null || last === undefined || ledger.committedOf(partition).length < 5) return null;
  if (cluster.input.partitions.some((other) => ledger.lastOf(other) === undefined)) return null;
  // Where everything is read nothing is lost by a truncation.
  if (offsetOf(last) >= cluster.input.bounds(partition).high) return null;
  // What is under way ends before the loss: it could repair it.
  cluster.transactions.abortAll();
  const restore = backup(target);
  const loss = losses[kind % (losses.length + 1)];
  if (loss !== undefined) return { partition, code: loss(target), repair: restore() };
  cluster.input.partitionCount += 1;
  return { partition: null, code: "partitions-changed", repair: null };
}

/** @returns called after a loss, gives what puts back what the loss took and nobody has replaced since */
function backup({ cluster, partition, task, ledger }: Target): () => () => void {
  const { store, transactions, input } = cluster;
  const offset = transactions.committedOffset(partition);
  const claim = store.slots.get(task)!;
  const newest = claim.slot!.id;
  const names = [newest, ...blobNames(ledger.manifest(newest))];
  const blobs = names.map((name) => [name, store.blobs.get(name)!] as const);
  return () => {
    const damagedOffset = transactions.committedOffset(partition);
    const damagedSlot = store.slots.get(task)?.slot?.id;
    return () => {
      if (transactions.committedOffset(partition) === damagedOffset)
        transactions.damageOffset(partition, offset);
      const { epoch, slot } = store.slots.get(task)!;
      if (slot?.id === damagedSlot) {
        store.slots.set(task, { ...claim, epoch: Math.max(claim.epoch, epoch) + 1 });
        for (const [name, bytes] of blobs) store.blobs.set(name, bytes);
      }
      input.repair(partition);
    };
  };
}

function damageCommit(
  { transactions }: Cluster,
  partition: number,
  change: { readonly offset?: number; readonly metadata: string },
): void {
  transactions.damageOffset(partition, { ...transactions.committedOffset(partition)!, ...change });
}

/** The blobs of what the next owner will read: the slot's checkpoint. */
function newestBlobs({ cluster, task, ledger }: Target): string[] {
  return blobNames(ledger.manifest(cluster.store.slots.get(task)!.slot!.id));
}
