/** What all windows have in common as a definition: their settings, their rows and their schema. */
import type { NamedAggregate } from "../../aggregates/row-layout.ts";
import { RowLayout } from "../../aggregates/row-layout.ts";
import type { Emission } from "../../windows/emission.ts";
import type { WindowDefinition } from "../../windows/window.ts";
import type { OperatorDefinition, OperatorSchema, OperatorState } from "../operator.ts";

export interface WindowSettings<Window extends WindowDefinition> {
  readonly series: string;
  readonly window: Window;
  /** A closed window still takes events (and is emitted again) for this long, by event time. */
  readonly allowedLatenessMs: number;
  readonly emission: Emission;
  /** In the order in which they were written. */
  readonly aggregates: readonly NamedAggregate[];
}

/** In what the kinds of windows differ. */
export interface WindowKind<Window extends WindowDefinition> {
  /** What the state is called in its schema. */
  readonly kind: string;
  readonly horizonMs: number;
  newState(definition: WindowsDefinition<Window>): OperatorState;
}

export class WindowsDefinition<Window extends WindowDefinition> implements OperatorDefinition {
  readonly series: string;
  readonly window: Window;
  readonly allowedLatenessMs: number;
  readonly emission: Emission;
  readonly rows: RowLayout;
  readonly schema: OperatorSchema;
  readonly horizonMs: number;
  readonly #newState: WindowKind<Window>["newState"];

  constructor(
    { series, window, allowedLatenessMs, emission, aggregates }: WindowSettings<Window>,
    { kind, horizonMs, newState }: WindowKind<Window>,
  ) {
    this.series = series;
    this.window = window;
    this.allowedLatenessMs = allowedLatenessMs;
    this.emission = emission;
    this.rows = new RowLayout(aggregates);
    this.horizonMs = horizonMs;
    this.#newState = newState;
    this.schema = {
      kind,
      settings: { window, allowedLatenessMs, emission },
      aggregates: this.rows.schema,
    };
  }

  /** A global window never closes. */
  get latenessMs(): number {
    return this.window.kind === "global" ? Number.POSITIVE_INFINITY : this.allowedLatenessMs;
  }

  /**
   * A result of a window that ends later than another's end and lateness says that the watermark has passed both, and
   * comes after whatever was emitted of the other. Sessions have no largest size, so none of theirs says it.
   */
  get closedAfterMs(): number | undefined {
    const { window, emission } = this;
    const isFixed = window.kind === "tumbling" || window.kind === "hopping";
    if (!isFixed || emission.emit.kind !== "on-close") return undefined;
    return window.sizeMs + this.allowedLatenessMs + 1;
  }

  newState(): OperatorState {
    return this.#newState(this);
  }
}
