/**
 * The events that every engine reads: the nth is a function of n and of the seed alone, so that whoever needs them makes
 * them again. 10,000 a second of event time, each up to half a second early or late.
 */
import { partitionOf } from "../../contracts/partitioning.ts";

export const PARTITIONS = 4;
/** Largest distance from an event's place in the log, either way. */
const DISORDER_MS = 500;
/** What an engine has to wait for: an early event and a late one that change places. */
export const OUT_OF_ORDER_MS = 2 * DISORDER_MS;
const EVENTS_PER_MS = 10;
const SEED = 20_260_101;
export const START_MS = Date.UTC(2026, 0, 1);
/** After the last event: later than any window of it lasts. */
const CLOSING_DELAY_MS = 700_000;
const CLOSING_ROUND_MS = 1_000;
const CURRENCY = "EUR";
const CLOSING = "closing";
const KINDS = ["view", "click", "order", "refund"];

/** The nth one's partition is n. */
const CLOSING_KEYS = Array.from({ length: PARTITIONS }, (_, partition) => {
  for (let attempt = 0; ; attempt++) {
    const key = `${CLOSING}-${attempt}`;
    if (partitionOf(Buffer.from(key), PARTITIONS) === partition) return key;
  }
});

export interface BenchEvent {
  readonly id: string;
  readonly key: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** Whole, so that sums are the same in any order and any language. */
  readonly amount: number;
  readonly kind: string;
  readonly currency: string;
}

export interface Stream {
  readonly topic: string;
  readonly keys: number;
  /** `random`: any key may follow any; `each`: every key comes once before any comes again. */
  readonly order: "random" | "each";
}

/** Some prime, so that no number of keys shares a factor with it. */
const STRIDE = 482_711;

export function eventAt({ keys, order }: Stream, index: number): BenchEvent {
  const key = order === "random" ? mix(index, 1) % keys : (index * STRIDE) % keys;
  const offsetMs = (mix(index, 2) % (2 * DISORDER_MS + 1)) - DISORDER_MS;
  return {
    id: `event-${String(index).padStart(10, "0")}`,
    key: `key-${String(key).padStart(7, "0")}`,
    time: START_MS + Math.floor(index / EVENTS_PER_MS) + offsetMs,
    amount: mix(index, 3) % 100_000,
    kind: KINDS[mix(index, 4) % KINDS.length]!,
    currency: CURRENCY,
  };
}

export const partitionOfEvent = ({ key }: BenchEvent): number => partitionOf(Buffer.from(key), PARTITIONS);

/** For each partition an event that comes long after all others and so closes what they opened; `round` from 0. */
export function closingEvents(count: number, round: number): readonly BenchEvent[] {
  const time = START_MS + Math.ceil(count / EVENTS_PER_MS) + CLOSING_DELAY_MS + CLOSING_ROUND_MS * round;
  return CLOSING_KEYS.map((key) => ({
    id: `closing-${round}`,
    key,
    time,
    amount: 0,
    kind: CLOSING,
    currency: CURRENCY,
  }));
}

/** Whether it is the key of a closing event, whose own windows stay open. */
export const isClosing = (key: string): boolean => key.startsWith(CLOSING);

/** 32 bits that are spread evenly, by the finalizer of MurmurHash3; `use` tells the properties of an event apart. */
function mix(index: number, use: number): number {
  let h = (index ^ Math.imul(use, 0x9e3779b1) ^ SEED) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
