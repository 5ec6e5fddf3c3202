/**
 * A correlation at work. Parts are taken in order of their times, each once the watermark is past it: whatever order
 * they came in, as long as they are not further out of order than the bound, the same ones meet.
 */
import { rejectionOf } from "../../task/rejection.ts";
import { type HeldEvent, OPEN, RELEASE, SETTLED } from "../held-events.ts";
import { HeldResults } from "../held-results.ts";
import { HeldStaging } from "../held-staging.ts";
import type { Operator, OperatorContext } from "../operator.ts";
import type {
  CorrelateDefinition,
  CorrelateSettings,
  FoundParts,
  PartValues,
} from "./correlate-definition.ts";
import type { CorrelateState, Waiting } from "./correlate-state.ts";
import { findMatch } from "./search.ts";

/**
 * Of each part a key keeps this many events that met no others; the oldest gives way, as if its time were over. It
 * bounds the combinations that are tried when an event comes: its square, for three parts.
 */
const MAX_WAITING_PER_PART = 16;

export class Correlate implements Operator {
  readonly #settings: CorrelateSettings;
  readonly #state: CorrelateState;
  readonly #staging: HeldStaging;
  readonly #results: HeldResults;

  constructor({ settings }: CorrelateDefinition, state: CorrelateState, context: OperatorContext) {
    this.#settings = settings;
    this.#state = state;
    this.#staging = new HeldStaging(state.events, settings.withinMs);
    this.#results = new HeldResults(settings.series, context);
  }

  get dueMs(): number {
    return this.#state.dueMs;
  }

  stage(event: unknown, key: string, timeMs: number): void {
    rejectionOf("user-code-failed", () => {
      const part = this.#settings.parts.findIndex(({ matches }) => matches(event));
      if (part >= 0) this.#staging.add(part, key, timeMs, event);
    });
  }

  commit(watermarkMs: number): number {
    return this.#staging.commit(watermarkMs);
  }

  /** Every event that is a part is held for a while. */
  needsRow(): boolean {
    return this.#staging.size > 0;
  }

  discard(): void {
    this.#staging.discard();
  }

  fire(watermarkMs: number, maxSteps: number): number {
    const { queue } = this.#state.events;
    let steps = 0;
    for (; steps < maxSteps && queue.dueMs <= watermarkMs; steps++) {
      const { startMs, event } = queue.pop()!;
      const current = this.#state.events.current(event);
      if (startMs === RELEASE) this.#release(event);
      else if (current !== undefined) this.#giveUp(current);
    }
    while (steps < maxSteps && this.#state.expireNumber(watermarkMs)) steps += 1;
    return steps;
  }

  #release(event: HeldEvent): void {
    const waiting = this.#state.release(event);
    const list = waiting[event.part]!;
    const released = list.find(({ id }) => id === event.id)!;
    const match = this.#match(waiting, released);
    if (match !== undefined) this.#complete(match);
    else if (list.length > MAX_WAITING_PER_PART) this.#giveUp(list[0]!);
  }

  /** A predicate that throws does not hold; the first that does so for an event is told. */
  #match(waiting: Waiting, event: HeldEvent): readonly HeldEvent[] | undefined {
    const { where } = this.#settings;
    let failed = false;
    return findMatch(waiting, event, (events) => {
      if (where === null) return true;
      try {
        return where(this.#valuesOf(events));
      } catch (cause) {
        if (!failed) this.#results.dead(this.#windowOf(events), events, cause, "where threw");
        failed = true;
        return false;
      }
    });
  }

  /** All parts are there: they are used up. */
  #complete(events: readonly HeldEvent[]): void {
    this.#emit(events, { complete: true, missing: [], parts: this.#valuesOf(events) });
    for (const event of events) this.#state.remove(event);
  }

  /**
   * An event's time is over. What it misses is told once, together with those that came after it; these go on
   * waiting for a match of their own.
   */
  #giveUp(event: HeldEvent): void {
    if (event.status === OPEN && this.#settings.onMissing === "output") this.#reportMissing(event);
    this.#state.remove(this.#state.events.current(event)!);
  }

  #reportMissing(event: HeldEvent): void {
    const { parts, withinMs } = this.#settings;
    const found = this.#state.waiting(event.key).map((list, part) => {
      if (part === event.part) return event;
      return list.find(({ timeMs }) => timeMs >= event.timeMs && timeMs < event.timeMs + withinMs);
    });
    const missing = parts.filter((_, part) => found[part] === undefined).map(({ name }) => name);
    const events = found.filter((each) => each !== undefined);
    // Where all parts came, the predicate held for no combination of them: then they are no correlation.
    if (missing.length > 0) this.#emit(events, { complete: false, missing, parts: this.#valuesOf(events) });
    for (const each of events) {
      if (each.status === OPEN) this.#state.change(each, SETTLED);
    }
  }

  #emit(events: readonly HeldEvent[], found: FoundParts): void {
    const window = this.#windowOf(events);
    const number = this.#state.nextNumber(events[0]!.key, window.start);
    this.#results.emit(window, number, events, () => this.#settings.combine(found));
  }

  /** From the first part on, for as long as others could be in time for it. */
  #windowOf(events: readonly HeldEvent[]): { readonly start: number; readonly end: number } {
    const start = Math.min(...events.map(({ timeMs }) => timeMs));
    return { start, end: start + this.#settings.withinMs };
  }

  #valuesOf(events: readonly HeldEvent[]): PartValues {
    const values: Record<string, unknown> = {};
    for (const { part, json } of events) values[this.#settings.parts[part]!.name] = json.value;
    return values;
  }
}
