/** The events of the record that is being applied, before they are held: as text, and nobody can change them. */
import { toJsonText } from "./frozen-json.ts";
import type { HeldEvents } from "./held-events.ts";
import { COUNTED } from "./operator.ts";

interface Staged {
  readonly part: number;
  readonly key: string;
  readonly timeMs: number;
  readonly text: string;
}

export class HeldStaging {
  readonly #events: HeldEvents;
  readonly #lateAfterMs: number;
  #staged: Staged[] = [];

  /** @param lateAfterMs an event is late once the watermark is this far past its time */
  constructor(events: HeldEvents, lateAfterMs: number) {
    this.#events = events;
    this.#lateAfterMs = lateAfterMs;
  }

  get size(): number {
    return this.#staged.length;
  }

  /** Fractions of a millisecond are cut off: what is held is placed in windows of whole ones. */
  add(part: number, key: string, timeMs: number, event: unknown): void {
    const text = toJsonText(event, "an event that is held for others must be plain JSON; map it before: it");
    this.#staged.push({ part, key, timeMs: Math.floor(timeMs), text });
  }

  /** Holds what is not late; returns as an operator's commit does. */
  commit(watermarkMs: number): number {
    let lateByMs = Number.POSITIVE_INFINITY;
    for (const { part, key, timeMs, text } of this.#staged) {
      const behindMs = watermarkMs - (timeMs + this.#lateAfterMs);
      if (behindMs < 0) this.#events.add(part, key, timeMs, text);
      lateByMs = Math.min(lateByMs, behindMs < 0 ? COUNTED : behindMs);
    }
    this.discard();
    return lateByMs;
  }

  discard(): void {
    if (this.#staged.length > 0) this.#staged = [];
  }
}
