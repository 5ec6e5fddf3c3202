/** What a processor tells those that send to it: how loaded each of its tasks is (contracts/signals.ts). */
import { LATENCY_TARGET_MS, type LoadSignal } from "../contracts/signals.ts";
import { LoadFactor } from "../flow/load-factor.ts";
import type { Clock, TaskVitals } from "./engine/worker/ports.ts";

/** Long enough that a checkpoint that takes long, or a firing, is no change of pace. */
export const PACE_MS = 30_000;
/** An idle task says again that it is: each time is a write, and what was said holds for SIGNAL_MAX_AGE_MS. */
const IDLE_REPEAT_MS = 20_000;

interface TaskLoad {
  readonly load: LoadFactor;
  /** Records that it had processed at the last look. */
  records: number;
  /** When it last said that it is idle; null where it was not, or has said nothing. */
  idleSaidMs: number | null;
}

export class LoadSignals {
  readonly #clock: Pick<Clock, "nowMs" | "epochMs">;
  readonly #topicsOf: ReadonlyMap<string, readonly string[]>;
  /** By the run that it is of: a task that is run anew has another pace. */
  #loads = new Map<object, TaskLoad>();

  /** `topicsOf`: by the name of each stage, the topics of the catalogue that end up there. */
  constructor(clock: Pick<Clock, "nowMs" | "epochMs">, topicsOf: ReadonlyMap<string, readonly string[]>) {
    this.#clock = clock;
    this.#topicsOf = topicsOf;
  }

  /**
   * What the tasks that run have to say. To be called at regular intervals: a load is of two looks at a task. Who has it
   * next speaks under its name; one that is parked says nothing, since a door that closes for it would close for everybody.
   */
  signals(vitals: readonly TaskVitals[]): LoadSignal[] {
    const before = this.#loads;
    this.#loads = new Map();
    return vitals.flatMap((task) => this.#signal(task, before.get(task.run)) ?? []);
  }

  #signal({ run, pipeline, partition, records, backlogRecords }: TaskVitals, known: TaskLoad | undefined) {
    const nowMs = this.#clock.nowMs();
    const task = known ?? newLoad(records, nowMs);
    this.#loads.set(run, task);
    if (known === undefined) return undefined;
    task.load.observe(records - task.records, backlogRecords, nowMs);
    task.records = records;
    const load = task.load.value(nowMs);
    if (load > 0) task.idleSaidMs = null;
    else if (task.idleSaidMs !== null && nowMs - task.idleSaidMs < IDLE_REPEAT_MS) return undefined;
    else task.idleSaidMs = nowMs;
    const topics = this.#topicsOf.get(pipeline) ?? [];
    return { stage: pipeline, source: String(partition), topics, load, atMs: this.#clock.epochMs() };
  }
}

const newLoad = (records: number, nowMs: number): TaskLoad => ({
  load: new LoadFactor({ targetMs: LATENCY_TARGET_MS, paceMs: PACE_MS }, nowMs),
  records,
  idleSaidMs: null,
});
