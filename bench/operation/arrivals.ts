/** The results of a steady load, as a reader of committed records gets them: when, and whether they are right. */
import type { KafkaMessage } from "kafkajs";
import { areEqual } from "../streams/compare.ts";
import type { Engine } from "../streams/engines.ts";
import { eventAt, type Stream } from "../streams/events.ts";
import { add, type Totals, totalsOf } from "../streams/reference.ts";
import type { SteadyLoad } from "./load.ts";

export interface Arrival {
  readonly partition: number;
  /** By `performance.now()`, as {@link Arrival.dueMs}. */
  readonly atMs: number;
  /** When its event was due. */
  readonly dueMs: number;
}

/** Of a stream of totals in which every key comes once before any comes again. */
export class Arrivals {
  readonly all: Arrival[] = [];
  /** Results that are not what they have to be, or came again. */
  wrong = 0;
  readonly #engine: Engine;
  readonly #stream: Stream;
  readonly #places: FirstPlaces;
  /** By the key, what its newest result said of its number of events. */
  readonly #counts: Uint32Array;

  constructor(engine: Engine, stream: Stream) {
    this.#engine = engine;
    this.#stream = stream;
    this.#places = firstPlaces(stream);
    this.#counts = new Uint32Array(stream.keys);
  }

  /** @param load whose events' results count; those of what was there before are passed over, without a load all */
  add(messages: readonly Pick<KafkaMessage, "value">[], partition: number, load?: SteadyLoad): void {
    const atMs = performance.now();
    for (const { value } of messages) {
      const { key, count, sum, max } = this.#engine.rowOf(JSON.parse(value!.toString()));
      const number = numberOf(key);
      const index = this.#places[number]! + (count - 1) * this.#stream.keys;
      const dueMs = load?.dueMs(index) ?? null;
      if (dueMs === null) continue;
      const isNew = count > this.#counts[number]!;
      this.#counts[number] = count;
      if (isNew && areEqual(totalsAfter(this.#stream, index), { count, sum, max })) {
        this.all.push({ partition, atMs, dueMs });
      } else {
        this.wrong += 1;
      }
    }
  }
}

/** By the number of a key, where the stream has it first. */
type FirstPlaces = Uint32Array;

function firstPlaces(stream: Stream): FirstPlaces {
  const places = new Uint32Array(stream.keys);
  for (let index = 0; index < stream.keys; index++) places[numberOf(eventAt(stream, index).key)] = index;
  return places;
}

const numberOf = (key: string): number => Number(key.slice(key.indexOf("-") + 1));

/** Of the event's key, once the event was counted. */
export function totalsAfter(stream: Stream, index: number): Totals {
  const totals = totalsOf(eventAt(stream, index).amount);
  for (let before = index - stream.keys; before >= 0; before -= stream.keys) {
    add(totals, eventAt(stream, before).amount);
  }
  return totals;
}

/** The longest time without an arrival that ends within a span; it may have begun before. They are in their order. */
export function longestGapMs(
  arrivals: readonly Pick<Arrival, "atMs">[],
  fromMs: number,
  toMs: number,
): number {
  let [longest, before] = [0, fromMs];
  for (const { atMs } of arrivals) {
    if (atMs > toMs) break;
    if (atMs >= fromMs) longest = Math.max(longest, atMs - before);
    before = atMs;
  }
  return Math.max(longest, toMs - before);
}
