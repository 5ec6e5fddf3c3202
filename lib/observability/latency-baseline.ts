/** How long each stage takes in health, as it was measured: alarms tell where it takes twice as long. */
import { LATENCY_TARGET_MS } from "../../contracts/signals.ts";

interface Baseline {
  readonly p95Ms: number;
  /** What was run, and where the figure is from. */
  readonly source: string;
}

/** By the name of a pipeline's stage, or of a function. To record one anew, see docs/operations.md. */
export const latencyBaselines: Readonly<Record<string, Baseline>> = {};

/** From twice of which on it is no noise any more. */
export const LATENCY_FACTOR = 2;

/** Of what was never measured: half of the time after which its load is 1, so that the alarm comes with that load. */
export const DEFAULT_BASELINE_MS = LATENCY_TARGET_MS / LATENCY_FACTOR;

export const baselineMs = (stage: string): number => latencyBaselines[stage]?.p95Ms ?? DEFAULT_BASELINE_MS;
