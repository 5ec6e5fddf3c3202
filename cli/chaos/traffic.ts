/**
 * The input of a chaos run: flights in disorder, late ones, repeated ones, records that no pipeline can read, and
 * watermark records, all decided by the seed. What becomes of a flight depends on the order of the log and is not
 * decided here; that a record is poison, and for which reason, is.
 */
import { SPEC_VERSION } from "../../contracts/cloudevent.ts";
import { type DeadLetterReason, WATERMARK_HEADER } from "../../contracts/dead-letter.ts";
import { flightDeparted } from "../../contracts/events/catalogue.ts";
import { maxKeyBytes } from "../../contracts/limits.ts";
import { partitionOf } from "../../contracts/partitioning.ts";
import type { OutgoingRecord } from "../../runtime/send-plan.ts";
import { Random } from "./random.ts";

/** Header: the record's number in the input, from 0. */
export const NUMBER_HEADER = "chaos-number";
/** Header of poison: the reason for which it must come out as a dead letter. */
export const POISON_HEADER = "chaos-poison";

export interface InputRecord extends OutgoingRecord {
  readonly partition: number;
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const START_MS = Date.UTC(2001, 0, 1);
/** Of event time, so that some 2,000 records make an hour, and its windows close while faults come and go. */
const MAX_STEP_MS = 4 * SECOND_MS;
/** Below the pipeline's hour of disorder, also where partitions advance unevenly. */
const MAX_DISORDER_MS = 59 * MINUTE_MS;
const AIRPORTS = 40;
/** How many flights back a repeated one may lie: from the same window to one that closed long ago. */
const REMEMBERED = 10_000;
const SOURCE = "urn:spillway:chaos";

interface Flight {
  readonly airport: string;
  readonly value: Uint8Array;
}

export class Traffic {
  readonly #random: Random;
  readonly #partitions: number;
  readonly #topic: string = flightDeparted.topic;
  readonly #flights: Flight[] = [];
  #flightCount = 0;
  #timeMs = START_MS;
  #number = 0;

  constructor(seed: number, partitions: number) {
    this.#random = new Random(seed);
    this.#partitions = partitions;
  }

  /** How many records there have been. */
  get count(): number {
    return this.#number;
  }

  /** Beyond every window that the flights so far are in. */
  get endMs(): number {
    return this.#timeMs + 2 * HOUR_MS;
  }

  take(count: number): InputRecord[] {
    return Array.from({ length: count }, () => this.#next());
  }

  /** Watermark records that close every window, one for each partition. */
  flush(): InputRecord[] {
    return Array.from({ length: this.#partitions }, (_, partition) => this.#watermark(partition, this.endMs));
  }

  #next(): InputRecord {
    this.#timeMs += this.#random.between(0, MAX_STEP_MS);
    const kinds = { flight: 900, late: 35, repeated: 45, twin: 10, poison: 9.5, watermark: 0.5 };
    switch (this.#random.weighted(kinds)) {
      case "flight":
        return this.#flight(this.#timeMs - this.#random.between(0, MAX_DISORDER_MS));
      case "late":
        return this.#flight(this.#timeMs - this.#random.between(MAX_DISORDER_MS, 6 * HOUR_MS));
      case "repeated":
        return this.#repeated();
      case "twin":
        return this.#flight(this.#timeMs, `${SOURCE}:twin`, this.#number - 1);
      case "poison":
        return this.#poison();
      case "watermark": {
        const behindMs = this.#random.between(30 * MINUTE_MS, 2 * HOUR_MS);
        return this.#watermark(this.#random.between(0, this.#partitions - 1), this.#timeMs - behindMs);
      }
    }
  }

  /** A twin has the id of another source's event, and is another event. */
  #flight(timeMs: number, source = SOURCE, id = this.#number): InputRecord {
    const airport = this.#airport();
    const value = json(
      this.#event(airport, { source, id: String(id), time: new Date(timeMs).toISOString() }),
    );
    this.#flights[this.#flightCount % REMEMBERED] = { airport, value };
    this.#flightCount += 1;
    return this.#record(airport, this.#home(airport), value);
  }

  #repeated(): InputRecord {
    if (this.#flights.length === 0) return this.#flight(this.#timeMs);
    const { airport, value } = this.#random.pick(this.#flights);
    return this.#record(airport, this.#home(airport), value);
  }

  #watermark(partition: number, watermarkMs: number): InputRecord {
    return this.#record(null, partition, null, { [WATERMARK_HEADER]: String(watermarkMs) });
  }

  #poison(): InputRecord {
    const airport = this.#airport();
    const home = this.#home(airport);
    const event = this.#event(airport, { id: `poison-${this.#number}` });
    const poison = (reason: DeadLetterReason, value: Uint8Array | null, key: string | null = airport) =>
      this.#record(key, home, value, { [POISON_HEADER]: reason });
    switch (this.#random.between(0, 11)) {
      case 0:
        return poison("undecodable", Buffer.from([0x7b, 0xff, 0xfe, this.#number & 0xff]));
      case 1:
        return poison("undecodable", Buffer.from(`{"specversion":"1.0","id":${this.#number}`));
      case 2:
        return poison("undecodable", Buffer.from(`[${this.#number}]`));
      case 3:
        return poison("undecodable", null);
      case 4:
        return poison("undecodable", null, null);
      case 5:
        return poison("undecodable", Buffer.alloc(0));
      case 6:
        return poison("undecodable", json({ ...event, specversion: "0.3" }));
      case 7:
        return poison("missing-time", json({ ...event, time: undefined }));
      case 8:
        return poison("missing-time", json({ ...event, time: "tomorrow" }));
      case 9:
        return poison("too-far-ahead", json({ ...event, time: "2199-01-01T00:00:00Z" }));
      case 10: {
        const partition = (home + this.#random.between(1, this.#partitions - 1)) % this.#partitions;
        return this.#record(airport, partition, json(event), { [POISON_HEADER]: "key-elsewhere" });
      }
      default: {
        const origin = "X".repeat(maxKeyBytes + 1);
        return poison("key-too-large", json({ ...event, data: { ...event.data, origin } }));
      }
    }
  }

  #event(
    airport: string,
    changes: { readonly id: string; readonly source?: string; readonly time?: string },
  ) {
    const delayMin = this.#random.between(-20, 120);
    return {
      specversion: SPEC_VERSION,
      source: SOURCE,
      type: flightDeparted.type,
      time: new Date(this.#timeMs).toISOString(),
      subject: airport,
      partitionkey: airport,
      data: { origin: airport, destination: "LAX", delayMin, distanceMi: 100 },
      ...changes,
    };
  }

  #airport(): string {
    const number = this.#random.between(0, AIRPORTS - 1);
    return `A${String(number).padStart(2, "0")}`;
  }

  #home(airport: string): number {
    return partitionOf(Buffer.from(airport), this.#partitions);
  }

  #record(
    key: string | null,
    partition: number,
    value: Uint8Array | null,
    headers: Readonly<Record<string, string>> = {},
  ): InputRecord {
    const numbered = { ...headers, [NUMBER_HEADER]: String(this.#number) };
    this.#number += 1;
    return {
      topic: this.#topic,
      key: key === null ? null : Buffer.from(key),
      partition,
      value,
      headers: numbered,
    };
  }
}

const json = (value: object): Buffer => Buffer.from(JSON.stringify(value));
