/** Keys as bytes: checked once, and kept, so that a key that comes again costs one look-up. */
import { maxKeyBytes } from "../../../contracts/limits.ts";
import { keyHash } from "../../../contracts/partitioning.ts";
import { Rejection } from "./rejection.ts";

const MAX_CACHED_KEYS = 65_536;
const SLAB_BYTES = 64 * 1024;

export interface CachedKey {
  /** The same object each time, so that whoever looks it up in a Map finds its hash made. */
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly hash: number;
}

export interface Home {
  readonly partition: number;
  readonly partitions: number;
}

export class KeyCache {
  readonly #home: Home | null;
  readonly #keys = new Map<string, CachedKey>();
  #slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  #slabEnd = 0;

  /** @param home where every key must hash to; null: keys of any partition are taken */
  constructor(home: Home | null) {
    this.#home = home;
  }

  /** @throws Rejection where the key is no text, too large, or of another partition */
  of(key: unknown): CachedKey {
    const cached = this.#keys.get(key as string);
    if (cached !== undefined) return cached;
    if (typeof key !== "string" || key === "")
      throw new Rejection("invalid-key", "the key is not text, or is empty");
    // UTF-8 has no half characters: two such keys would be one after recovery, and one's row lost.
    if (!key.isWellFormed()) throw new Rejection("invalid-key", "the key is not well-formed Unicode");
    const length = Buffer.byteLength(key);
    if (length > maxKeyBytes) {
      throw new Rejection("key-too-large", `the key is ${length} bytes; the limit is ${maxKeyBytes}`);
    }
    const bytes = this.#encode(key, length);
    const hash = keyHash(bytes);
    if (this.#home !== null) requireHome(this.#home, hash);
    if (this.#keys.size >= MAX_CACHED_KEYS) this.#keys.clear();
    const made = { text: key, bytes, hash };
    this.#keys.set(key, made);
    return made;
  }

  /**
   * Many keys to a piece of memory: one of its own takes several times as long to make. Node's pool would do, but it is
   * everybody's, so that a key that is remembered would keep what lies beside it.
   */
  #encode(key: string, length: number): Uint8Array {
    if (this.#slabEnd + length > SLAB_BYTES) {
      this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
      this.#slabEnd = 0;
    }
    const start = this.#slabEnd;
    this.#slabEnd += this.#slab.write(key, start);
    return this.#slab.subarray(start, this.#slabEnd);
  }
}

function requireHome({ partition, partitions }: Home, hash: number): void {
  const home = hash % partitions;
  if (home === partition) return;
  throw new Rejection("key-elsewhere", `the event's key belongs to partition ${home}; produce with that key`);
}
