/** `process`: user code with state and event-time timers for each key, the most general step. */
import type { OperatorDefinition, OperatorSchema, OperatorState } from "../operator.ts";
import { type KeyedState, noState } from "./keyed-state.ts";
import type { ProcessFunctions } from "./process-functions.ts";
import { ProcessState } from "./process-state.ts";

export class ProcessDefinition implements OperatorDefinition {
  readonly series: string;
  readonly functions: ProcessFunctions<unknown, unknown>;
  readonly state: KeyedState<unknown>;
  readonly schema: OperatorSchema;
  readonly horizonMs: number;
  readonly latenessMs = Number.POSITIVE_INFINITY;

  constructor(series: string, functions: ProcessFunctions<unknown, unknown>) {
    this.series = series;
    this.functions = functions;
    this.state = functions.state ?? noState;
    const { ttlMs, form } = this.state;
    this.horizonMs = ttlMs ?? Number.POSITIVE_INFINITY;
    this.schema = { kind: "process", settings: { ttlMs, state: form.kind }, aggregates: [] };
  }

  newState(): OperatorState {
    return new ProcessState(this);
  }
}
