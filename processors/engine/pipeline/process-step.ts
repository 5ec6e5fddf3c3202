/** The step `process`. */
import type { ResultOf, ResultSchema } from "../../../contracts/result-schema.ts";
import type { DeepReadonly } from "../operators/frozen-json.ts";
import type { OperatorDefinition } from "../operators/operator.ts";
import { ProcessDefinition } from "../operators/process/process-definition.ts";
import type { ProcessFunctions } from "../operators/process/process-functions.ts";
import { requireDuration, requireFunction, requireOptionalFunction } from "./checks.ts";

export interface ProcessOptions<Event, View, Schema extends ResultSchema>
  extends ProcessFunctions<Event, View, EmittedOf<Schema>> {
  /**
   * The schema of what it emits: to the compiler `emit` takes nothing else. Nothing is validated while it runs: that
   * would cost each result. Default: any object of plain JSON.
   */
  readonly results?: Schema & Known<Schema>;
}

/** A schema of whatever fields would let anything be emitted, as `process<View>(…)` would: its type must be known. */
type Known<Schema extends ResultSchema> = ResultSchema extends Schema
  ? { readonly "leave out the type arguments of process: they hide the schema's": never }
  : unknown;

/** What may be emitted; without a schema, any object. */
export type EmittedOf<Schema extends ResultSchema> = ResultSchema extends Schema
  ? object
  : DeepReadonly<ResultOf<Schema>>;

/** @throws PipelineError where the time to live is no duration, or a function none */
export function processOperator<Event, View, Result extends object>(
  series: string,
  functions: ProcessFunctions<Event, View, Result>,
): OperatorDefinition {
  const ttlMs = functions.state?.ttlMs ?? null;
  if (ttlMs !== null) requireDuration(series, "state.ttlMs", ttlMs, 1);
  requireFunction(series, "onEvent", functions.onEvent);
  requireOptionalFunction(series, "onTimer", functions.onTimer);
  // The types have done their work: the engine hands to these functions what they were written for.
  return new ProcessDefinition(series, functions as unknown as ProcessFunctions<unknown, unknown>);
}
