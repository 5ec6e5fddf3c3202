/**
 * The blobs that make up a task's state, and when a checkpoint adds a delta to them (design, section 4, rule 9). A
 * small state is written whole: that costs no more than a delta. A large one is written as what changed, and its
 * chain of deltas is compacted into a new base in the background, so that no checkpoint waits for the whole state.
 */
import type { BlobReference, Manifest } from "./manifest.ts";

export interface ChainLimits {
  /** State up to this size is written whole at each checkpoint. */
  readonly maxWholeBytes: number;
  /** So many deltas, or as many bytes of them as the base has, start a compaction. */
  readonly maxDeltas: number;
}

export type Blobs = Pick<Manifest, "base" | "deltas">;

/** Past so many times the limit the compaction does not keep up, and a whole base is written instead. */
const OVERDUE = 4;

export class Chain {
  readonly #limits: ChainLimits;
  #blobs: Blobs;
  /** A base that holds everything up to and including a delta of the chain, ready to take their place. */
  #compacted: { readonly base: BlobReference; readonly through: string } | undefined;
  #extendable: boolean;

  /** @param extendable whether today's definition can add a delta to what was written */
  constructor(limits: ChainLimits, { base, deltas }: Blobs, extendable: boolean) {
    this.#limits = limits;
    this.#blobs = { base, deltas };
    this.#extendable = extendable;
  }

  /** What the next checkpoint should write. */
  get nextKind(): "base" | "delta" {
    const { base, deltas } = this.current;
    if (!this.#extendable || base.bytes <= this.#limits.maxWholeBytes) return "base";
    return this.#isLong(base, deltas, OVERDUE) ? "base" : "delta";
  }

  /** The chain to compact now, if it is long enough; whoever takes it must call {@link replace}. */
  get toCompact(): Blobs | undefined {
    const { base, deltas } = this.current;
    return this.#isLong(base, deltas, 1) && base.bytes > this.#limits.maxWholeBytes
      ? { base, deltas }
      : undefined;
  }

  /** The blobs that the next delta follows. */
  get current(): Blobs {
    const { base, deltas } = this.#blobs;
    const through = deltas.findIndex(({ name }) => name === this.#compacted?.through);
    return through < 0
      ? { base, deltas }
      : { base: this.#compacted!.base, deltas: deltas.slice(through + 1) };
  }

  /** Notes what the committed checkpoint is made of. */
  committed({ base, deltas }: Blobs): void {
    this.#blobs = { base, deltas };
    this.#extendable = true;
  }

  /** A compaction of `compacted` is durable: from the next checkpoint on `base` takes its place. */
  replace(compacted: Blobs, base: BlobReference): void {
    if (compacted.base.name !== this.#blobs.base.name) return;
    this.#compacted = { base, through: compacted.deltas.at(-1)!.name };
  }

  #isLong(base: BlobReference, deltas: readonly BlobReference[], times: number): boolean {
    const bytes = deltas.reduce((total, delta) => total + delta.bytes, 0);
    return (
      deltas.length >= this.#limits.maxDeltas * times || (deltas.length > 0 && bytes >= base.bytes * times)
    );
  }
}
