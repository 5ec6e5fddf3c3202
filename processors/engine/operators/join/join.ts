/**
 * An interval join at work. Both sides are taken in order of their times, each event once the watermark is past it:
 * a pair is emitted when the later of the two is taken, and the pairs and their order are the same however the events
 * came. An event behind the watermark is late, as in Flink's interval join.
 */
import { rejectionOf } from "../../task/rejection.ts";
import { type HeldDue, type HeldEvent, OPEN, RELEASE } from "../held-events.ts";
import { HeldResults } from "../held-results.ts";
import { HeldStaging } from "../held-staging.ts";
import type { Operator, OperatorContext } from "../operator.ts";
import type { JoinDefinition, JoinSettings } from "./join-definition.ts";
import { firstFrom, type JoinState, LEFT, RIGHT } from "./join-state.ts";

/** An event is late once the watermark is past its millisecond: then its pairs were emitted. */
const LATE_AFTER_MS = 1;

/** A left event with a right one, or alone. */
type Pair = readonly [left: HeldEvent, right: HeldEvent | undefined];

export class Join implements Operator {
  readonly #settings: JoinSettings;
  readonly #state: JoinState;
  readonly #staging: HeldStaging;
  readonly #results: HeldResults;
  /** The results of the group at hand that are still to come. */
  #pairs: Iterator<Pair> | undefined;
  /** How many results the group at hand had for windows that start at these times. */
  #numbers = new Map<number, number>();

  constructor({ settings }: JoinDefinition, state: JoinState, context: OperatorContext) {
    this.#settings = settings;
    this.#state = state;
    this.#staging = new HeldStaging(state.events, LATE_AFTER_MS);
    this.#results = new HeldResults(settings.series, context);
  }

  get dueMs(): number {
    return this.#state.dueMs;
  }

  stage(event: unknown, key: string, timeMs: number, _watermarkMs: number, input: number): void {
    const side = input === this.#settings.rightInput ? RIGHT : LEFT;
    rejectionOf("user-code-failed", () => this.#staging.add(side, key, timeMs, event));
  }

  commit(watermarkMs: number): number {
    return this.#staging.commit(watermarkMs);
  }

  /** Every event is held for a while. */
  needsRow(): boolean {
    return true;
  }

  discard(): void {
    this.#staging.discard();
  }

  fire(watermarkMs: number, maxSteps: number): number {
    let steps = 0;
    for (; steps < maxSteps && this.#state.dueMs <= watermarkMs; steps++) {
      const group = this.#state.group();
      this.#pairs ??= this.#resume(group);
      const next = this.#pairs.next();
      if (next.done) this.#endGroup(group);
      else this.#emit(next.value);
    }
    return steps;
  }

  /** The results of a group, without those that it had before a cut. */
  #resume(group: readonly HeldDue[]): Iterator<Pair> {
    const pairs = group[0]!.startMs === RELEASE ? this.#meetings(group) : this.#unmatched(group);
    for (let before = this.#state.groupResults; before > 0; before--)
      this.#number(pairs.next().value as Pair);
    return pairs;
  }

  /** The pairs of events that are released with those that were before, and among themselves. */
  *#meetings(group: readonly HeldDue[]): Generator<Pair> {
    const { beforeMs, afterMs } = this.#settings;
    for (const [index, { event }] of group.entries()) {
      const [other, boundMs] = event.part === LEFT ? [RIGHT, beforeMs] : [LEFT, afterMs];
      const list = this.#state.side(event.key, other);
      // None of them is later than the event at hand, so that the other bound always holds.
      for (let at = firstFrom(list, event.timeMs - boundMs); at < list.length; at++) {
        yield event.part === LEFT ? [event, list[at]!] : [list[at]!, event];
      }
      // Left ones come first, so a right one meets all of them, and a left one none.
      if (event.part === RIGHT) {
        for (const { event: left } of group.slice(0, index)) if (left.part === LEFT) yield [left, event];
      }
    }
  }

  /** The left events that met nobody, and now never will. */
  *#unmatched(group: readonly HeldDue[]): Generator<Pair> {
    if (this.#settings.kind === "inner") return;
    for (const { event } of group) {
      const current = this.#state.events.current(event)!;
      if (current.part === LEFT && current.status === OPEN) yield [current, undefined];
    }
  }

  #emit(pair: Pair): void {
    const [left, right] = pair;
    const number = this.#number(pair);
    this.#state.groupResults += 1;
    const window = {
      start: startOf(pair),
      end: Math.max(left.timeMs, right?.timeMs ?? left.timeMs) + 1,
    };
    const events = right === undefined ? [left] : [left, right];
    this.#results.emit(window, number, events, () =>
      this.#settings.combine(left.json.value, right?.json.value),
    );
  }

  /** All rows of one window and key come from one group, so counting within it numbers them. */
  #number(pair: Pair): number {
    const startMs = startOf(pair);
    const number = (this.#numbers.get(startMs) ?? 0) + 1;
    this.#numbers.set(startMs, number);
    return number;
  }

  #endGroup(group: readonly HeldDue[]): void {
    if (group[0]!.startMs === RELEASE) this.#release(group);
    else for (const { event } of group) this.#state.remove(event);
    this.#state.groupDone();
    this.#pairs = undefined;
    this.#numbers.clear();
  }

  /** Only a left join asks later who was matched. */
  #release(group: readonly HeldDue[]): void {
    const { kind, afterMs } = this.#settings;
    const rights = group.filter(({ event }) => event.part === RIGHT);
    if (kind === "left" && rights.length > 0) {
      const { key, timeMs } = rights[0]!.event;
      const lefts = this.#state.side(key, LEFT);
      for (const left of lefts.slice(firstFrom(lefts, timeMs - afterMs))) {
        if (left.status === OPEN) this.#state.markMatched(left);
      }
    }
    for (const { event } of group)
      this.#state.release(event, event.part === LEFT && this.#hasRight(event, rights));
  }

  #hasRight({ key, timeMs }: HeldEvent, rights: readonly HeldDue[]): boolean {
    if (this.#settings.kind === "inner") return false;
    const before = this.#state.side(key, RIGHT);
    return rights.length > 0 || firstFrom(before, timeMs - this.#settings.beforeMs) < before.length;
  }
}

const startOf = ([left, right]: Pair): number => Math.min(left.timeMs, right?.timeMs ?? left.timeMs);
