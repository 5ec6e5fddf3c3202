/** A model of the checkpoint store: slow, failing before or after the effect, never inconsistent. */
import {
  type CheckpointStore,
  type Claim,
  type Slot,
  SlotRefusedError,
} from "../../../../processors/engine/checkpoint/store.ts";
import type { Process } from "./world.ts";

const FAULT = 0.02;

export class StoreModel {
  readonly blobs = new Map<string, Uint8Array>();
  readonly slots = new Map<string, { epoch: number; slot: Slot | null }>();

  /** The store as one process sees it. */
  for(process: Process): CheckpointStore {
    const call = <T>(effect: () => T): Promise<T> =>
      process.call(() => {
        if (process.world.chance(FAULT)) throw new Error("store: failed before the effect");
        const value = effect();
        if (process.world.chance(FAULT)) throw new Error("store: the answer was lost");
        return value;
      });
    return {
      claim: (task) => call(() => this.#claim(task)),
      read: (task) => call(() => ({ ...this.slots.get(task)! })),
      register: (task, epoch, next) => call(() => this.#register(task, epoch, next)),
      put: (name, bytes) => call(() => void this.blobs.set(name, bytes.slice())),
      get: (name) => call(() => this.blobs.get(name) ?? null),
      delete: (names) => call(() => names.forEach((name) => void this.blobs.delete(name))),
    };
  }

  #claim(task: string): Claim {
    const { epoch, slot } = this.slots.get(task) ?? { epoch: 0, slot: null };
    this.slots.set(task, { epoch: epoch + 1, slot });
    return { epoch: epoch + 1, slot };
  }

  #register(task: string, epoch: number, next: Slot): void {
    const current = this.slots.get(task)!;
    if (current.epoch !== epoch) throw new SlotRefusedError(`epoch is ${current.epoch}, not ${epoch}`);
    const { slot } = current;
    if (slot?.id === next.id && slot.parent === next.parent) return;
    if ((slot?.id ?? null) !== next.parent)
      throw new SlotRefusedError(`slot holds ${slot?.id}, not ${next.parent}`);
    this.slots.set(task, { epoch, slot: next });
  }
}
