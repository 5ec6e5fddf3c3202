/**
 * What the pipeline `airport-delays` must make of a log: the rules of docs/design.md (section 4, rules 2, 10 and 13)
 * written again, one record after another, sharing nothing with the engine. Tumbling windows of an hour, an hour of
 * disorder, no lateness, dedupe by source and id over an hour.
 */
import type { KafkaMessage } from "kafkajs";
import { WATERMARK_HEADER } from "../../contracts/dead-letter.ts";
import type { flightDeparted } from "../../contracts/events/catalogue.ts";
import type { DataOf } from "../../contracts/events/define.ts";
import { NUMBER_HEADER, POISON_HEADER } from "./traffic.ts";

const HOUR_MS = 3_600_000;
const OUT_OF_ORDER_MS = HOUR_MS;
const DEDUPE_HORIZON_MS = HOUR_MS;
const DELAYED_ABOVE_MIN = 15;

/** A record that must come out again with its own bytes. */
export interface Rejected {
  readonly partition: number;
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** Of a dead letter. */
  readonly reason?: string;
}

export type WindowValue = Readonly<
  Record<"flights" | "meanDelayMin" | "maxDelayMin" | "minDelayMin" | "delayed", number>
>;

export interface Outcomes {
  counted: number;
  late: number;
  duplicate: number;
  dead: number;
}

/** `partition/offset` in the source topic: where a dead letter or a late event says that it comes from. */
export const positionOf = (partition: number | string, offset: number | string): string =>
  `${partition}/${offset}`;

/** Names one window of one key. */
export const windowName = (key: string, startMs: number): string =>
  `${key} ${new Date(startMs).toISOString()}`;

interface Flight {
  readonly id: string;
  readonly source: string;
  readonly time: string;
  readonly data: DataOf<typeof flightDeparted>;
}

interface PartitionState {
  watermarkMs: number;
  readonly seen: Set<string>;
  /** Delays by window start, by key. */
  readonly delays: Map<number, Map<string, number[]>>;
}

export class Oracle {
  readonly outcomes: Outcomes = { counted: 0, late: 0, duplicate: 0, dead: 0 };
  readonly late = new Map<string, Rejected>();
  readonly dead = new Map<string, Rejected>();
  /** Numbers of the input's records that are in the log. */
  readonly numbers = new Set<number>();
  records = 0;
  readonly #partitions = new Map<number, PartitionState>();

  /** Takes the log in, each partition in its order. */
  take(partition: number, message: KafkaMessage): void {
    this.records += 1;
    this.numbers.add(Number(header(message, NUMBER_HEADER)));
    const state = this.#stateOf(partition);
    const reason = header(message, POISON_HEADER);
    const watermark = header(message, WATERMARK_HEADER);
    if (reason !== undefined) {
      this.outcomes.dead += 1;
      this.#reject(this.dead, partition, message, reason);
    } else if (watermark !== undefined) {
      state.watermarkMs = Math.max(state.watermarkMs, Number(watermark));
    } else {
      this.#judge(state, partition, message);
    }
  }

  /** The values of the windows that the log has closed, by name. */
  closedWindows(): Map<string, WindowValue> {
    const closed = new Map<string, WindowValue>();
    for (const { watermarkMs, delays } of this.#partitions.values()) {
      for (const [startMs, byKey] of delays) {
        if (startMs + HOUR_MS > watermarkMs) continue;
        for (const [key, values] of byKey) closed.set(windowName(key, startMs), windowValue(values));
      }
    }
    return closed;
  }

  #judge(state: PartitionState, partition: number, message: KafkaMessage): void {
    const { source, id, time, data } = JSON.parse(message.value!.toString()) as Flight;
    const timeMs = Date.parse(time);
    const startMs = Math.floor(timeMs / HOUR_MS) * HOUR_MS;
    const identity = `${source} ${id}`;
    const { watermarkMs, seen, delays } = state;
    const isBeyondHorizon = timeMs < watermarkMs - DEDUPE_HORIZON_MS;
    const isRepeated = !isBeyondHorizon && seen.has(identity);
    if (!isBeyondHorizon) seen.add(identity);
    if (isRepeated) {
      this.outcomes.duplicate += 1;
    } else if (isBeyondHorizon || watermarkMs >= startMs + HOUR_MS) {
      this.outcomes.late += 1;
      this.#reject(this.late, partition, message);
    } else {
      this.outcomes.counted += 1;
      const byKey = delays.get(startMs) ?? new Map<string, number[]>();
      delays.set(startMs, byKey);
      const values = byKey.get(data.origin) ?? [];
      byKey.set(data.origin, values);
      values.push(data.delayMin);
    }
    state.watermarkMs = Math.max(watermarkMs, timeMs - OUT_OF_ORDER_MS);
  }

  #reject(into: Map<string, Rejected>, partition: number, message: KafkaMessage, reason?: string): void {
    const { offset, key, value } = message;
    // A message's bytes are views of the whole answer that brought it.
    const copy = (bytes: Buffer | null) => bytes && Buffer.from(bytes);
    const rejected = { partition, offset: Number(offset), key: copy(key), value: copy(value) };
    into.set(positionOf(partition, offset), reason === undefined ? rejected : { ...rejected, reason });
  }

  #stateOf(partition: number): PartitionState {
    let state = this.#partitions.get(partition);
    if (state === undefined) {
      state = { watermarkMs: Number.NEGATIVE_INFINITY, seen: new Set(), delays: new Map() };
      this.#partitions.set(partition, state);
    }
    return state;
  }
}

function windowValue(delays: readonly number[]): WindowValue {
  const sorted = delays.toSorted((a, b) => a - b);
  return {
    flights: sorted.length,
    meanDelayMin: sorted.reduce((sum, delay) => sum + delay, 0) / sorted.length,
    maxDelayMin: sorted.at(-1)!,
    minDelayMin: sorted[0]!,
    delayed: sorted.filter((delay) => delay > DELAYED_ABOVE_MIN).length,
  };
}

export function header({ headers }: KafkaMessage, name: string): string | undefined {
  const value = headers?.[name];
  return (Array.isArray(value) ? value.at(-1) : value)?.toString();
}
