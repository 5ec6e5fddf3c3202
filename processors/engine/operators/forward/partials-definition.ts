/**
 * Aggregates what is in the task's partition, whatever its keys, and sends the rows on, so that the task of a hot key
 * merges a row a second and partition instead of adding every event.
 */
import { type NamedAggregate, RowLayout } from "../../aggregates/row-layout.ts";
import { advanceOf, type FixedWindow, type TumblingWindow } from "../../windows/window.ts";
import type { OperatorDefinition, OperatorSchema, OperatorState } from "../operator.ts";
import type { ForwardingStage } from "./forward-definition.ts";
import { PartialsState } from "./partials-state.ts";

export interface PartialsSettings extends ForwardingStage {
  readonly window: FixedWindow;
  readonly allowedLatenessMs: number;
  readonly aggregates: readonly NamedAggregate[];
}

export class PartialsDefinition implements OperatorDefinition {
  readonly series: string;
  readonly stage: ForwardingStage;
  readonly window: FixedWindow;
  readonly allowedLatenessMs: number;
  /** The parts of which every window is made up: no window begins or ends inside one. */
  readonly parts: TumblingWindow;
  readonly rows: RowLayout;
  readonly schema: OperatorSchema;
  readonly horizonMs: number;

  constructor({ window, allowedLatenessMs, aggregates, stage, topic, partitions }: PartialsSettings) {
    this.series = stage;
    this.stage = { stage, topic, partitions };
    this.window = window;
    this.allowedLatenessMs = allowedLatenessMs;
    const sizeMs = greatestCommonDivisor(window.sizeMs, advanceOf(window));
    this.parts = { kind: "tumbling", sizeMs, offsetMs: window.offsetMs };
    this.rows = new RowLayout(aggregates);
    this.horizonMs = window.sizeMs + allowedLatenessMs;
    this.schema = {
      kind: "partials",
      settings: { window, allowedLatenessMs },
      aggregates: this.rows.schema,
    };
  }

  get latenessMs(): number {
    return this.allowedLatenessMs;
  }

  newState(): OperatorState {
    return new PartialsState(this);
  }
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
