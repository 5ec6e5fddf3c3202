/** The stateless steps, chained into one function; an event becomes none, one or several elements. */
import type { Transform } from "./definition.ts";
import type { StreamParts } from "./stream-parts.ts";

/** A step, given those before it. */
export type StepBefore = (before: Transform | null) => Transform;

/** A step of a stream is one of all the sources that it unites. */
export function through(parts: StreamParts, step: StepBefore): StreamParts {
  return { ...ownThrough(parts, step), others: parts.others.map((other) => ownThrough(other, step)) };
}

function ownThrough(parts: StreamParts, step: StepBefore): StreamParts {
  const { enrich, transform } = parts;
  if (enrich === null) return { ...parts, transform: step(transform) };
  return { ...parts, enrich: { ...enrich, after: step(enrich.after) } };
}

export function filtering(before: Transform | null, keep: (element: never) => boolean): Transform {
  const test = keep as (element: unknown) => boolean;
  if (before === null) return (event) => (test(event) ? [event] : NONE);
  return (event) => before(event).filter((element) => test(element));
}

export function mapping(before: Transform | null, change: (element: never) => unknown): Transform {
  const apply = change as (element: unknown) => unknown;
  if (before === null) return (event) => [apply(event)];
  return (event) => before(event).map((element) => apply(element));
}

export function flatMapping(
  before: Transform | null,
  expand: (element: never) => readonly unknown[],
): Transform {
  const apply = (element: unknown): readonly unknown[] => {
    const elements: unknown = (expand as (element: unknown) => unknown)(element);
    if (Array.isArray(elements)) return elements;
    throw new TypeError("flatMap returned no list");
  };
  if (before === null) return apply;
  return (event) => before(event).flatMap((element) => apply(element));
}

const NONE: readonly unknown[] = [];
