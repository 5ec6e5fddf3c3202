/** How long each stage takes in health, as it was measured: alarms tell where it takes twice as long. */
import { LATENCY_TARGET_MS } from "../../contracts/signals.ts";

interface Baseline {
  readonly p95Ms: number;
  /** What was run, and where the figure is from. */
  readonly source: string;
}

const LOCAL_RUN = "docs/operations.md, section Latency baselines, the local run of 28 November 2026";

/**
 * By the name of a pipeline's stage, or of a function. The door is not among them: what it takes to store in a broker on
 * the same machine says nothing of three zones.
 */
export const latencyBaselines: Readonly<Record<string, Baseline>> = {
  "airport-delays": { p95Ms: 1_184, source: LOCAL_RUN },
  sink: { p95Ms: 3_023, source: LOCAL_RUN },
};

/** From twice of which on it is no noise any more. */
export const LATENCY_FACTOR = 2;

/** Of what was never measured: half of the time after which its load is 1, so that the alarm comes with that load. */
export const DEFAULT_BASELINE_MS = LATENCY_TARGET_MS / LATENCY_FACTOR;

export const baselineMs = (stage: string): number => latencyBaselines[stage]?.p95Ms ?? DEFAULT_BASELINE_MS;
