/**
 * Load signals: what every stage says about itself in the signals table, every few seconds, and what the door makes of
 * it. A load factor is the work that waits, in seconds at the pace at which it is being cleared, by the seconds that
 * it may wait: 0 is idle, 1 is as late as it may be, and it has no upper end.
 */
import type { Priority } from "./topics.ts";

/** One task's, one function's; an item of the signals table, whose key is (`stage`, `source`). */
export interface LoadSignal {
  /** Who: a pipeline's name, `sink`, `forward`. */
  readonly stage: string;
  /** Which of them: a task's number, a topic. */
  readonly source: string;
  /** The topics whose events it works on: whoever sends to them is told. */
  readonly topics: readonly string[];
  readonly load: number;
  /** When it was measured: milliseconds since the epoch. */
  readonly atMs: number;
  /** Of a stage that drains a stream: when the oldest of what it has not passed on arrived, at the earliest. */
  readonly waitingSinceMs?: number;
}

/** Names of the table's attributes. */
export const signalsTable = { partitionKey: "stage", sortKey: "source", timeToLive: "expiresAt" } as const;

/** The sink's stage, which stores the results of every pipeline. */
export const SINK_STAGE = "sink";

/** The signal by which one execution environment tells the others that Kafka is away; it says nothing about topics. */
export const kafkaAwaySignal = { stage: "ingest", source: "kafka" } as const;

/** The signal by which a new execution environment tells others that start with it that they are several. */
export const startingSignal = { stage: "ingest", source: "starting" } as const;

/** How long an event may wait for a stage before its load factor is 1. */
export const LATENCY_TARGET_MS = 10_000;

/** How often a stage speaks. */
export const SIGNAL_INTERVAL_MS = 5_000;
/** What is older says nothing: whoever spoke is gone, and its successor will speak under its name. */
export const SIGNAL_MAX_AGE_MS = 30_000;

/** The response header that tells a producer the load of what it sent to, as decimal text with two digits. */
export const BACKPRESSURE_HEADER = "backpressure";

/** What the door does with an accepted event. */
export type Route = "kafka" | "spillway" | "refuse";

/** Load factors above which a priority's events are shed; see {@link routeOf}. Each is above 0 and no less than the one before. */
export interface SheddingThresholds {
  /** Low goes to the spillway from here, and what lies in a stream waits there. */
  readonly spillLow: number;
  /** Low is refused from here, and normal goes to the spillway. */
  readonly refuseLow: number;
  readonly refuseNormal: number;
}

export const defaultShedding: SheddingThresholds = { spillLow: 0.9, refuseLow: 1, refuseNormal: 1.5 };

/** Low before normal; high is never shed: its topics have services of their own. */
export function routeOf(priority: Priority, load: number, shedding: SheddingThresholds): Route {
  const { spillLow, refuseLow, refuseNormal } = shedding;
  switch (priority) {
    case "high":
      return "kafka";
    case "normal":
      if (load > refuseNormal) return "refuse";
      return load > refuseLow ? "spillway" : "kafka";
    case "low":
      if (load > refuseLow) return "refuse";
      return load > spillLow ? "spillway" : "kafka";
  }
}

/** What no stage has spoken about is taken for idle: fail-safe means to accept, since the spillway is behind it. */
export const IDLE = 0;

/** The load of each topic: the highest that any stage on its way has said of late. */
export function loadOfTopics(signals: readonly LoadSignal[], nowMs: number): ReadonlyMap<string, number> {
  const loads = new Map<string, number>();
  for (const { topics, load, atMs } of signals) {
    // A clock that is ahead must not make a signal last for ever.
    if (Math.abs(nowMs - atMs) > SIGNAL_MAX_AGE_MS) continue;
    for (const topic of topics) loads.set(topic, Math.max(load, loads.get(topic) ?? 0));
  }
  return loads;
}
