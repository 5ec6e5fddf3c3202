/** The pipelines that runs are of: windows with lateness, dedupe, and ticks; and a service that is asked. */
import type { PipelineDefinition } from "../../../../processors/engine/pipeline/definition.ts";
import { hopping, tumbling } from "../../../../processors/engine/pipeline/dsl.ts";
import type { Enrichment } from "../../../../processors/engine/pipeline/enrichment.ts";
import { type Reading, readings } from "../task-fixture.ts";

export const IDLE_TIMEOUT_MS = 250;

export interface Kind {
  readonly window: "tumbling" | "hopping";
  /** Whether a service is asked about events. */
  readonly enriched: boolean;
}

export const kindOf = (seed: number): Kind => ({
  window: seed % 2 === 0 ? "tumbling" : "hopping",
  enriched: seed % 5 === 0,
});

/** The pipeline of a run. */
export function definitionOf({ window: kind, enriched }: Kind): PipelineDefinition {
  const window = kind === "tumbling" ? tumbling({ sizeMs: 900 }) : hopping({ sizeMs: 1_800, advanceMs: 900 });
  // A horizon that is shorter than lateness allows wins over it.
  const dedupe = kind === "tumbling" ? { dedupe: { horizonMs: 700 } } : {};
  const definition = readings({ outOfOrderMs: 500, allowedLatenessMs: 400, window, ...dedupe });
  const transform = kind === "tumbling" ? null : twice;
  const enrich = enriched ? enrichment(kind === "tumbling" ? "dead-letter" : "skip") : null;
  const inputs = definition.inputs.map((input) => ({
    ...input,
    idleTimeoutMs: IDLE_TIMEOUT_MS,
    transform,
    enrich,
  }));
  return { ...definition, inputs };
}

/** Some events make a second element that cannot be counted, when the first is staged already. */
function twice(event: unknown): readonly unknown[] {
  const reading = event as Reading;
  return [reading, { ...reading, v: reading.v === UNLUCKY ? null : reading.v + 1 }];
}

const UNLUCKY = 13;

/** Asked about most events; different events ask the same. Its answer is part of what is counted. */
const enrichment = (onFailure: Enrichment["onFailure"]): Enrichment => ({
  service: "oracle",
  question: (reading) => questionAbout(reading as Reading),
  ask: () => Promise.reject(new Error("the simulation has a service of its own")),
  combine: (reading, answer) => combine(reading as Reading, answer as number | undefined),
  onFailure,
  timeoutMs: 400,
  maxAttempts: 2,
  maxInFlight: 3,
  after: null,
});

const questionAbout = ({ v }: Reading): string | null => (v === null || v % 5 === 0 ? null : String(v % 7));

const combine = (reading: Reading, answer: number | undefined): Reading =>
  answer === undefined || reading.v === null ? reading : { ...reading, v: reading.v + answer };
