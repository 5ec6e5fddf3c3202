/** `correlate`: waits for all of several parts of one key that lie within a span of event time, in any order. */
import type { OperatorDefinition, OperatorSchema, OperatorState } from "../operator.ts";
import { CorrelateState } from "./correlate-state.ts";

/** Values of the parts by name; those that are missing are absent. */
export type PartValues = Readonly<Record<string, unknown>>;

/** What is known of a correlation when its last part came, or its time is over. */
export interface FoundParts {
  readonly complete: boolean;
  /** Names of the parts that did not come, in their order; empty where it is complete. */
  readonly missing: readonly string[];
  readonly parts: PartValues;
}

export interface CorrelateSettings {
  readonly series: string;
  /** The first and the last part are less than this far apart. */
  readonly withinMs: number;
  /** In the order in which they were written; an event is the first that it matches. */
  readonly parts: readonly { readonly name: string; matches(event: unknown): boolean }[];
  /** Whether these parts belong together; null: always. */
  readonly where: ((parts: PartValues) => boolean) | null;
  readonly onMissing: "output" | "drop";
  /** What a result says. */
  readonly combine: (found: FoundParts) => unknown;
}

export class CorrelateDefinition implements OperatorDefinition {
  readonly settings: CorrelateSettings;
  readonly series: string;
  readonly schema: OperatorSchema;
  readonly horizonMs: number;
  readonly latenessMs = null;

  constructor(settings: CorrelateSettings) {
    const { series, withinMs, parts } = settings;
    this.settings = settings;
    this.series = series;
    this.horizonMs = withinMs;
    this.schema = {
      kind: "correlate",
      settings: { withinMs, parts: parts.map(({ name }) => name) },
      aggregates: [],
    };
  }

  newState(): OperatorState {
    return new CorrelateState(this);
  }
}
