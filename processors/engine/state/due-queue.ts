/**
 * What is due when: a heap by time, then by a second time (a window's start), then by key, so that the order
 * is the same after recovery, whatever the order of insertion was. Derived from the state, never written. Whoever
 * queues several of one key for one time says how they follow each other.
 */

import { Heap } from "./heap.ts";

export interface Due {
  readonly dueMs: number;
  readonly startMs: number;
  readonly key: string;
}

export class DueQueue<Item extends Due = Due> extends Heap<Item> {
  /** @param precedes whether `a` comes before `b`; default: by the three fields of {@link Due} */
  constructor(precedes: (a: Item, b: Item) => boolean = isBefore) {
    super(precedes);
  }

  /** Positive infinity where nothing is queued. */
  get dueMs(): number {
    return this.peek()?.dueMs ?? Number.POSITIVE_INFINITY;
  }
}

export function isBefore(a: Due, b: Due): boolean {
  if (a.dueMs !== b.dueMs) return a.dueMs < b.dueMs;
  if (a.startMs !== b.startMs) return a.startMs < b.startMs;
  return a.key < b.key;
}
