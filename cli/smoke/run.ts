/** Runs the checks and says how each went. */
import type { Check, Surroundings } from "./checks.ts";

export interface Outcome {
  readonly name: string;
  readonly passed: boolean;
  readonly durationMs: number;
  /** What was seen, or what went wrong. */
  readonly detail: string;
}

/** Each after the other, also after one that failed: what else works is worth knowing. Rejects when it is stopped. */
export async function runChecks(
  checks: readonly Check[],
  surroundings: Surroundings,
  onOutcome: (outcome: Outcome) => void,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const check of checks) {
    const outcome = await runCheck(check, surroundings);
    surroundings.signal.throwIfAborted();
    onOutcome(outcome);
    outcomes.push(outcome);
  }
  return outcomes;
}

async function runCheck({ name, run }: Check, surroundings: Surroundings): Promise<Outcome> {
  const startMs = performance.now();
  const ended = (passed: boolean, detail: string): Outcome => ({
    name,
    passed,
    durationMs: Math.round(performance.now() - startMs),
    detail,
  });
  try {
    return ended(true, await run(surroundings));
  } catch (error) {
    return ended(false, error instanceof Error ? error.message : String(error));
  }
}
