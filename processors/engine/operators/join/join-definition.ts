/** `join`: pairs the events of two streams that have one key and times within bounds of each other. */
import type { OperatorDefinition, OperatorSchema, OperatorState } from "../operator.ts";
import { JoinState } from "./join-state.ts";

export interface JoinSettings {
  readonly series: string;
  /** `left`: a left event that no right one comes for is emitted alone. */
  readonly kind: "inner" | "left";
  /** A right event's time is from `beforeMs` before the left one's to `afterMs` after it, both inclusive. */
  readonly beforeMs: number;
  readonly afterMs: number;
  /** Index of the right stream's input; all others are the left stream's. */
  readonly rightInput: number;
  /** What a result says of a pair. */
  readonly combine: (left: unknown, right: unknown) => unknown;
}

export class JoinDefinition implements OperatorDefinition {
  readonly settings: JoinSettings;
  readonly series: string;
  readonly schema: OperatorSchema;
  readonly horizonMs: number;
  readonly latenessMs = null;

  constructor(settings: JoinSettings) {
    const { series, kind, beforeMs, afterMs } = settings;
    this.settings = settings;
    this.series = series;
    this.horizonMs = Math.max(beforeMs, afterMs) + 1;
    this.schema = { kind: "join", settings: { kind, beforeMs, afterMs }, aggregates: [] };
  }

  newState(): OperatorState {
    return new JoinState(this);
  }
}
