/** How long each stage takes in health, as it was measured: alarms tell where it takes twice as long. */
import { LATENCY_TARGET_MS } from "../../contracts/signals.ts";

interface Baseline {
  readonly p95Ms: number;
  /** Of a stage: what its tasks' checkpoint interval was, which is the most of its latency. */
  readonly checkpointIntervalMs?: number;
  /** What was run, and where the figure is from. */
  readonly source: string;
}

const LOCAL_RUN = "docs/operations.md, section Latency baselines, the local run of 28 November 2026";

/**
 * By the name of a pipeline's stage, or of a function. The door is not among them: what it takes to store in a broker on
 * the same machine says nothing of three zones.
 */
export const latencyBaselines: Readonly<Record<string, Baseline>> = {
  "airport-delays": { p95Ms: 1_184, checkpointIntervalMs: 1_000, source: LOCAL_RUN },
  sink: { p95Ms: 3_023, source: LOCAL_RUN },
};

/** From twice of which on it is no noise any more. */
export const LATENCY_FACTOR = 2;

/** Of what was never measured: half of the time after which its load is 1, so that the alarm comes with that load. */
const DEFAULT_BASELINE: Baseline = {
  p95Ms: LATENCY_TARGET_MS / LATENCY_FACTOR,
  checkpointIntervalMs: 1_000,
  source: "LATENCY_TARGET_MS of contracts/signals.ts",
};

/** Of a function. */
export const baselineMs = (name: string): number => (latencyBaselines[name] ?? DEFAULT_BASELINE).p95Ms;

/** Of a pipeline's stage, whose events wait for a checkpoint: as recorded, with this interval in the place of that one. */
export function stageBaselineMs(stage: string, checkpointIntervalMs: number): number {
  const { p95Ms, checkpointIntervalMs: recordedIntervalMs = 0 } = latencyBaselines[stage] ?? DEFAULT_BASELINE;
  return p95Ms - recordedIntervalMs + checkpointIntervalMs;
}
