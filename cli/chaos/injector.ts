/** Carries faults out, and keeps the log of them. */
import { setTimeout as delay } from "node:timers/promises";
import type { Kafka } from "kafkajs";
import type { Control } from "../platform/control.ts";
import {
  BROKERS,
  type Fault,
  faultsOf,
  LANES,
  type Lane,
  LINKS,
  PROCESSORS,
  type Targets,
} from "./faults.ts";
import { moveLeader } from "./leader-move.ts";

/** What was done, and when. */
export interface FaultEntry {
  readonly lane: Lane;
  /** Its place in its lane, from 0. */
  readonly index: number;
  readonly kind: string;
  readonly what: string;
  /** Milliseconds since the run began. */
  readonly fromMs: number;
  /** Undefined while it lasts. */
  toMs?: number;
  /** Why it did not come to pass: its target was away already. */
  missed?: string;
}

export interface InjectorOptions {
  readonly seed: number;
  readonly targets: Targets;
  readonly control: Control;
  readonly kafka: Kafka;
  /** Called with each fault as it begins, and as it ends. */
  readonly onFault: (entry: FaultEntry) => void;
}

export class Injector {
  readonly log: FaultEntry[] = [];
  readonly #options: InjectorOptions;
  readonly #startedAt = performance.now();

  constructor(options: InjectorOptions) {
    this.#options = options;
  }

  /** Runs every lane until `end` is aborted; resolves when what was begun is undone. */
  async run(end: AbortSignal): Promise<void> {
    await Promise.all(LANES.map((lane) => this.#runLane(lane, end)));
    await this.#repair();
  }

  async #runLane(lane: Lane, end: AbortSignal): Promise<void> {
    const { seed, targets } = this.#options;
    let index = 0;
    for (const fault of faultsOf(lane, seed, targets)) {
      await rest(fault.restMs, end);
      if (end.aborted) return;
      await this.#inflict(fault, index, end);
      index += 1;
    }
  }

  async #inflict(fault: Fault, index: number, end: AbortSignal): Promise<void> {
    const { lane, kind, what } = fault;
    const entry: FaultEntry = { lane, index, kind, what, fromMs: this.#nowMs() };
    this.log.push(entry);
    this.#options.onFault(entry);
    await this.#post(fault.begin, entry);
    if (fault.leaderMove !== undefined) {
      await moveLeader(this.#options.kafka, fault.leaderMove, end).catch((error: Error) => {
        entry.missed = error.message;
      });
    }
    await rest(fault.holdMs, end);
    await this.#post(fault.end, entry);
    entry.toMs = this.#nowMs();
    this.#options.onFault(entry);
  }

  async #post(paths: readonly string[], entry: FaultEntry): Promise<void> {
    for (const path of paths) {
      if (!(await this.#options.control.post(path))) entry.missed = `${path}: there is none just now`;
    }
  }

  /** Whatever state a fault that was cut short has left, everything is up again afterwards. */
  async #repair(): Promise<void> {
    const { control, targets } = this.#options;
    for (const link of LINKS) await control.post(`/links/${link}/restore`);
    for (const id of BROKERS) await control.post(`/brokers/${id}/start`);
    const service = `/services/${encodeURIComponent(targets.service)}`;
    await control.post(`${service}/count?n=${PROCESSORS}`);
    for (let index = 0; index < PROCESSORS; index++) await control.post(`${service}/continue?index=${index}`);
  }

  #nowMs(): number {
    return Math.round(performance.now() - this.#startedAt);
  }
}

/** Ends early, without an error, when the run is to end. */
const rest = (ms: number, end: AbortSignal): Promise<void> =>
  delay(ms, undefined, { signal: end }).catch(() => {});
