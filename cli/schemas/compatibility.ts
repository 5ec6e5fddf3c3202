/**
 * Whether a schema takes everything that a released one takes, so that what is in the topics stays readable with it and
 * producers that know the old one go on. It may say no where the answer is yes (another pattern that takes the same is
 * another pattern), never the other way round, with one exception, which is what makes schemas evolve at all:
 *
 * A released schema that is not closed takes fields that it does not name, of any value. A field that is added restricts
 * them. It is allowed where it is optional, since nobody was promised anything of a name that was not in the catalogue.
 * For the same reason a name never leaves again: taken out and added with another type, it would contradict old events.
 */
import {
  type ArrayShape,
  type Bound,
  type NumberShape,
  type ObjectShape,
  type PlainShape,
  type Shape,
  type StringShape,
  takesValue,
} from "./shape.ts";

/** What may not change, and what to do instead. */
export const waysOut = {
  "type-removed":
    "Keep the type in the catalogue while there are producers and events of it; afterwards delete its file in " +
    "contracts/events/released by hand.",
  "topic-changed": "Keep the topic: events that are there stay there, and their pipelines with them.",
  "partition-key-changed": "Keep the partition key: events of one key would lie in several partitions.",
  "future-bound-lowered": "Keep the bound, or raise it.",
  "required-field-added": "Make it Type.Optional, and let pipelines say what they take where it is absent.",
  "field-made-required": "Leave it Type.Optional, and let pipelines say what they take where it is absent.",
  "field-removed": "Keep it, as Type.Optional if producers are to leave it out.",
  "type-narrowed": "Keep what was taken, in a Type.Union with what is new if need be.",
  "value-removed": "Keep the value, and let pipelines drop what they do not want.",
  "pattern-changed": "Keep the pattern, or drop it.",
  "format-changed": "Keep the format, or drop it.",
  "limit-tightened": "Keep the limit, or loosen it.",
  "object-closed": "Let it take fields that it does not name, as it did.",
} as const satisfies Readonly<Record<string, string>>;

export type Rule = keyof typeof waysOut;

/** One thing that events valid so far would be refused for. */
export interface Break {
  readonly rule: Rule;
  /** JSON pointer (RFC 6901) into the file of the release, or to where it would be there. */
  readonly pointer: string;
  readonly detail: string;
}

/** Everything that `current` does not take and `released` did; empty where it is compatible. */
export function findBreaks(released: Shape, current: Shape): readonly Break[] {
  if (current.kind === "any") return [];
  if (released.kind === "union") return released.branches.flatMap((branch) => findBreaks(branch, current));
  if (released.kind === "values") {
    return released.values
      .filter((value) => !takesValue(current, value))
      .map((value) => broken("value-removed", released, `${JSON.stringify(value)} is no longer taken`));
  }
  if (current.kind === "union") return breaksWithin(released, current.branches);
  return breaksOfKind(released, current);
}

/** One branch must take all of it; that several do together is not looked for. */
function breaksWithin(released: PlainShape, branches: readonly PlainShape[]): readonly Break[] {
  const found = branches.map((branch) => findBreaks(released, branch));
  if (found.some((breaks) => breaks.length === 0)) return [];
  const ofItsKind = found.filter((_, index) => branches[index]!.kind === released.kind);
  return ofItsKind.length === 1
    ? ofItsKind[0]!
    : [broken("type-narrowed", released, `no alternative takes all that this ${released.kind} took`)];
}

function breaksOfKind(released: PlainShape, current: PlainShape): readonly Break[] {
  if (released.kind === "string" && current.kind === "string") return breaksOfString(released, current);
  if (released.kind === "number" && current.kind === "number") return breaksOfNumber(released, current);
  if (released.kind === "array" && current.kind === "array") return breaksOfArray(released, current);
  if (released.kind === "object" && current.kind === "object") return breaksOfObject(released, current);
  return [broken("type-narrowed", released, `it was ${nameOf(released)} and is ${nameOf(current)}`)];
}

function breaksOfString(released: StringShape, current: StringShape): readonly Break[] {
  return [
    ...lowerLimit(released, "minLength", released.minLength, current.minLength),
    ...upperLimit(released, "maxLength", released.maxLength, current.maxLength),
    ...replaced(released, "pattern", released.pattern, current.pattern),
    ...replaced(released, "format", released.format, current.format),
  ];
}

function breaksOfNumber(released: NumberShape, current: NumberShape): readonly Break[] {
  if (current.integer && !released.integer) {
    return [broken("type-narrowed", released, "it was number and is integer")];
  }
  const { lower, upper } = current;
  const below = released.lower.value < lower.value || leavesEdge(released.lower, lower);
  const above = released.upper.value > upper.value || leavesEdge(released.upper, upper);
  return [
    ...(below ? [tightened(released, "minimum", bound(released.lower), bound(lower))] : []),
    ...(above ? [tightened(released, "maximum", bound(released.upper), bound(upper))] : []),
  ];
}

function breaksOfArray(released: ArrayShape, current: ArrayShape): readonly Break[] {
  return [
    ...lowerLimit(released, "minItems", released.minItems, current.minItems),
    ...upperLimit(released, "maxItems", released.maxItems, current.maxItems),
    ...findBreaks(released.items, current.items),
  ];
}

function breaksOfObject(released: ObjectShape, current: ObjectShape): readonly Break[] {
  const found: Break[] = [];
  if (current.closed && !released.closed) {
    found.push(broken("object-closed", released, "fields that it does not name are no longer taken"));
  }
  for (const [name, shape] of released.properties) {
    const now = current.properties.get(name);
    if (now === undefined) found.push(broken("field-removed", shape, `${name} is gone`));
    else found.push(...findBreaks(shape, now));
  }
  for (const name of current.required) {
    if (released.required.has(name)) continue;
    const was = released.properties.get(name);
    found.push(
      was === undefined
        ? broken(
            "required-field-added",
            current.properties.get(name) ?? current,
            `${name} is new and required`,
          )
        : broken("field-made-required", was, `${name} was optional and is required`),
    );
  }
  return found;
}

/** A lower limit may not rise. */
const lowerLimit = (shape: Shape, name: string, was: number, is: number): readonly Break[] =>
  is > was ? [tightened(shape, name, String(was), String(is))] : [];

/** An upper limit may not fall. */
const upperLimit = (shape: Shape, name: string, was: number, is: number): readonly Break[] =>
  is < was ? [tightened(shape, name, String(was), String(is))] : [];

function replaced(
  shape: Shape,
  name: "pattern" | "format",
  was: string | undefined,
  is: string | undefined,
): readonly Break[] {
  if (is === undefined || is === was) return [];
  const detail = was === undefined ? `${is} is new` : `it was ${was} and is ${is}`;
  return [{ rule: `${name}-changed`, pointer: `${shape.at}/${name}`, detail }];
}

const tightened = (shape: Shape, name: string, was: string, is: string): Break => ({
  rule: "limit-tightened",
  pointer: `${shape.at}/${name}`,
  detail: was.endsWith("Infinity") ? `there was none and it is ${is}` : `it was ${was} and is ${is}`,
});

const broken = (rule: Rule, { at }: Shape, detail: string): Break => ({ rule, pointer: at, detail });

/** Whether the bounds have one value, which the released one takes and the present one does not. */
const leavesEdge = (released: Bound, current: Bound): boolean =>
  released.value === current.value && current.exclusive && !released.exclusive;

const bound = ({ value, exclusive }: Bound): string => (exclusive ? `${value}, exclusive` : String(value));

const nameOf = (shape: PlainShape): string => {
  if (shape.kind === "values")
    return `one of ${shape.values.map((value) => JSON.stringify(value)).join(", ")}`;
  return shape.kind === "number" && shape.integer ? "integer" : shape.kind;
};
