/** When processors are killed during a replay, and when the replay waits for their recovery. */
import type { EventBatch } from "../flights/flights.ts";
import type { Recovery } from "./recovery.ts";

export interface Kill {
  /** Share of the events that are accepted when it comes, above 0 and up to 1. */
  readonly share: number;
  /** Which of the processes that run then, as a share of their number from 0 to below 1: 0 is the first. */
  readonly victim: number;
  /** Whether it comes without waiting for the recovery from the kill before it. */
  readonly duringRecovery: boolean;
}

/** Random kills come between these, so that there is something to lose and something to recover to. */
const RANDOM_BETWEEN = [0.1, 0.9] as const;

/** One kill at a random moment of each of `count` equal parts of the replay. The same seed gives the same kills. */
export function randomKills(count: number, seed: number): readonly Kill[] {
  const [from, to] = RANDOM_BETWEEN;
  return Array.from({ length: count }, (_, index) => ({
    share: from + ((to - from) * (index + unitInterval(seed, 2 * index))) / count,
    victim: unitInterval(seed, 2 * index + 1),
    duringRecovery: index % 2 === 1,
  }));
}

/** A number in [0, 1) that is the seed's nth, mixed so that neighbours differ (finalizer of MurmurHash3). */
function unitInterval(seed: number, n: number): number {
  let hash = Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(n + 1, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** Makes the kills of a replay as its events are accepted. */
export class KillSchedule {
  readonly #kills: readonly Kill[];
  readonly #events: number;
  readonly #strike: (kill: Kill) => Promise<Recovery>;
  readonly #recoveries: PromiseWithResolvers<Recovery>[];
  #next = 0;

  /** `strike` makes a kill and resolves with the recovery from it. */
  constructor(kills: readonly Kill[], events: number, strike: (kill: Kill) => Promise<Recovery>) {
    this.#kills = kills;
    this.#events = events;
    this.#strike = strike;
    this.#recoveries = kills.map(() => Promise.withResolvers<Recovery>());
    // They are awaited, and their failures reported, later.
    for (const { promise } of this.#recoveries) promise.catch(() => {});
  }

  /** The recoveries from all kills, in their order. */
  get recoveries(): Promise<readonly Recovery[]> {
    return Promise.all(this.#recoveries.map(({ promise }) => promise));
  }

  /** To be called with how many events have been accepted by now. */
  accepted(events: number): void {
    while (this.#next < this.#kills.length && events >= this.#kills[this.#next]!.share * this.#events) {
      const { resolve, reject } = this.#recoveries[this.#next]!;
      this.#strike(this.#kills[this.#next]!).then(resolve, reject);
      this.#next += 1;
    }
  }

  /**
   * The batches, held back half-way between two kills until the recovery from the earlier one is over, unless the
   * later one is meant to hit it: so each kill finds events flowing.
   */
  async *paced(batches: AsyncIterable<EventBatch>): AsyncGenerator<EventBatch> {
    let sent = 0;
    let passed = 1;
    for await (const batch of batches) {
      for (; passed < this.#kills.length && sent >= this.#halfWayTo(passed); passed++) {
        if (!this.#kills[passed]!.duringRecovery) await this.#recoveredBefore(passed);
      }
      yield batch;
      sent += batch.count;
    }
  }

  #halfWayTo(index: number): number {
    return ((this.#kills[index - 1]!.share + this.#kills[index]!.share) / 2) * this.#events;
  }

  async #recoveredBefore(index: number): Promise<void> {
    await Promise.all(this.#recoveries.slice(0, index).map(({ promise }) => promise));
  }
}
