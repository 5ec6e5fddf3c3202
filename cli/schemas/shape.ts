/**
 * What a JSON Schema of the catalogue takes, in a form that two of them can be compared in. Only the keywords that
 * TypeBox makes for the catalogue are read. Any other throws, since a rule that is not understood is one that may have
 * been tightened: npm's json-schema-diff knows neither const nor pattern and passes over them without a word.
 */

/** Where in the schema a shape is: a JSON pointer (RFC 6901) that begins in the file of the release, `/data/…`. */
interface Placed {
  readonly at: string;
}

export interface AnyShape extends Placed {
  readonly kind: "any";
}

/** One of a few values: literals, an enum, a boolean, null. */
export interface ValuesShape extends Placed {
  readonly kind: "values";
  readonly values: readonly unknown[];
}

export interface StringShape extends Placed {
  readonly kind: "string";
  /** In characters, as JSON Schema counts them. */
  readonly minLength: number;
  readonly maxLength: number;
  /** Both are compared as text only: whether a pattern takes what another takes is not decided. */
  readonly pattern: string | undefined;
  readonly format: string | undefined;
}

export interface Bound {
  readonly value: number;
  /** Whether the value itself lies outside. */
  readonly exclusive: boolean;
}

export interface NumberShape extends Placed {
  readonly kind: "number";
  readonly integer: boolean;
  readonly lower: Bound;
  readonly upper: Bound;
}

export interface ArrayShape extends Placed {
  readonly kind: "array";
  readonly items: Shape;
  readonly minItems: number;
  readonly maxItems: number;
}

export interface ObjectShape extends Placed {
  readonly kind: "object";
  readonly properties: ReadonlyMap<string, Shape>;
  readonly required: ReadonlySet<string>;
  /** Whether fields that it does not name are refused. */
  readonly closed: boolean;
}

/** What cannot be told by one kind alone; never nested. */
export interface UnionShape extends Placed {
  readonly kind: "union";
  readonly branches: readonly PlainShape[];
}

export type PlainShape = AnyShape | ValuesShape | StringShape | NumberShape | ArrayShape | ObjectShape;
export type Shape = PlainShape | UnionShape;

type Schema = Readonly<Record<string, unknown>>;

/** They say something to readers and nothing about what is valid. */
const ANNOTATIONS = new Set(["$comment", "default", "deprecated", "description", "examples", "title"]);

const readers: Readonly<
  Record<string, { readonly keywords: readonly string[]; read(schema: Schema, at: string): PlainShape }>
> = {
  string: { keywords: ["minLength", "maxLength", "pattern", "format"], read: readString },
  number: {
    keywords: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"],
    read: (schema, at) => readNumber(schema, at, false),
  },
  integer: {
    keywords: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"],
    read: (schema, at) => readNumber(schema, at, true),
  },
  boolean: { keywords: [], read: (_, at) => ({ kind: "values", at, values: [false, true] }) },
  null: { keywords: [], read: (_, at) => ({ kind: "values", at, values: [null] }) },
  array: { keywords: ["items", "minItems", "maxItems"], read: readArray },
  object: { keywords: ["properties", "required", "additionalProperties"], read: readObject },
};

/** A schema says something that is not compared here: so nothing can be said about its compatibility. */
export class UnknownKeywordError extends Error {
  override readonly name = "UnknownKeywordError";

  constructor(at: string, what: string) {
    super(
      `${at}: the check of compatibility does not know ${what}. Write the schema without it, or teach the check what ` +
        "it means (cli/schemas/shape.ts and compatibility.ts).",
    );
  }
}

/** Reads a schema that stands at `at`. Throws {@link UnknownKeywordError}. */
export function readShape(value: unknown, at: string): Shape {
  if (!isSchema(value)) throw new UnknownKeywordError(at, "a schema that is no object");
  if (value.anyOf !== undefined) return readUnion(value, at);
  if (value.const !== undefined) return readValues(value, [value.const], "const", at);
  if (value.enum !== undefined) return readValues(value, value.enum as readonly unknown[], "enum", at);
  if (value.type === undefined) {
    allow(value, [], at);
    return { kind: "any", at };
  }
  const reader = typeof value.type === "string" ? readers[value.type] : undefined;
  if (reader === undefined) throw new UnknownKeywordError(at, `the type ${JSON.stringify(value.type)}`);
  allow(value, ["type", ...reader.keywords], at);
  return reader.read(value, at);
}

/** Nested unions become one, and what they say of single values one list. */
function readUnion(schema: Schema, at: string): Shape {
  allow(schema, ["anyOf"], at);
  const branches = (schema.anyOf as readonly unknown[]).flatMap((branch, index) => {
    const shape = readShape(branch, `${at}/anyOf/${index}`);
    return shape.kind === "union" ? shape.branches : shape;
  });
  const values = branches.flatMap((branch) => (branch.kind === "values" ? branch.values : []));
  const others = branches.filter(({ kind }) => kind !== "values");
  if (others.length === 0) return { kind: "values", at, values };
  return values.length === 0
    ? { kind: "union", at, branches: others }
    : { kind: "union", at, branches: [{ kind: "values", at, values }, ...others] };
}

function readValues(schema: Schema, values: readonly unknown[], keyword: string, at: string): ValuesShape {
  allow(schema, [keyword, "type"], at);
  for (const value of values) {
    if (typeof value === "object" && value !== null) {
      throw new UnknownKeywordError(at, `${keyword} with an object or an array`);
    }
  }
  if (schema.type === undefined) return { kind: "values", at, values };
  const ofType = readShape({ type: schema.type }, at);
  return { kind: "values", at, values: values.filter((value) => takesValue(ofType, value)) };
}

function readString(schema: Schema, at: string): StringShape {
  return {
    kind: "string",
    at,
    minLength: (schema.minLength as number | undefined) ?? 0,
    maxLength: (schema.maxLength as number | undefined) ?? Number.POSITIVE_INFINITY,
    pattern: schema.pattern as string | undefined,
    format: schema.format as string | undefined,
  };
}

function readNumber(schema: Schema, at: string, integer: boolean): NumberShape {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema as Record<
    string,
    number | undefined
  >;
  const [least, most] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  return {
    kind: "number",
    at,
    integer,
    lower: {
      value: Math.max(minimum ?? least, exclusiveMinimum ?? least),
      exclusive: exclusiveMinimum !== undefined && exclusiveMinimum >= (minimum ?? least),
    },
    upper: {
      value: Math.min(maximum ?? most, exclusiveMaximum ?? most),
      exclusive: exclusiveMaximum !== undefined && exclusiveMaximum <= (maximum ?? most),
    },
  };
}

function readArray(schema: Schema, at: string): ArrayShape {
  return {
    kind: "array",
    at,
    // A list of schemas, one a place, is no schema: it is refused there.
    items: readShape(schema.items ?? {}, `${at}/items`),
    minItems: (schema.minItems as number | undefined) ?? 0,
    maxItems: (schema.maxItems as number | undefined) ?? Number.POSITIVE_INFINITY,
  };
}

function readObject(schema: Schema, at: string): ObjectShape {
  const { additionalProperties = true } = schema;
  if (typeof additionalProperties !== "boolean") {
    throw new UnknownKeywordError(at, "a schema in additionalProperties");
  }
  const properties = Object.entries((schema.properties ?? {}) as Schema);
  return {
    kind: "object",
    at,
    properties: new Map(
      properties.map(([name, value]) => [name, readShape(value, `${at}/properties/${escapeToken(name)}`)]),
    ),
    required: new Set(schema.required as readonly string[] | undefined),
    closed: !additionalProperties,
  };
}

/** Whether a shape takes a text, a number, a boolean or null. A format is taken to refuse it: it is not evaluated. */
export function takesValue(shape: Shape, value: unknown): boolean {
  switch (shape.kind) {
    case "any":
      return true;
    case "values":
      return shape.values.includes(value);
    case "union":
      return shape.branches.some((branch) => takesValue(branch, value));
    case "number":
      return typeof value === "number" && takesNumber(shape, value);
    case "string":
      return typeof value === "string" && takesString(shape, value);
    case "array":
    case "object":
      return false;
  }
}

const takesNumber = ({ integer, lower, upper }: NumberShape, value: number): boolean =>
  (!integer || Number.isInteger(value)) &&
  (lower.exclusive ? value > lower.value : value >= lower.value) &&
  (upper.exclusive ? value < upper.value : value <= upper.value);

function takesString({ minLength, maxLength, pattern, format }: StringShape, value: string): boolean {
  const length = [...value].length;
  if (length < minLength || length > maxLength || format !== undefined) return false;
  return pattern === undefined || new RegExp(pattern, "u").test(value);
}

function allow(schema: Schema, keywords: readonly string[], at: string): void {
  for (const keyword in schema) {
    if (keywords.includes(keyword) || ANNOTATIONS.has(keyword)) continue;
    const where = schema.type === undefined ? "here" : `in a schema of type ${JSON.stringify(schema.type)}`;
    throw new UnknownKeywordError(`${at}/${escapeToken(keyword)}`, `"${keyword}" ${where}`);
  }
}

const escapeToken = (name: string): string => name.replaceAll("~", "~0").replaceAll("/", "~1");

const isSchema = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value);
