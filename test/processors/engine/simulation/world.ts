/**
 * Virtual time for the simulation. Everything that happens is an event with a time; which comes next, how long
 * things take and what fails is drawn from one seeded generator, so a seed replays exactly.
 */

/** mulberry32: small, fast, and good enough to choose faults. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface ScheduledEvent {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

const INTENSITIES = [0.1, 0.3, 1];

/** Turns of the real event loop that are asked for ahead, since a turn for each event alone would cost most of the time. */
const TURNS_AHEAD = 32;

export class World {
  readonly random: () => number;
  nowMs = 0;
  /** Whether faults still happen; after they stop, everything must come to an end. */
  faults = true;
  /** How many: some bugs need many at once, others that a run comes far. */
  readonly #intensity: number;
  #order = 0;
  /** A binary heap; the earliest event is first. */
  readonly #events: ScheduledEvent[] = [];
  readonly #outages = new Map<string, number>();

  constructor(seed: number) {
    this.random = randomFrom(seed);
    this.#intensity = this.pick(INTENSITIES);
  }

  chance(probability: number): boolean {
    return this.faults && this.random() < probability * this.#intensity;
  }

  between(least: number, most: number): number {
    return least + Math.floor(this.random() * (most - least + 1));
  }

  pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.random() * choices.length)]!;
  }

  /** A number that grows with every call: tells what happened first within a millisecond. */
  nextOrder(): number {
    return this.#order++;
  }

  /** A server does not work until then. */
  takeAway(server: string, forMs: number): void {
    this.#outages.set(server, this.nowMs + forMs);
  }

  isAway(server: string): boolean {
    return this.faults && (this.#outages.get(server) ?? 0) > this.nowMs;
  }

  after(delayMs: number, run: () => void): void {
    const events = this.#events;
    const event = { atMs: this.nowMs + delayMs, order: this.nextOrder(), run };
    let at = events.length;
    events.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isEarlier(event, events[parent]!)) break;
      events[at] = events[parent]!;
      at = parent;
    }
    events[at] = event;
  }

  /** Runs events in order of time until `done` holds, `untilMs` is reached or nothing is left to happen. */
  run(untilMs: number, done: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      let ended = false;
      // The engine waits on promises only, so between two turns of the real event loop it comes to rest.
      const turn = (): void => {
        if (ended) return;
        try {
          ended = !this.#step(untilMs, done);
        } catch (error) {
          ended = true;
          reject(error);
        }
        if (ended) resolve();
        else setImmediate(turn);
      };
      for (let ahead = 0; ahead < TURNS_AHEAD; ahead++) setImmediate(turn);
    });
  }

  #step(untilMs: number, done: () => boolean): boolean {
    const [next] = this.#events;
    if (next === undefined || next.atMs > untilMs || done()) return false;
    this.#removeEarliest();
    this.nowMs = next.atMs;
    next.run();
    return true;
  }

  #removeEarliest(): void {
    const events = this.#events;
    const last = events.pop()!;
    if (events.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= events.length) break;
      if (child + 1 < events.length && isEarlier(events[child + 1]!, events[child]!)) child += 1;
      if (!isEarlier(events[child]!, last)) break;
      events[at] = events[child]!;
      at = child;
    }
    events[at] = last;
  }
}

const isEarlier = (a: ScheduledEvent, b: ScheduledEvent): boolean =>
  a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
