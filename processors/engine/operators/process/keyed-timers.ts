/** Event-time timers, one at the most for a key and a time. They are due by time, then by key. */
import type { ByteReader, ByteWriter } from "../../state/bytes.ts";
import { type Due, DueQueue } from "../../state/due-queue.ts";
import { KeyedStore, type ValueCodec } from "../../state/keyed-store.ts";

/** That a timer is there is all that there is to know of it. */
const PRESENCE: ValueCodec<true> = { write: () => undefined, read: () => true };

/** Deleted timers stay in the queue until their time, unless they are most of it. */
const MIN_STALE = 1_024;

export class KeyedTimers {
  /** By `<time> <key>`. */
  readonly #timers = new KeyedStore<true>(PRESENCE);
  readonly #queue = new DueQueue();

  get size(): number {
    return this.#timers.size;
  }

  /** When the next one is due; positive infinity: there is none. */
  get dueMs(): number {
    return this.#queue.dueMs;
  }

  has(key: string, timeMs: number): boolean {
    return this.#timers.get(nameOf(key, timeMs)) !== undefined;
  }

  set(key: string, timeMs: number): void {
    const name = nameOf(key, timeMs);
    if (this.#timers.get(name) !== undefined) return;
    this.#timers.set(name, true);
    this.#queue.push({ dueMs: timeMs, startMs: 0, key });
  }

  delete(key: string, timeMs: number): void {
    this.#timers.delete(nameOf(key, timeMs));
    this.#dropStale();
  }

  /** Takes out the one that is due first. */
  pop(): Due {
    const due = this.#queue.pop()!;
    this.#timers.delete(nameOf(due.key, due.dueMs));
    this.#dropStale();
    return due;
  }

  writeBase(writer: ByteWriter): void {
    this.#timers.writeBase(writer);
  }

  writeDelta(writer: ByteWriter): void {
    this.#timers.writeDelta(writer);
  }

  readBase(reader: ByteReader): void {
    this.#timers.readBase(reader);
  }

  readDelta(reader: ByteReader): void {
    this.#timers.readDelta(reader);
  }

  restored(): void {
    this.#queue.clear();
    for (const [name] of this.#timers.entries()) {
      const space = name.indexOf(" ");
      this.#queue.push({ dueMs: Number(name.slice(0, space)), startMs: 0, key: name.slice(space + 1) });
    }
  }

  /** The first of the queue is always a timer that is there: nothing is due that was deleted. */
  #dropStale(): void {
    if (this.#queue.size > 2 * this.#timers.size + MIN_STALE) this.restored();
    for (let first = this.#queue.peek(); first !== undefined; first = this.#queue.peek()) {
      if (this.#timers.get(nameOf(first.key, first.dueMs)) !== undefined) return;
      this.#queue.pop();
    }
  }
}

const nameOf = (key: string, timeMs: number): string => `${timeMs} ${key}`;
