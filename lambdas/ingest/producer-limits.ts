/**
 * How much each producer may send, as far as one execution environment can tell: each counts what comes to it alone, and
 * lets through its share of the limit, which is the limit by the number of environments that are busy at the expected
 * load. So the limit is exact where requests are spread evenly over so many; with more environments a producer gets as
 * much more, with fewer as much less. No environment asks another: a count that all share would be a request each.
 */
import { TokenBucket } from "../../flow/token-bucket.ts";
import { TtlCache } from "../../flow/ttl-cache.ts";
import type { Producer } from "./producer.ts";

/** What may come at once after a silence: Lambda does not spread a producer's requests evenly. */
const BURST_S = 5;
/** Names are some hundred bytes long. Who sent nothing for longest is forgotten, and begins with a full bucket again. */
const MAX_PRODUCERS = 2_000;

export interface ProducerLimitOptions {
  /** Of a producer whose rule says nothing else, at all environments. */
  readonly eventsPerSecond: number;
  /** Execution environments that are busy at the expected load; 1 or more. */
  readonly environments: number;
}

export interface ProducerLimit {
  /** At all environments. */
  readonly eventsPerSecond: number;
  /** At this one. */
  readonly share: number;
}

export class ProducerLimits {
  readonly #options: ProducerLimitOptions;
  readonly #buckets = new TtlCache<TokenBucket>({
    ttlMs: Number.POSITIVE_INFINITY,
    maxEntries: MAX_PRODUCERS,
  });

  constructor(options: ProducerLimitOptions) {
    this.#options = options;
  }

  /** How many producers are remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  limitOf({ maxEventsPerSecond }: Producer): ProducerLimit {
    const eventsPerSecond = maxEventsPerSecond ?? this.#options.eventsPerSecond;
    return { eventsPerSecond, share: eventsPerSecond / this.#options.environments };
  }

  /** How long until the producer may send again; 0 where it may now, however many events at once. */
  waitMs(producer: Producer, nowMs: number): number {
    return this.#bucketOf(producer, nowMs).waitMs(nowMs);
  }

  /** Counts events of a request that was let in. Those that are more than were saved keep the next request waiting. */
  take(producer: Producer, events: number, nowMs: number): void {
    this.#bucketOf(producer, nowMs).take(nowMs, events);
  }

  #bucketOf(producer: Producer, nowMs: number): TokenBucket {
    const known = this.#buckets.get(producer.name, nowMs);
    if (known !== undefined) return known;
    const { share } = this.limitOf(producer);
    const burst = Math.max(1, share * BURST_S);
    // Full: had it been empty so long ago, it would be.
    const bucket = new TokenBucket({ ratePerSecond: share, burst }, nowMs - (burst * 1_000) / share);
    this.#buckets.set(producer.name, bucket, nowMs);
    return bucket;
  }
}
