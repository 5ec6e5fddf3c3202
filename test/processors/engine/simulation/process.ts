/**
 * A process of the simulation: it can die, or be suspended and wake up as a zombie, at any of its awaits; and what it
 * asks of a server can go wrong in every way that a network and a client's retries have.
 */
import type { World } from "./world.ts";

/** What becomes of one request. */
type Fate =
  | "answered"
  | "slow"
  /** It never arrives. */
  | "lost"
  /** It takes effect, and nobody is told. */
  | "answer-lost"
  /** The client gives up; the request arrives after that. */
  | "late"
  /** The client's library sends it again: it takes effect twice, and the second answer arrives. */
  | "repeated"
  /** As above, but the first answer arrives, and the second effect comes much later. */
  | "repeated-late";

const FATES: readonly Fate[] = ["slow", "lost", "answer-lost", "late", "repeated", "repeated-late"];
const FATE_PROBABILITY = 0.06;

/** How likely a process dies or is suspended where it waits for an answer. */
const HAZARD = 0.003;
const MAX_LATE_MS = 6_000;

export interface Hazards {
  /** The process is about to take an answer, and dies or is suspended instead. */
  strike(process: Process): void;
}

export class Process {
  readonly world: World;
  readonly #hazards: Hazards;
  alive = true;
  #suspended = false;
  #held: (() => void)[] = [];
  readonly #cutOff = new Map<string, number>();

  constructor(world: World, hazards: Hazards) {
    this.world = world;
    this.#hazards = hazards;
  }

  get running(): boolean {
    return this.alive && !this.#suspended;
  }

  /** A request to a server, whose effect may happen not at all, once or twice, whatever the caller is told. */
  call<T>(server: string, effect: () => T): Promise<T> {
    const { world } = this;
    return new Promise<T>((resolve, reject) => {
      const fate = this.#isCutOff(server) ? "lost" : this.#fate();
      const arriveMs = fate === "slow" ? world.between(100, 1_500) : world.between(1, 20);
      // A broken connection is noticed at once, a silent one much later.
      const giveUp = () =>
        this.#after(2 * world.between(1, 20) ** 2, () => reject(new Error(`${server}: timed out`)));
      const answered = () => this.#arrive(server, effect, resolve, reject);
      switch (fate) {
        case "lost":
          return giveUp();
        case "answer-lost":
          this.#after(arriveMs, () => this.#arrive(server, effect, ignore, ignore));
          return giveUp();
        case "late":
          world.after(world.between(50, MAX_LATE_MS), () => this.#arrive(server, effect, ignore, ignore));
          return giveUp();
        case "repeated":
          world.after(arriveMs, () => this.#arrive(server, effect, ignore, ignore));
          return world.after(arriveMs + world.between(1, 40), answered);
        case "repeated-late":
          world.after(arriveMs, answered);
          return world.after(arriveMs + world.between(20, MAX_LATE_MS), () =>
            this.#arrive(server, effect, ignore, ignore),
          );
        default:
          return world.after(arriveMs, answered);
      }
    });
  }

  /** Something reaches the process: now, when it resumes, or never. */
  deliver(run: () => void): void {
    if (!this.alive) return;
    if (this.#suspended) this.#held.push(run);
    else run();
  }

  /** Requests to this server are lost for a while; all else goes on. */
  cutOff(server: string, forMs: number): void {
    this.#cutOff.set(server, this.world.nowMs + forMs);
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

  #isCutOff(server: string): boolean {
    return this.world.faults && (this.#cutOff.get(server) ?? 0) > this.world.nowMs;
  }

  #fate(): Fate {
    return this.world.chance(FATE_PROBABILITY) ? this.world.pick(FATES) : "answered";
  }

  #arrive<T>(
    server: string,
    effect: () => T,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ): void {
    const { world } = this;
    if (!this.alive && world.random() < 0.5) return;
    let answer: () => void;
    try {
      if (world.isAway(server)) throw new Error(`${server}: not available`);
      const value = effect();
      answer = () => resolve(value);
    } catch (error) {
      answer = () => reject(error);
    }
    if (resolve === ignore) return;
    this.#after(world.between(1, 20), answer);
  }

  /** The process goes on, unless this is where fate strikes it: then it dies here, or takes the answer as a zombie. */
  #after(delayMs: number, run: () => void): void {
    this.world.after(delayMs, () => {
      if (this.running && this.world.chance(HAZARD)) this.#hazards.strike(this);
      this.deliver(run);
    });
  }
}

const ignore = (): void => undefined;
