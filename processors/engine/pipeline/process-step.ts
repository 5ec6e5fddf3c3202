/** The step `process`. */
import type { OperatorDefinition } from "../operators/operator.ts";
import { ProcessDefinition } from "../operators/process/process-definition.ts";
import type { ProcessFunctions } from "../operators/process/process-functions.ts";
import { requireDuration } from "./checks.ts";

/** @throws PipelineError where the time to live is no duration */
export function processOperator<Event, View>(
  series: string,
  functions: ProcessFunctions<Event, View>,
): OperatorDefinition {
  const ttlMs = functions.state?.ttlMs ?? null;
  if (ttlMs !== null) requireDuration(series, "state.ttlMs", ttlMs, 1);
  // The types have done their work: the engine hands to these functions what they were written for.
  return new ProcessDefinition(series, functions as unknown as ProcessFunctions<unknown, unknown>);
}
