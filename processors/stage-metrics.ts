/**
 * The metrics of one stage of a pipeline in this process: gathered from checkpoints and, every interval, from its tasks;
 * published as one line an interval, whose dimensions are environment, pipeline and stage. A list has a value for each
 * task, so that CloudWatch's maximum is that of the worst task, and maximum by average says how uneven they are.
 */
import { type Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import { metrics } from "../contracts/metrics.ts";
import { LATENCY_TARGET_MS } from "../contracts/signals.ts";
import { LoadFactor } from "../flow/load-factor.ts";
import { Distribution } from "./distribution.ts";
import type { Checkpointed, Clock, TaskVitals } from "./engine/worker/ports.ts";
import { PACE_MS } from "./load-signals.ts";

const names = metrics.processor;
type Name = (typeof names)[keyof typeof names];

/** Half of what a line may list, so that Powertools never cuts it in two. */
const MAX_VALUES = 50;

export type TaskStates = Readonly<Record<"running" | "parked", number>>;

/** What is remembered of a task from one interval to the next. */
interface Pace {
  readonly load: LoadFactor;
  records: number;
  busyMs: number;
  atMs: number;
}

export class StageMetrics {
  readonly #metrics: Metrics;
  readonly #clock: Pick<Clock, "nowMs" | "epochMs">;
  readonly #counts = new Map<Name, number>();
  readonly #checkpointMs = new Distribution();
  readonly #checkpointBytes = new Distribution();
  readonly #stateEntries = new Distribution();
  readonly #stateLimitPercent = new Distribution();
  readonly #recoveryMs = new Distribution();
  readonly #latencyMs = new Distribution();
  #paces = new Map<object, Pace>();

  /** `metrics` must have the stage's dimensions as its default ones, and belong to this stage alone. */
  constructor(metrics: Metrics, clock: Pick<Clock, "nowMs" | "epochMs">) {
    this.#metrics = metrics;
    this.#clock = clock;
  }

  checkpointed(checkpointed: Checkpointed): void {
    const { counted, late, duplicate, dead, ignored, results } = checkpointed.counters;
    this.#count(names.recordsProcessed, counted + late + duplicate + dead + ignored);
    this.#count(names.eventsLate, late);
    this.#count(names.eventsDuplicate, duplicate);
    this.#count(names.eventsDead, dead);
    this.#count(names.resultsWritten, results);
    this.#checkpointMs.add(checkpointed.checkpointMs);
    this.#checkpointBytes.add(checkpointed.snapshotBytes);
    this.#stateEntries.add(checkpointed.stateEntries);
    this.#stateLimitPercent.add(100 * checkpointed.stateLimitShare);
    const nowMs = this.#clock.epochMs();
    for (const { records, arrivalMs } of checkpointed.applied) {
      // The broker's clock may be ahead of ours.
      this.#latencyMs.add(Math.max(0, nowMs - arrivalMs), records);
    }
  }

  recovered(recoveryMs: number): void {
    this.#recoveryMs.add(recoveryMs);
  }

  checkpointFailed(): void {
    this.#count(names.checkpointFailures, 1);
  }

  crashed(): void {
    this.#count(names.crashes, 1);
  }

  /** Every interval says how many tasks run and how many are parked, so that silence is itself a signal. */
  publish(states: TaskStates, vitals: readonly TaskVitals[]): void {
    this.#add(names.tasksRunning, MetricUnit.Count, states.running);
    this.#add(names.tasksParked, MetricUnit.Count, states.parked);
    for (const [name, count] of this.#counts) this.#add(name, MetricUnit.Count, count);
    this.#counts.clear();
    this.#addAll(names.checkpointMs, MetricUnit.Milliseconds, this.#checkpointMs);
    this.#addAll(names.checkpointBytes, MetricUnit.Bytes, this.#checkpointBytes);
    this.#addAll(names.stateEntries, MetricUnit.Count, this.#stateEntries);
    this.#addAll(names.stateLimitPercent, MetricUnit.Percent, this.#stateLimitPercent);
    this.#addAll(names.recoveryMs, MetricUnit.Milliseconds, this.#recoveryMs);
    this.#addAll(names.latencyMs, MetricUnit.Milliseconds, this.#latencyMs);
    this.#addVitals(vitals);
    this.#metrics.publishStoredMetrics();
  }

  #addVitals(vitals: readonly TaskVitals[]): void {
    const [nowMs, epochMs] = [this.#clock.nowMs(), this.#clock.epochMs()];
    const before = this.#paces;
    this.#paces = new Map();
    let slowest = { partition: -1, seconds: 0 };
    for (const task of vitals) {
      const pace = before.get(task.run);
      this.#paces.set(task.run, pace ?? newPace(task, nowMs));
      // A pace is of two looks at it.
      const seconds = pace === undefined ? 0 : this.#addPace(task, pace, nowMs);
      if (seconds > slowest.seconds) slowest = { partition: task.partition, seconds };
      this.#add(names.backlogRecords, MetricUnit.Count, task.backlogRecords);
      this.#add(names.checkpointAgeMs, MetricUnit.Milliseconds, task.uncommittedMs);
      if (task.lastArrivalMs !== null) {
        const lagMs = task.backlogRecords === 0 ? 0 : Math.max(0, epochMs - task.lastArrivalMs);
        this.#add(names.lagMs, MetricUnit.Milliseconds, lagMs);
      }
      if (Number.isFinite(task.watermarkMs)) {
        this.#add(names.watermarkDelayMs, MetricUnit.Milliseconds, epochMs - task.watermarkMs);
      }
    }
    // A property of the line, for a person who reads it, and no dimension to pay for.
    if (slowest.partition >= 0) this.#metrics.addMetadata("slowestPartition", String(slowest.partition));
  }

  /** Adds what is measured between two intervals; returns the task's backlog in seconds. */
  #addPace(task: TaskVitals, pace: Pace, nowMs: number): number {
    // At least 1: two looks within a millisecond, as at an exit, are no division by zero.
    const elapsedMs = Math.max(1, nowMs - pace.atMs);
    pace.load.observe(task.records - pace.records, task.backlogRecords, nowMs);
    const seconds = (pace.load.value(nowMs) * LATENCY_TARGET_MS) / 1_000;
    this.#add(names.backlogSeconds, MetricUnit.Seconds, seconds);
    const busyPercent = Math.min(100, (100 * (task.busyMs - pace.busyMs)) / elapsedMs);
    this.#add(names.busyPercent, MetricUnit.Percent, busyPercent);
    Object.assign(pace, { records: task.records, busyMs: task.busyMs, atMs: nowMs });
    return seconds;
  }

  #count(name: Name, more: number): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + more);
  }

  #addAll(name: Name, unit: Unit, values: Distribution): void {
    for (const value of values.take(MAX_VALUES)) this.#add(name, unit, value);
  }

  #add(name: Name, unit: Unit, value: number): void {
    this.#metrics.addMetric(name, unit, value);
  }
}

type Unit = (typeof MetricUnit)[keyof typeof MetricUnit];

const newPace = ({ records, busyMs }: TaskVitals, nowMs: number): Pace => ({
  load: new LoadFactor({ targetMs: LATENCY_TARGET_MS, paceMs: PACE_MS }, nowMs),
  records,
  busyMs,
  atMs: nowMs,
});
