/**
 * Events that are held back until the watermark has passed them, so that what becomes of them depends on their times
 * and not on their arrival; and then for as long as others may still meet them.
 */
import type { ByteReader, ByteWriter } from "../state/bytes.ts";
import { type Due, DueQueue, isBefore } from "../state/due-queue.ts";
import { KeyedStore } from "../state/keyed-store.ts";
import { FrozenJson } from "./frozen-json.ts";

export interface HeldEvent {
  /** Unique among those that are held. */
  readonly id: string;
  readonly key: string;
  /** Index of the part, or of the side, that it is. */
  readonly part: number;
  /** A whole number of milliseconds. */
  readonly timeMs: number;
  readonly json: FrozenJson;
  readonly status: Status;
}

/** Not released yet; released; released, and reported as one that misses others, or matched at least once. */
export type Status = typeof PENDING | typeof OPEN | typeof SETTLED;
export const PENDING = 0;
export const OPEN = 1;
export const SETTLED = 2;

/** At the same watermark, events come before the deadlines that they may be in time for. */
export const RELEASE = 0;
export const DEADLINE = 1;

export interface HeldDue extends Due {
  /** What is due: {@link RELEASE} or {@link DEADLINE}. */
  readonly startMs: typeof RELEASE | typeof DEADLINE;
  /** As it was when it was queued; its status may have changed since. */
  readonly event: HeldEvent;
}

/**
 * By time, part and content: an order of events of one key that is the same however they arrived. Which of two that
 * are equal in all of these comes first makes no difference.
 */
export function isEarlier(a: HeldEvent, b: HeldEvent): boolean {
  if (a.timeMs !== b.timeMs) return a.timeMs < b.timeMs;
  if (a.part !== b.part) return a.part < b.part;
  return a.json.text < b.json.text;
}

const isDueBefore = (a: HeldDue, b: HeldDue): boolean =>
  isBefore(a, b) || (!isBefore(b, a) && isEarlier(a.event, b.event));

export class HeldEvents {
  readonly #holdMs: (part: number) => number;
  readonly #events = new KeyedStore<HeldEvent>({ write: writeEvent, read: readEvent });
  #nextId = 0;
  /** What is due when; what is queued of an event that was removed since stays until its time. */
  readonly queue = new DueQueue<HeldDue>(isDueBefore);

  /** @param holdMs how long after its time an event of this part is held, at least 1 ms */
  constructor(holdMs: (part: number) => number) {
    this.#holdMs = holdMs;
  }

  get size(): number {
    return this.#events.size;
  }

  /** Adds an event, which is released once the watermark is past its millisecond. */
  add(part: number, key: string, timeMs: number, text: string): void {
    const id = String(this.#nextId++);
    const event: HeldEvent = { id, key, part, timeMs, json: new FrozenJson(text), status: PENDING };
    this.#events.set(id, event);
    this.#enqueue(event);
  }

  /** The event as it is now; undefined where it was removed. */
  current({ id }: HeldEvent): HeldEvent | undefined {
    return this.#events.get(id);
  }

  /** Releases an event: from now on it waits for its deadline. */
  release(event: HeldEvent, status: typeof OPEN | typeof SETTLED = OPEN): HeldEvent {
    const released = this.change(event, status);
    this.#enqueue(released);
    return released;
  }

  change(event: HeldEvent, status: Status): HeldEvent {
    const changed = { ...event, status };
    this.#events.set(event.id, changed);
    return changed;
  }

  remove({ id }: HeldEvent): void {
    this.#events.delete(id);
  }

  /** Those that are released, in no order. */
  *released(): Generator<HeldEvent> {
    for (const [, event] of this.#events.entries()) if (event.status !== PENDING) yield event;
  }

  writeBase(writer: ByteWriter): void {
    writer.varint(this.#nextId);
    this.#events.writeBase(writer);
  }

  writeDelta(writer: ByteWriter): void {
    writer.varint(this.#nextId);
    this.#events.writeDelta(writer);
  }

  readBase(reader: ByteReader): void {
    this.#nextId = reader.varint();
    this.#events.readBase(reader);
  }

  readDelta(reader: ByteReader): void {
    this.#nextId = reader.varint();
    this.#events.readDelta(reader);
  }

  restored(): void {
    for (const [, event] of this.#events.entries()) this.#enqueue(event);
  }

  #enqueue(event: HeldEvent): void {
    const { key, timeMs, part, status } = event;
    if (status === PENDING) this.queue.push({ dueMs: timeMs + 1, startMs: RELEASE, key, event });
    else this.queue.push({ dueMs: timeMs + this.#holdMs(part), startMs: DEADLINE, key, event });
  }
}

function writeEvent(writer: ByteWriter, { key, part, timeMs, json, status }: HeldEvent): void {
  writer.text(key);
  writer.varint(part);
  writer.float64(timeMs);
  writer.text(json.text);
  writer.varint(status);
}

function readEvent(reader: ByteReader, id: string): HeldEvent {
  const [key, part, timeMs] = [reader.text(), reader.varint(), reader.float64()];
  return { id, key, part, timeMs, json: new FrozenJson(reader.text()), status: reader.varint() as Status };
}
