/** The steps `window` and `aggregate`: their options, checked. */
import type { Aggregate } from "../aggregates/aggregate.ts";
import type { NamedAggregate } from "../aggregates/row-layout.ts";
import {
  type Emission,
  type EmitOnClose,
  type EmitPolicy,
  onClose,
  type Panes,
} from "../windows/emission.ts";
import type { GlobalWindow, SlidingWindow, WindowDefinition } from "../windows/window.ts";
import {
  requireEmission,
  requireFieldNames,
  requireFunction,
  requireLateness,
  requireWindow,
} from "./checks.ts";

export interface WindowOptions {
  /** How long a closed window still takes events, by event time, in milliseconds. Default 0. */
  readonly allowedLatenessMs?: number;
  /** When results are emitted. Default {@link onClose}. */
  readonly emit?: EmitPolicy;
  /** Default `accumulating`. */
  readonly panes?: Panes;
}

/** The options that a kind of window has: a global one is emitted by its trigger, and a sliding one on close. */
export type OptionsOf<Window extends WindowDefinition> = Window extends GlobalWindow
  ? Pick<WindowOptions, "panes"> & ClosesOnly
  : Window extends SlidingWindow
    ? Pick<WindowOptions, "allowedLatenessMs"> & ClosesOnly
    : WindowOptions;

interface ClosesOnly {
  readonly emit?: EmitOnClose;
}

export interface WindowChoice<Window extends WindowDefinition> {
  readonly window: Window;
  readonly allowedLatenessMs: number;
  readonly emission: Emission;
}

/** @throws PipelineError where the window cannot be, or not be emitted like that */
export function windowChoice<Window extends WindowDefinition>(
  pipeline: string,
  window: Window,
  { allowedLatenessMs = 0, emit = onClose(), panes = "accumulating" }: WindowOptions,
): WindowChoice<Window> {
  requireWindow(pipeline, window);
  requireLateness(pipeline, window, allowedLatenessMs);
  requireEmission(pipeline, window, { emit, panes });
  return { window, allowedLatenessMs, emission: { emit, panes } };
}

/** The aggregates of a step by the names of the result's fields. */
export type AggregateFields<Event> = Readonly<Record<string, Aggregate<Event>>>;

/** The result that they make together. */
export type ResultOfFields<Fields extends AggregateFields<never>> = {
  readonly [Name in keyof Fields]: ReturnType<Fields[Name]["result"]>;
};

/** @throws PipelineError where there is no field, or one cannot be called so */
export function namedAggregates<Event>(pipeline: string, fields: AggregateFields<Event>): NamedAggregate[] {
  requireFieldNames(pipeline, Object.keys(fields));
  for (const [name, aggregate] of Object.entries(fields)) {
    requireFunction(pipeline, `aggregate ${name}: select`, aggregate?.select);
  }
  return Object.entries(fields).map(([name, aggregate]) => ({
    name,
    // The event's type has done its work: the engine hands to these functions only what the steps before yield.
    aggregate: aggregate as Aggregate<unknown>,
  }));
}
