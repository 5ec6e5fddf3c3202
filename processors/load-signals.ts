/** What a processor tells those that send to it: how loaded each of its tasks is (contracts/signals.ts). */
import { LATENCY_TARGET_MS, type LoadSignal } from "../contracts/signals.ts";
import { LoadFactor } from "../flow/load-factor.ts";
import type { Checkpointed, Clock, Observer, TaskName } from "./engine/worker/ports.ts";

/** Long enough that a checkpoint that takes long, or a firing, is no change of pace. */
export const PACE_MS = 30_000;

interface TaskLoad {
  readonly task: TaskName;
  readonly load: LoadFactor;
}

export class LoadSignals {
  readonly #clock: Pick<Clock, "nowMs" | "epochMs">;
  readonly #topicsOf: ReadonlyMap<string, readonly string[]>;
  readonly #tasks = new Map<string, TaskLoad>();

  /** `topicsOf`: by the name of each stage, the topics of the catalogue that end up there. */
  constructor(clock: Pick<Clock, "nowMs" | "epochMs">, topicsOf: ReadonlyMap<string, readonly string[]>) {
    this.#clock = clock;
    this.#topicsOf = topicsOf;
  }

  /** The observer, which is told everything, and by which the tasks' loads are learned. */
  observing(observer: Observer): Observer {
    return {
      ...observer,
      recovered: (recovery) => {
        const load = new LoadFactor({ targetMs: LATENCY_TARGET_MS, paceMs: PACE_MS }, this.#clock.nowMs());
        this.#tasks.set(nameOf(recovery), { task: recovery, load });
        observer.recovered(recovery);
      },
      checkpointed: (checkpointed) => {
        this.#tasks
          .get(nameOf(checkpointed))
          ?.load.observe(processed(checkpointed), checkpointed.backlogRecords, this.#clock.nowMs());
        observer.checkpointed(checkpointed);
      },
      // Whoever has it next speaks under its name.
      dropped: (task, reason) => {
        this.#tasks.delete(nameOf(task));
        observer.dropped(task, reason);
      },
      // It will not get on, and a door that closes for it would close for everybody: an alarm is what it needs.
      parked: (task, code, message) => {
        this.#tasks.delete(nameOf(task));
        observer.parked(task, code, message);
      },
    };
  }

  signals(): LoadSignal[] {
    const [nowMs, atMs] = [this.#clock.nowMs(), this.#clock.epochMs()];
    return [...this.#tasks.values()].map(({ task, load }) => ({
      stage: task.pipeline,
      source: String(task.partition),
      topics: this.#topicsOf.get(task.pipeline) ?? [],
      load: load.value(nowMs),
      atMs,
    }));
  }
}

const nameOf = ({ pipeline, partition }: TaskName): string => `${pipeline}/${partition}`;

const processed = ({ counters }: Checkpointed): number =>
  counters.counted + counters.late + counters.duplicate + counters.dead + counters.ignored;
