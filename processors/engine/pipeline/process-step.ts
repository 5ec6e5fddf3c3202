/** The step `process`. */
import type { OperatorDefinition } from "../operators/operator.ts";
import { ProcessDefinition } from "../operators/process/process-definition.ts";
import type { ProcessFunctions } from "../operators/process/process-functions.ts";
import { requireDuration, requireFunction, requireOptionalFunction } from "./checks.ts";

/** @throws PipelineError where the time to live is no duration, or a function none */
export function processOperator<Event, View>(
  series: string,
  functions: ProcessFunctions<Event, View>,
): OperatorDefinition {
  const ttlMs = functions.state?.ttlMs ?? null;
  if (ttlMs !== null) requireDuration(series, "state.ttlMs", ttlMs, 1);
  requireFunction(series, "onEvent", functions.onEvent);
  requireOptionalFunction(series, "onTimer", functions.onTimer);
  // The types have done their work: the engine hands to these functions what they were written for.
  return new ProcessDefinition(series, functions as unknown as ProcessFunctions<unknown, unknown>);
}
