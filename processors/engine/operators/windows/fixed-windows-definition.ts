/** Windows of fixed size, tumbling or hopping, as an operator. */
import type { NamedAggregate } from "../../aggregates/row-layout.ts";
import { RowLayout } from "../../aggregates/row-layout.ts";
import type { SectionSchema } from "../../state/section.ts";
import type { Emission } from "../../windows/emission.ts";
import type { HoppingWindow, TumblingWindow } from "../../windows/window.ts";
import type { OperatorDefinition, OperatorState } from "../operator.ts";
import { FixedWindowsState } from "./fixed-windows-state.ts";

export interface WindowSettings<Window> {
  readonly series: string;
  readonly window: Window;
  /** A closed window still takes events (and is emitted again) for this long, by event time. */
  readonly allowedLatenessMs: number;
  readonly emission: Emission;
  /** In the order in which they were written. */
  readonly aggregates: readonly NamedAggregate[];
}

export class FixedWindowsDefinition implements OperatorDefinition {
  readonly series: string;
  readonly window: TumblingWindow | HoppingWindow;
  readonly allowedLatenessMs: number;
  readonly emission: Emission;
  readonly rows: RowLayout;
  readonly schema: SectionSchema;
  readonly horizonMs: number;

  constructor({
    series,
    window,
    allowedLatenessMs,
    emission,
    aggregates,
  }: WindowSettings<TumblingWindow | HoppingWindow>) {
    this.series = series;
    this.window = window;
    this.allowedLatenessMs = allowedLatenessMs;
    this.emission = emission;
    this.rows = new RowLayout(aggregates);
    this.horizonMs = window.sizeMs + allowedLatenessMs;
    this.schema = {
      name: series,
      kind: "fixed-windows",
      settings: { window, allowedLatenessMs, emission },
      aggregates: this.rows.schema,
    };
  }

  newState(): OperatorState {
    return new FixedWindowsState(this);
  }
}
