/** The step `correlate`: its parts, and what their types are. */
import {
  CorrelateDefinition,
  type CorrelateSettings,
  type PartValues,
} from "../operators/correlate/correlate-definition.ts";
import type { DeepReadonly } from "../operators/frozen-json.ts";
import type { OperatorDefinition } from "../operators/operator.ts";
import {
  PipelineError,
  requireDuration,
  requireFieldNames,
  requireFunction,
  requireOneOf,
  requireOptionalFunction,
} from "./checks.ts";

/** Each event that comes while others wait is tried with every combination of those. */
const MAX_PARTS = 5;

/** What an event must be to be a part: a type of the catalogue, or what a function says. */
export type PartMatcher<Event> = { readonly type: TypeOf<Event> } | ((event: Event) => boolean);

export type PartMatchers<Event> = Readonly<Record<string, PartMatcher<Event>>>;

type TypeOf<Event> = Event extends { readonly type: infer Type } ? Type : never;

type Guard<Event, Kept extends Event> = (event: Event) => event is Kept;

type PartOf<Event, Matcher> =
  Matcher extends Guard<Event, infer Kept>
    ? Kept
    : Matcher extends { readonly type: infer Type }
      ? Extract<Event, { readonly type: Type }>
      : Event;

export type PartsOf<Event, Matchers> = {
  readonly [Name in keyof Matchers]: DeepReadonly<PartOf<Event, Matchers[Name]>>;
};

/** All parts; or those that came, where some had not when the time of the first was over. */
export type Correlation<Parts> =
  | { readonly complete: true; readonly missing: readonly []; readonly parts: Parts }
  | { readonly complete: false; readonly missing: readonly (keyof Parts)[]; readonly parts: Partial<Parts> };

export interface CorrelateOptions<
  Event,
  Matchers extends PartMatchers<Event>,
  Result extends object = object,
> {
  /** The times of the first and the last part are less than this far apart, in milliseconds. */
  readonly withinMs: number;
  /** The parts, two to five of them. An event that fits several is the first of these; one that fits none is ignored. */
  readonly all: Matchers;
  /** Whether these belong together. Where not, each waits on for another. Default: they always do. */
  readonly where?: (parts: PartsOf<Event, Matchers>) => boolean;
  /** Whether what is incomplete when its time is over is an output too. Default `output`. */
  readonly onMissing?: "output" | "drop";
  /** What a result says, an object of plain JSON. Default: the correlation as it is, with the events whole. */
  readonly combine?: (correlation: Correlation<PartsOf<Event, Matchers>>) => Result;
}

/** @throws PipelineError where an option cannot be */
export function correlateOperator<Event, Matchers extends PartMatchers<Event>>(
  series: string,
  { withinMs, all, where, onMissing = "output", combine }: CorrelateOptions<Event, Matchers>,
): OperatorDefinition {
  requireDuration(series, "correlate.withinMs", withinMs, 1);
  requireOneOf(series, "correlate.onMissing", onMissing, ["output", "drop"]);
  requireOptionalFunction(series, "correlate.where", where);
  requireOptionalFunction(series, "correlate.combine", combine);
  const names = Object.keys(all);
  requireFieldNames(series, names);
  if (names.length < 2 || names.length > MAX_PARTS) {
    throw new PipelineError(
      `pipeline ${series}: correlate.all has ${names.length} parts; it must be 2 to ${MAX_PARTS}`,
    );
  }
  for (const name of names) requireMatcher(series, name, all[name]);
  return new CorrelateDefinition({
    series,
    withinMs,
    parts: names.map((name) => ({ name, matches: predicateOf(all[name]!) })),
    where: (where as ((parts: PartValues) => boolean) | undefined) ?? null,
    onMissing,
    combine: (combine as CorrelateSettings["combine"] | undefined) ?? ((found) => found),
  });
}

function requireMatcher(series: string, name: string, matcher: unknown): void {
  if (typeof (matcher as { readonly type?: unknown } | null | undefined)?.type === "string") return;
  requireFunction(series, `correlate.all.${name}, which is no type of the catalogue,`, matcher);
}

function predicateOf<Event>(matcher: PartMatcher<Event>): (event: unknown) => boolean {
  if (typeof matcher === "function") return matcher as (event: unknown) => boolean;
  return (event) => (event as { readonly type?: unknown }).type === matcher.type;
}
