/** What is judged compatible takes, by Ajv, everything that the older schema takes; over any number of releases. */
import { Ajv } from "ajv";
import fc from "fast-check";
import { expect, it } from "vitest";
import { findBreaks } from "../../../cli/schemas/compatibility.ts";
import { readShape } from "../../../cli/schemas/shape.ts";

type Schema = Readonly<Record<string, unknown>>;

const ajv = new Ajv({ strict: true, strictTypes: false, logger: false });

const isCompatible = (released: Schema, current: Schema): boolean =>
  findBreaks(readShape(released, "/data"), readShape(current, "/data")).length === 0;

const NAMES = ["a", "b", "c"] as const;
const TEXTS = ["", "x", "xy", "red", "😀"] as const;
const PATTERNS = ["^x", "^[a-z]+$"] as const;

/** A field that no schema here names, so that unknown fields are tried too. */
const UNNAMED = "unknown";
const RUNS = 600;

/** Few values, so that bounds, literals and instances meet. */
const limit = fc.integer({ min: -2, max: 3 });
const length = fc.integer({ min: 0, max: 3 });
const some = <T extends object>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(model, { requiredKeys: [] });

const texts = some({ minLength: length, maxLength: length, pattern: fc.constantFrom(...PATTERNS) }).map(
  (options): Schema => ({ type: "string", ...options }),
);
const numbers = fc
  .tuple(
    fc.constantFrom("number", "integer"),
    some({ minimum: limit, maximum: limit, exclusiveMinimum: limit, exclusiveMaximum: limit }),
  )
  .map(([type, options]): Schema => ({ type, ...options }));
const literals = fc
  .uniqueArray(fc.constantFrom<unknown>(...TEXTS, 0, 1, 1.5, true, null), { minLength: 1, maxLength: 3 })
  .chain((values) =>
    fc.constantFrom<Schema>({ enum: values }, { anyOf: values.map((value) => ({ const: value })) }),
  );

const { schema } = fc.letrec<{ schema: Schema; object: Schema; array: Schema; union: Schema }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    texts,
    numbers,
    literals,
    fc.constantFrom<Schema>({ type: "boolean" }, { type: "null" }, {}),
    tie("object"),
    tie("array"),
    tie("union"),
  ),
  object: fc
    .record({
      properties: fc.dictionary(fc.constantFrom(...NAMES), tie("schema"), {
        maxKeys: 3,
        noNullPrototype: true,
      }),
      keep: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
      closed: fc.boolean(),
    })
    .map(({ properties, keep, closed }): Schema => {
      const required = Object.keys(properties).filter((_, index) => keep[index]);
      return { type: "object", properties, required, ...(closed && { additionalProperties: false }) };
    }),
  array: fc
    .tuple(tie("schema"), some({ minItems: length, maxItems: length }))
    .map(([items, options]): Schema => ({ type: "array", items, ...options })),
  union: fc
    .array(tie("schema"), { minLength: 1, maxLength: 3 })
    .map((branches): Schema => ({ anyOf: branches })),
}));

/** A neighbour of a schema: something in it is other, wider or narrower. Unrelated pairs are hardly ever compatible. */
function neighbour(of: Schema): fc.Arbitrary<Schema> {
  const branches = of.anyOf as readonly Schema[] | undefined;
  const changes = [fc.constant(of), schema.map((other) => ({ anyOf: [...(branches ?? [of]), other] }))];
  if (branches !== undefined) changes.push(fc.constant({ anyOf: branches.toReversed() }));
  if (branches !== undefined) changes.push(fc.constant({ anyOf: branches.slice(0, 1) }));
  if (of.items !== undefined) changes.push(neighbourOfArray(of));
  if (of.properties !== undefined) changes.push(...neighboursOfObject(of));
  if (of.type === "integer") changes.push(fc.constant({ ...of, type: "number" }));
  if (of.type === "number") changes.push(fc.constant({ ...of, type: "integer" }));
  if (of.type === "string") changes.push(fc.constantFrom(...PATTERNS).map((pattern) => ({ ...of, pattern })));
  for (const keyword of Object.keys(of)) {
    const { [keyword]: value, ...rest } = of;
    if (typeof value === "number") {
      changes.push(fc.constantFrom<Schema>(rest, { ...of, [keyword]: value + 1 }));
      changes.push(fc.constant<Schema>({ ...of, [keyword]: Math.max(0, value - 1) }));
    }
  }
  return fc.oneof(...changes);
}

const neighbourOfArray = (of: Schema): fc.Arbitrary<Schema> =>
  fc.oneof(neighbour(of.items as Schema), schema).map((items) => ({ ...of, items }));

function neighboursOfObject({ additionalProperties, ...open }: Schema): fc.Arbitrary<Schema>[] {
  const properties = open.properties as Readonly<Record<string, Schema>>;
  const of = { ...open, ...(additionalProperties === false && { additionalProperties }) };
  const field = fc.tuple(fc.constantFrom(...NAMES), schema);
  const inside = Object.entries(properties).map(([name, inner]) =>
    neighbour(inner).map((changed) => ({ ...of, properties: { ...properties, [name]: changed } })),
  );
  const without = Object.keys(properties).map((name) => {
    const { [name]: _, ...others } = properties;
    const required = (of as Schema).required as readonly string[];
    return fc.constant({ ...of, properties: others, required: required.filter((other) => other !== name) });
  });
  return [
    ...inside,
    ...without,
    field.map(([name, inner]) => ({ ...of, properties: { [name]: inner, ...properties } })),
    field.map(([name, inner]) => ({ ...of, properties: { ...properties, [name]: inner } })),
    fc.constantFrom({ ...of, required: [] }, { ...of, required: Object.keys(properties) }),
    fc.constantFrom<Schema>(open, { ...open, additionalProperties: false }),
  ];
}

/** Any JSON of few values. */
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    fc.constantFrom<unknown>(...TEXTS, "xyz", "redder", -3, -1, 0, 0.5, 1, 1.5, 2, 3, 4, true, false, null),
    fc.dictionary(fc.constantFrom(...NAMES, UNNAMED), tie("json"), { maxKeys: 4, noNullPrototype: true }),
    fc.array(tie("json"), { maxLength: 3 }),
  ),
}));

/** Values of which the schema takes many. */
function instance(of: Schema): fc.Arbitrary<unknown> {
  const branches = of.anyOf as readonly Schema[] | undefined;
  if (branches !== undefined) return fc.oneof(...branches.map(instance));
  if (of.enum !== undefined) return fc.constantFrom(...(of.enum as readonly unknown[]));
  if (of.const !== undefined) return fc.constant(of.const);
  if (of.type === "string") return fc.constantFrom(...TEXTS, "xyz", "redder");
  if (of.type === "array") return fc.array(instance(of.items as Schema), { maxLength: 3 });
  if (of.type !== "object") return json;
  const required = of.required as readonly string[];
  const fields = Object.entries(of.properties as Readonly<Record<string, Schema>>);
  const named = fields.map(([name, field]): [string, fc.Arbitrary<unknown>] => {
    const value = instance(field);
    return [name, required.includes(name) ? value : fc.option(value, { nil: undefined })];
  });
  // JSON has no undefined: an optional field that is not there is no field.
  return fc
    .record(Object.fromEntries([...named, [UNNAMED, fc.option(json, { nil: undefined })]]))
    .map((value) => JSON.parse(JSON.stringify(value)));
}

/**
 * What a schema promises to take: of fields that it does not name only those that no schema ever will, see
 * compatibility.ts.
 */
function promised(of: Schema): Schema {
  const branches = of.anyOf as readonly Schema[] | undefined;
  if (branches !== undefined) return { anyOf: branches.map(promised) };
  if (of.items !== undefined) return { ...of, items: promised(of.items as Schema) };
  if (of.properties === undefined || of.additionalProperties === false) return of;
  const fields = Object.entries(of.properties as Readonly<Record<string, Schema>>);
  const properties = Object.fromEntries(fields.map(([name, field]) => [name, promised(field)]));
  return { ...of, properties, additionalProperties: false, patternProperties: { [`^${UNNAMED}$`]: {} } };
}

it("a schema judged compatible takes every instance of the older one", () => {
  let judgedCompatible = 0;
  let taken = 0;
  fc.assert(
    fc.property(
      schema.chain((released) =>
        fc.tuple(fc.constant(released), neighbour(released), fc.array(instance(released))),
      ),
      ([released, current, values]) => {
        if (!isCompatible(released, current)) return;
        judgedCompatible += 1;
        const [takes, mustTake] = [ajv.compile(current), ajv.compile(promised(released))];
        for (const value of values.filter((instance) => mustTake(instance))) {
          taken += 1;
          expect({ value, taken: takes(value) }).toEqual({ value, taken: true });
        }
      },
    ),
    { numRuns: RUNS },
  );
  // The check may say no too often, but not nearly always: then the property would say nothing.
  expect(judgedCompatible).toBeGreaterThan(RUNS / 4);
  expect(taken).toBeGreaterThan(RUNS / 2);
}, 120_000);

it("so does one that came of several releases, each compatible with the one before it", () => {
  let releases = 0;
  const history = schema.chain((first) =>
    neighbour(first).chain((second) =>
      neighbour(second).chain((third) =>
        fc.tuple(fc.constant([first, second, third]), fc.array(instance(first))),
      ),
    ),
  );
  fc.assert(
    fc.property(history, ([[first, second, third], values]) => {
      if (!isCompatible(first!, second!) || !isCompatible(second!, third!)) return;
      releases += 1;
      const [takes, mustTake] = [ajv.compile(third!), ajv.compile(promised(first!))];
      for (const value of values.filter((instance) => mustTake(instance))) {
        expect({ value, taken: takes(value) }).toEqual({ value, taken: true });
      }
    }),
    { numRuns: RUNS },
  );
  expect(releases).toBeGreaterThan(RUNS / 10);
}, 120_000);

it("a field that was not named is promised to nobody: adding it as optional may refuse what came by chance", () => {
  const released = { type: "object", properties: {} };
  const current = { type: "object", properties: { a: { type: "string" } } };

  expect(isCompatible(released, current)).toBe(true);
  expect(ajv.compile(released)({ a: 5 })).toBe(true);
  expect(ajv.compile(current)({ a: 5 })).toBe(false);
});
