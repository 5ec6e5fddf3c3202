/** Decodes JSON into the few fields that a pipeline needs. */

import { PipelineError } from "./checks.ts";
import type { FieldKind } from "./field-scanner.ts";
import { FieldScanner } from "./field-scanner.ts";
import { decodeText, parseObject } from "./source.ts";

/** What a field must be. */
export type JsonFieldKind = FieldKind;

interface TypeOfKind {
  readonly text: string;
  readonly number: number;
  readonly boolean: boolean;
}

export type JsonFields<Kinds extends Readonly<Record<string, JsonFieldKind>>> = {
  readonly [Name in keyof Kinds]: TypeOfKind[Kinds[Name]];
};

/** The scanner notes in the bits of a number which fields it has seen. */
const MAX_FIELDS = 30;

/**
 * The `decode` of a source whose values are JSON objects of which the pipeline needs these fields, of the object itself and
 * not of objects within it. The rest is looked at and not made into objects, so that decoding leaves less behind (docs/benchmarks.md). What it decodes is the same: a name that comes twice counts the last
 * time; a value that is not valid UTF-8 or JSON, or where a field is missing or of another kind, goes to the dead letters.
 *
 * ```ts
 * const clicks = { topic: "clicks", decode: jsonFields({ user: "text", at: "number" }), time: (click) => click.at };
 * ```
 * @throws PipelineError where there is no field, or there are more than 30
 */
export function jsonFields<const Kinds extends Readonly<Record<string, JsonFieldKind>>>(
  kinds: Kinds,
): (value: Uint8Array) => JsonFields<Kinds> {
  const names = Object.keys(kinds);
  if (names.length === 0 || names.length > MAX_FIELDS) {
    throw new PipelineError(`jsonFields() has ${names.length} fields; name 1 to ${MAX_FIELDS}`);
  }
  const scanner = new FieldScanner(kinds);
  const empty = Object.fromEntries(names.map((name) => [name, undefined]));
  return (value) => {
    const found: Record<string, unknown> = { ...empty };
    if (!scanner.scan(value, found)) readWhole(value, kinds, found);
    return found as JsonFields<Kinds>;
  };
}

function readWhole(
  value: Uint8Array,
  kinds: Readonly<Record<string, JsonFieldKind>>,
  found: Record<string, unknown>,
): void {
  const object = parseObject(decodeText(value));
  for (const [name, kind] of Object.entries(kinds)) {
    const field = Object.hasOwn(object, name) ? object[name] : undefined;
    if (typeof field !== (kind === "text" ? "string" : kind)) {
      throw new Error(`the field ${name} is ${field === undefined ? "missing" : `not a ${kind}`}`);
    }
    found[name] = field;
  }
}
