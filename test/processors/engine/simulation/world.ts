/**
 * Virtual time and chance for the simulation. Everything that happens is an event with a time; which comes next,
 * how long things take and what fails is drawn from one seeded generator, so a seed replays exactly.
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

export class World {
  readonly random: () => number;
  nowMs = 0;
  /** Whether faults still happen; after they stop, everything must come to an end. */
  faults = true;
  #order = 0;
  #events: ScheduledEvent[] = [];

  constructor(seed: number) {
    this.random = randomFrom(seed);
  }

  chance(probability: number): boolean {
    return this.faults && this.random() < probability;
  }

  between(least: number, most: number): number {
    return least + Math.floor(this.random() * (most - least + 1));
  }

  after(delayMs: number, run: () => void): void {
    this.#events.push({ atMs: this.nowMs + delayMs, order: this.#order++, run });
  }

  /** Runs events in order of time until `done` holds, `untilMs` is reached or nothing is left to happen. */
  async run(untilMs: number, done: () => boolean): Promise<void> {
    while (this.#events.length > 0 && !done()) {
      const next = this.#takeEarliest();
      if (next.atMs > untilMs) return;
      this.nowMs = next.atMs;
      next.run();
      // The engine waits on promises only, so one turn of the real event loop lets it come to rest.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #takeEarliest(): ScheduledEvent {
    let earliest = 0;
    for (let i = 1; i < this.#events.length; i++) {
      const a = this.#events[i]!;
      const b = this.#events[earliest]!;
      if (a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)) earliest = i;
    }
    return this.#events.splice(earliest, 1)[0]!;
  }
}

/** A process that can die or be suspended: a call's answer reaches only a process that is there to take it. */
export class Process {
  readonly world: World;
  alive = true;
  #suspended = false;
  #held: (() => void)[] = [];

  constructor(world: World) {
    this.world = world;
  }

  get running(): boolean {
    return this.alive && !this.#suspended;
  }

  /** A request to a server: takes time both ways; either way may be lost, the effect happening or not. */
  call<T>(effect: () => T): Promise<T> {
    const { world } = this;
    return new Promise<T>((resolve, reject) => {
      world.after(world.between(1, 20), () => {
        if (!this.alive && world.random() < 0.5) return;
        let answer: () => void;
        try {
          const value = effect();
          answer = () => resolve(value);
        } catch (error) {
          answer = () => reject(error);
        }
        world.after(world.between(1, 20), () => this.deliver(answer));
      });
    });
  }

  /** Something reaches the process: now, when it resumes, or never. */
  deliver(run: () => void): void {
    if (!this.alive) return;
    if (this.#suspended) this.#held.push(run);
    else run();
  }

  suspend(): void {
    this.#suspended = true;
  }

  resume(): void {
    this.#suspended = false;
    const held = this.#held;
    this.#held = [];
    for (const run of held) this.deliver(run);
  }

  kill(): void {
    this.alive = false;
    this.#held = [];
  }
}
