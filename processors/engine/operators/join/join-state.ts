/** The events of both sides that may still meet one of the other. */
import type { ByteReader, ByteWriter } from "../../state/bytes.ts";
import { type HeldDue, type HeldEvent, HeldEvents, isEarlier, OPEN, SETTLED } from "../held-events.ts";
import type { Operator, OperatorContext, OperatorState } from "../operator.ts";
import { Join } from "./join.ts";
import type { JoinDefinition } from "./join-definition.ts";

export const LEFT = 0;
export const RIGHT = 1;

/** What was released of one key, a list for each side, the earliest first. */
type Sides = readonly [HeldEvent[], HeldEvent[]];

const NOBODY: readonly HeldEvent[] = [];

export class JoinState implements OperatorState {
  readonly #definition: JoinDefinition;
  readonly events: HeldEvents;
  readonly #released = new Map<string, Sides>();
  /** What is due at the same time for the same key, taken out of the queue to be worked off together. */
  #group: readonly HeldDue[] = [];
  /** How many results the group has had: a cut may fall in its middle. */
  groupResults = 0;

  constructor(definition: JoinDefinition) {
    const { beforeMs, afterMs } = definition.settings;
    this.#definition = definition;
    this.events = new HeldEvents((side) => (side === LEFT ? afterMs : beforeMs) + 1);
  }

  get entries(): number {
    return this.events.size;
  }

  open(context: OperatorContext): Operator {
    return new Join(this.#definition, this, context);
  }

  get dueMs(): number {
    return this.#group.length > 0 ? this.#group[0]!.dueMs : this.events.queue.dueMs;
  }

  /** What is to be done next: everything of one kind, for one key, at one time. */
  group(): readonly HeldDue[] {
    if (this.#group.length > 0) return this.#group;
    const { queue } = this.events;
    const group: HeldDue[] = [];
    for (
      let next = queue.peek();
      next !== undefined && isOfOneGroup(group[0] ?? next, next);
      next = queue.peek()
    ) {
      group.push(queue.pop()!);
    }
    this.#group = group;
    return group;
  }

  groupDone(): void {
    this.#group = [];
    this.groupResults = 0;
  }

  /** What was released of this side. */
  side(key: string, side: number): readonly HeldEvent[] {
    return this.#released.get(key)?.[side as 0 | 1] ?? NOBODY;
  }

  /**
   * Events are released in their order, so that a list is always sorted.
   * @param matched whether it has met one of the other side
   */
  release(event: HeldEvent, matched: boolean): void {
    this.#append(this.events.release(event, matched ? SETTLED : OPEN));
  }

  markMatched(event: HeldEvent): void {
    const list = this.#released.get(event.key)![event.part as 0 | 1];
    list[indexOf(list, event)] = this.events.change(event, SETTLED);
  }

  remove(event: HeldEvent): void {
    const sides = this.#released.get(event.key)!;
    const list = sides[event.part as 0 | 1];
    list.splice(indexOf(list, event), 1);
    this.events.remove(event);
    if (sides[LEFT].length === 0 && sides[RIGHT].length === 0) this.#released.delete(event.key);
  }

  writeBase(writer: ByteWriter): void {
    writer.varint(this.groupResults);
    this.events.writeBase(writer);
  }

  writeDelta(writer: ByteWriter): void {
    writer.varint(this.groupResults);
    this.events.writeDelta(writer);
  }

  readBase(reader: ByteReader): void {
    this.groupResults = reader.varint();
    this.events.readBase(reader);
  }

  readDelta(reader: ByteReader): void {
    this.groupResults = reader.varint();
    this.events.readDelta(reader);
  }

  restored(): void {
    this.events.restored();
    for (const event of this.events.released()) this.#append(event);
    for (const sides of this.#released.values()) {
      for (const list of sides) list.sort((a, b) => (isEarlier(a, b) ? -1 : 1));
    }
  }

  #append(event: HeldEvent): void {
    let sides = this.#released.get(event.key);
    if (sides === undefined) {
      sides = [[], []];
      this.#released.set(event.key, sides);
    }
    sides[event.part as 0 | 1].push(event);
  }
}

const isOfOneGroup = (a: HeldDue, b: HeldDue): boolean =>
  a.dueMs === b.dueMs && a.startMs === b.startMs && a.key === b.key;

/** The index of the first event at or after this time. */
export function firstFrom(list: readonly HeldEvent[], timeMs: number): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle]!.timeMs < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

function indexOf(list: readonly HeldEvent[], { id, timeMs }: HeldEvent): number {
  let at = firstFrom(list, timeMs);
  while (list[at]!.id !== id) at += 1;
  return at;
}
