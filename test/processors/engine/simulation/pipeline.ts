/**
 * The pipelines that runs are of: windows with lateness, sessions, and user code with state and timers; dedupe, ticks,
 * and a service that is asked.
 */

import type { PipelineDefinition } from "../../../../processors/engine/pipeline/definition.ts";
import {
  everyEventTimeMs,
  hopping,
  keyedState,
  type ProcessFunctions,
  pipeline,
  session,
  tumbling,
} from "../../../../processors/engine/pipeline/dsl.ts";
import type { Enrichment } from "../../../../processors/engine/pipeline/enrichment.ts";
import { type Reading, reading, readings } from "../task-fixture.ts";

export const IDLE_TIMEOUT_MS = 250;
const OUT_OF_ORDER_MS = 500;

export interface Kind {
  readonly step: "tumbling" | "hopping" | "session" | "process";
  /** Whether an event becomes two elements. */
  readonly twice: boolean;
  /** Whether a service is asked about events. */
  readonly enriched: boolean;
  /** Whether it may be skipped; only where it is asked. */
  readonly optional: boolean;
}

export const kindOf = (seed: number): Kind => ({
  step: stepOf(seed),
  twice: seed % 2 === 1,
  enriched: seed % 5 === 0,
  optional: seed % 15 === 0,
});

function stepOf(seed: number): Kind["step"] {
  if (seed % 7 === 4) return "session";
  if (seed % 7 === 1) return "process";
  return seed % 2 === 0 ? "tumbling" : "hopping";
}

/** The pipeline of a run. */
export function definitionOf(kind: Kind): PipelineDefinition {
  const definition = stepped(kind);
  const transform = kind.twice ? twice : null;
  const enrich = kind.enriched ? enrichment(kind) : null;
  const inputs = definition.inputs.map((input) => ({
    ...input,
    idleTimeoutMs: IDLE_TIMEOUT_MS,
    transform,
    enrich,
  }));
  return { ...definition, inputs };
}

function stepped({ step, twice: early }: Kind): PipelineDefinition {
  const bounds = { outOfOrderMs: OUT_OF_ORDER_MS, allowedLatenessMs: 400 };
  switch (step) {
    case "tumbling":
      // A horizon that is shorter than lateness allows wins over it.
      return readings({ ...bounds, window: tumbling({ sizeMs: 900 }), dedupe: { horizonMs: 700 } });
    case "hopping":
      return readings({ ...bounds, window: hopping({ sizeMs: 1_800, advanceMs: 900 }) });
    case "session":
      // Short enough that a key's sessions end, long enough that late events join them.
      return readings({
        ...bounds,
        window: session({ gapMs: 120 }),
        ...(early ? { emit: everyEventTimeMs(200) } : {}),
      });
    case "process":
      return pipeline("readings")
        .from<Reading>(reading, { outOfOrderMs: OUT_OF_ORDER_MS, dedupe: { horizonMs: 2_000 } })
        .keyBy(({ key }) => key)
        .process(tallying)
        .toResults();
  }
}

interface Tally {
  readonly n: number;
  readonly total: number;
  readonly lastMs: number;
  /** The last readings and their times: enough for a state that is not written whole at each checkpoint. */
  readonly recent: readonly (readonly [timeMs: number, v: number])[];
}

const MAX_RECENT = 32;
const TTL_MS = 450;
const REMINDER_MS = 180;

/**
 * Tallies readings until none came for a while. Some clear the tally, some move its timer, some throw after they have
 * changed it; a timer may find nothing, set itself again, or throw.
 */
const tallying: ProcessFunctions<Reading, Tally> = {
  state: keyedState<Tally>({ ttlMs: TTL_MS }),
  onEvent: ({ v }, { timeMs, watermarkMs, state, timers, emit }) => {
    const before = state.get();
    const { n, total, recent } = before ?? NOTHING;
    const kept = [...recent, [timeMs, v] as const].slice(-MAX_RECENT);
    state.set({ n: n + 1, total: total + v, lastMs: timeMs, recent: kept });
    if (before !== undefined && v % 3 === 0) timers.delete(before.lastMs + REMINDER_MS);
    timers.set(timeMs + REMINDER_MS);
    if (v === null) throw new Error("nothing was read");
    if (v % 11 === 0) emit({ n, total, behindMs: watermarkMs - timeMs });
    if (v % 33 === 0) state.clear();
  },
  onTimer: (timeMs, { key, state, timers, emit }) => {
    const tally = state.get() ?? NOTHING;
    if (tally.total % 13 === 5) throw new Error(`${key} has an unlucky total`);
    if (tally.n === 1) timers.set(timeMs + TTL_MS / 2);
    const { n, total, lastMs } = tally;
    const startMs = Math.floor(timeMs / 300) * 300;
    emit({ timeMs, n, total, lastMs }, timeMs % 2 === 0 ? { start: startMs, end: startMs + 300 } : undefined);
  },
};

const NOTHING: Tally = { n: 0, total: 0, lastMs: 0, recent: [] };

/** Some events make a second element that cannot be counted, when the first is staged already. */
function twice(event: unknown): readonly unknown[] {
  const read = event as Reading;
  return [read, { ...read, v: read.v === UNLUCKY ? null : read.v + 1 }];
}

const UNLUCKY = 13;

/** Asked about most events; different events ask the same. Its answer is part of what is counted. */
const enrichment = ({ twice, optional }: Kind): Enrichment => ({
  service: "oracle",
  question: (read) => questionAbout(read as Reading),
  ask: () => Promise.reject(new Error("the simulation has a service of its own")),
  combine: (read, answer, degraded) => combine(read as Reading, answer as number | undefined, degraded),
  onFailure: twice || optional ? "skip" : "dead-letter",
  timeoutMs: 400,
  maxAttempts: 2,
  maxInFlight: 3,
  maxQuestionsPerCall: 2,
  maxRequestsPerSecond: 200,
  cache: { ttlMs: 300, maxEntries: 3 },
  skipAboveWaitingRecords: optional ? 8 : null,
  after: null,
});

const questionAbout = ({ v }: Reading): string | null => (v === null || v % 5 === 0 ? null : String(v % 7));

/** Whoever is not asked leaves a mark too. */
const DEGRADED = 1_000_000;

const combine = (read: Reading, answer: number | undefined, degraded: boolean): Reading =>
  read.v === null ? read : { ...read, v: read.v + (answer ?? 0) + (degraded ? DEGRADED : 0) };
