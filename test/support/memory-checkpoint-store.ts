/** A checkpoint store in memory, for workers of one process: what it refuses, the real one refuses too. */
import {
  type CheckpointStore,
  type Claim,
  FIRST_GENERATION,
  type Slot,
  SlotRefusedError,
} from "../../processors/engine/checkpoint/store.ts";

export class MemoryCheckpointStore implements CheckpointStore {
  readonly #claims = new Map<string, Claim>();
  readonly #blobs = new Map<string, Uint8Array>();

  async claim(task: string): Promise<Claim> {
    const { epoch = 0, slot = null, generation = FIRST_GENERATION } = this.#claims.get(task) ?? {};
    const claim = { epoch: epoch + 1, slot, generation };
    this.#claims.set(task, claim);
    return claim;
  }

  async read(task: string): Promise<Claim> {
    return this.#claims.get(task)!;
  }

  async register(task: string, epoch: number, next: Slot): Promise<void> {
    const claim = this.#claims.get(task)!;
    if (claim.epoch === epoch && claim.slot?.id === next.id) return;
    if (claim.epoch !== epoch || (claim.slot?.id ?? null) !== next.parent) {
      throw new SlotRefusedError(`epoch ${claim.epoch}, slot ${claim.slot?.id}`);
    }
    this.#claims.set(task, { ...claim, slot: next });
  }

  async reset(task: string, generation: number): Promise<void> {
    const { epoch } = await this.claim(task);
    this.#claims.set(task, { epoch, slot: null, generation });
  }

  async put(name: string, bytes: Uint8Array): Promise<void> {
    this.#blobs.set(name, new Uint8Array(bytes));
  }

  async get(name: string): Promise<Uint8Array | null> {
    return this.#blobs.get(name) ?? null;
  }

  async list(task: string): Promise<string[]> {
    return [...this.#blobs.keys()].filter((name) => name.startsWith(`${task}/`));
  }

  async delete(names: readonly string[]): Promise<void> {
    for (const name of names) this.#blobs.delete(name);
  }
}
