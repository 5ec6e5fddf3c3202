/**
 * A model of the checkpoint store: slots and small blobs in a table, the rest in a bucket, each of which may be slow,
 * fail or be away; consistent, but for deletes, which take effect when they like.
 */
import {
  type CheckpointStore,
  type Claim,
  FIRST_GENERATION,
  type Slot,
  SlotRefusedError,
} from "../../../../processors/engine/checkpoint/store.ts";
import type { Process } from "./process.ts";
import type { World } from "./world.ts";

const MAX_DELETE_DELAY_MS = 6_000;
const MAX_INLINE_BYTES = 700;

const NEVER_CLAIMED: Claim = { epoch: 0, slot: null, generation: FIRST_GENERATION };

export class StoreModel {
  readonly blobs = new Map<string, Uint8Array>();
  readonly slots = new Map<string, Claim>();
  readonly #world: World;
  readonly #registered: (next: Slot) => void;

  /** @param registered told of every checkpoint that a slot takes, before it does */
  constructor(world: World, registered: (next: Slot) => void) {
    this.#world = world;
    this.#registered = registered;
  }

  /** The store as one process sees it. */
  for(process: Process): CheckpointStore {
    const placeOf = (bytes: Uint8Array | undefined) =>
      bytes !== undefined && bytes.length > MAX_INLINE_BYTES ? "bucket" : "table";
    return {
      claim: (task) => process.call("table", () => this.#claim(task)),
      read: (task) => process.call("table", () => this.slots.get(task) ?? NEVER_CLAIMED),
      register: (task, epoch, next) => process.call("table", () => this.#register(task, epoch, next)),
      reset: (task, generation) => process.call("table", () => this.#reset(task, generation)),
      put: (name, bytes) => {
        const copy = bytes.slice();
        return process.call(placeOf(bytes), () => void this.blobs.set(name, copy));
      },
      get: (name) => process.call(placeOf(this.blobs.get(name)), () => this.blobs.get(name) ?? null),
      list: (task) =>
        process.call("bucket", () => [...this.blobs.keys()].filter((name) => name.startsWith(`${task}/`))),
      delete: (names) => process.call("bucket", () => this.#delete(names)),
    };
  }

  #claim(task: string): Claim {
    const before = this.slots.get(task) ?? NEVER_CLAIMED;
    const claim = { ...before, epoch: before.epoch + 1 };
    this.slots.set(task, claim);
    return claim;
  }

  #reset(task: string, generation: number): void {
    const { epoch, generation: before } = this.slots.get(task) ?? NEVER_CLAIMED;
    if (generation < before) throw new Error(`generation is ${before} already`);
    this.slots.set(task, { epoch: epoch + 1, slot: null, generation });
  }

  #register(task: string, epoch: number, next: Slot): void {
    const current = this.slots.get(task) ?? NEVER_CLAIMED;
    if (current.epoch !== epoch) throw new SlotRefusedError(`epoch is ${current.epoch}, not ${epoch}`);
    const { slot } = current;
    if (slot?.id === next.id && slot.parent === next.parent) return;
    if ((slot?.id ?? null) !== next.parent)
      throw new SlotRefusedError(`slot holds ${slot?.id}, not ${next.parent}`);
    this.#registered(next);
    this.slots.set(task, { ...current, slot: next });
  }

  #delete(names: readonly string[]): void {
    for (const name of names) {
      const delayMs = this.#world.chance(0.5) ? this.#world.between(1, MAX_DELETE_DELAY_MS) : 0;
      this.#world.after(delayMs, () => void this.blobs.delete(name));
    }
  }
}
