/** The parts that wait for others, and the numbers of the results that they became. */
import type { ByteReader, ByteWriter } from "../../state/bytes.ts";
import { DueQueue } from "../../state/due-queue.ts";
import { KeyedStore } from "../../state/keyed-store.ts";
import { type HeldEvent, HeldEvents, isEarlier, type Status } from "../held-events.ts";
import type { Operator, OperatorContext, OperatorState } from "../operator.ts";
import { Correlate } from "./correlate.ts";
import type { CorrelateDefinition } from "./correlate-definition.ts";

/** The parts of one key that wait: a list for each part, the earliest first. */
export type Waiting = readonly HeldEvent[][];

export class CorrelateState implements OperatorState {
  readonly #definition: CorrelateDefinition;
  readonly events: HeldEvents;
  readonly #waiting = new Map<string, Waiting>();
  /** How many results there were for a window, by `<start> <key>`, for as long as there may be more. */
  readonly #numbers = new KeyedStore<number>({
    write: (writer, number) => writer.varint(number),
    read: (reader) => reader.varint(),
  });
  readonly #expiries = new DueQueue();

  constructor(definition: CorrelateDefinition) {
    this.#definition = definition;
    this.events = new HeldEvents(() => definition.settings.withinMs);
  }

  /** A number is kept for as long as the event that it was for would have been. */
  get entries(): number {
    return this.events.size + this.#numbers.size;
  }

  open(context: OperatorContext): Operator {
    return new Correlate(this.#definition, this, context);
  }

  get dueMs(): number {
    return Math.min(this.events.queue.dueMs, this.#expiries.dueMs);
  }

  /** The parts that wait, this one among them from now on. */
  release(event: HeldEvent): Waiting {
    const released = this.events.release(event);
    const waiting = this.#waitingOf(event.key);
    insert(waiting[event.part]!, released);
    return waiting;
  }

  waiting(key: string): Waiting {
    return this.#waiting.get(key)!;
  }

  change(event: HeldEvent, status: Status): void {
    const list = this.waiting(event.key)[event.part]!;
    list[list.indexOf(event)] = this.events.change(event, status);
  }

  remove(event: HeldEvent): void {
    const waiting = this.waiting(event.key);
    const list = waiting[event.part]!;
    list.splice(list.indexOf(event), 1);
    this.events.remove(event);
    if (waiting.every(({ length }) => length === 0)) this.#waiting.delete(event.key);
  }

  /** The number of the next result of this key whose first part was at this time, from 1. */
  nextNumber(key: string, startMs: number): number {
    const name = `${startMs} ${key}`;
    const before = this.#numbers.get(name);
    const number = (before ?? 0) + 1;
    this.#numbers.set(name, number);
    if (before === undefined) this.#watchNumber(name);
    return number;
  }

  /** Forgets numbers that no result can need any more; returns whether there was one. */
  expireNumber(watermarkMs: number): boolean {
    if (this.#expiries.dueMs > watermarkMs) return false;
    this.#numbers.delete(this.#expiries.pop()!.key);
    return true;
  }

  writeBase(writer: ByteWriter): void {
    this.events.writeBase(writer);
    this.#numbers.writeBase(writer);
  }

  writeDelta(writer: ByteWriter): void {
    this.events.writeDelta(writer);
    this.#numbers.writeDelta(writer);
  }

  readBase(reader: ByteReader): void {
    this.events.readBase(reader);
    this.#numbers.readBase(reader);
  }

  readDelta(reader: ByteReader): void {
    this.events.readDelta(reader);
    this.#numbers.readDelta(reader);
  }

  restored(): void {
    this.events.restored();
    for (const event of this.events.released()) insert(this.#waitingOf(event.key)[event.part]!, event);
    for (const [name] of this.#numbers.entries()) this.#watchNumber(name);
  }

  #waitingOf(key: string): Waiting {
    let waiting = this.#waiting.get(key);
    if (waiting === undefined) {
      waiting = this.#definition.settings.parts.map(() => []);
      this.#waiting.set(key, waiting);
    }
    return waiting;
  }

  /** The last result of a window comes at its deadline, its end; whatever is due there comes before this. */
  #watchNumber(name: string): void {
    const startMs = Number(name.slice(0, name.indexOf(" ")));
    const dueMs = startMs + this.#definition.settings.withinMs + 1;
    this.#expiries.push({ dueMs, startMs: 0, key: name });
  }
}

function insert(list: HeldEvent[], event: HeldEvent): void {
  let at = list.length;
  while (at > 0 && isEarlier(event, list[at - 1]!)) at -= 1;
  list.splice(at, 0, event);
}
