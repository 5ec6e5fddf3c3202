/** Decodes JSON into the few fields that a pipeline needs. */

import { PipelineError } from "./checks.ts";
import { FieldScanner, type JsonFieldKind, type JsonFieldKinds } from "./field-scanner.ts";
import { decodeText, parseObject } from "./source.ts";

export type { JsonFieldKind, JsonFieldKinds } from "./field-scanner.ts";

interface TypeOfKind {
  readonly text: string;
  readonly number: number;
  readonly boolean: boolean;
}

/** What {@link jsonFields} decodes. */
export type JsonFields<Kinds extends JsonFieldKinds> = {
  readonly [Name in keyof Kinds]: Kinds[Name] extends keyof TypeOfKind
    ? TypeOfKind[Kinds[Name]]
    : Kinds[Name] extends JsonFieldKinds
      ? JsonFields<Kinds[Name]>
      : never;
};

/** The scanner notes in the bits of a number which fields it has seen. */
const MAX_FIELDS = 30;

/**
 * The `decode` of a source whose values are JSON objects of which the pipeline needs these fields. The rest is looked at
 * and not made into objects, so that decoding takes less time, and leaves less behind (docs/benchmarks.md). What it
 * decodes is the same as by JSON.parse: a name that comes twice counts the last time; a value that is not valid UTF-8 or
 * JSON, or where a field is missing or of another kind, goes to the dead letters.
 *
 * ```ts
 * const clicks = {
 *   topic: "clicks",
 *   decode: jsonFields({ at: "number", user: { id: "text", premium: "boolean" } }),
 *   time: (click) => click.at,
 * };
 * ```
 * @throws PipelineError where an object has no field, or more than 30
 */
export function jsonFields<const Kinds extends JsonFieldKinds>(
  kinds: Kinds,
): (value: Uint8Array) => JsonFields<Kinds> {
  requireFields("jsonFields()", kinds);
  const scanner = new FieldScanner(kinds);
  return (value) =>
    (scanner.scan(value) ?? pickFields(parseObject(decodeText(value)), kinds)) as JsonFields<Kinds>;
}

function requireFields(step: string, kinds: JsonFieldKinds): void {
  if (Object.hasOwn(kinds, "__proto__")) throw new PipelineError(`${step}: no field can be called __proto__`);
  const fields = Object.values(kinds);
  if (fields.length === 0 || fields.length > MAX_FIELDS) {
    throw new PipelineError(`${step} has an object of ${fields.length} fields; name 1 to ${MAX_FIELDS}`);
  }
  for (const kind of fields) if (typeof kind === "object") requireFields(step, kind);
}

/**
 * The same fields of an object that was parsed.
 * @throws where one is missing or of another kind
 */
function pickFields(object: object, kinds: JsonFieldKinds, path = ""): Record<string, unknown> {
  const picked: Record<string, unknown> = {};
  for (const [name, kind] of Object.entries(kinds)) {
    const field: unknown = Object.hasOwn(object, name) ? object[name as keyof typeof object] : undefined;
    if (typeof kind === "object" && isObject(field))
      picked[name] = pickFields(field, kind, `${path}${name}.`);
    else if (typeof kind !== "object" && typeof field === javascriptTypes[kind]) picked[name] = field;
    else
      throw new Error(
        `the field ${path}${name} is ${field === undefined ? "missing" : `not ${called(kind)}`}`,
      );
  }
  return picked;
}

const javascriptTypes = {
  text: "string",
  number: "number",
  boolean: "boolean",
} as const;

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function called(kind: JsonFieldKind): string {
  if (typeof kind === "object") return "an object";
  return kind === "number" || kind === "boolean" ? `a ${kind}` : "text";
}
