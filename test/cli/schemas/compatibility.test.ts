import Type from "typebox";
import { describe, expect, it } from "vitest";
import { findBreaks, type Rule } from "../../../cli/schemas/compatibility.ts";
import { readShape, UnknownKeywordError } from "../../../cli/schemas/shape.ts";

const shape = (schema: unknown) => readShape(JSON.parse(JSON.stringify(schema)), "/data");
const breaks = (released: unknown, current: unknown) => findBreaks(shape(released), shape(current));

const colour = (...names: string[]) => Type.Union(names.map((name) => Type.Literal(name)));
const point = (options = {}) => Type.Object({ x: Type.Number(), y: Type.Number() }, options);

const compatible: [what: string, released: unknown, current: unknown][] = [
  ["the same", point(), point()],
  [
    "an optional field added",
    point(),
    Type.Object({ ...point().properties, z: Type.Optional(Type.Number()) }),
  ],
  [
    "a required field made optional",
    point(),
    Type.Object({ x: Type.Number(), y: Type.Optional(Type.Number()) }),
  ],
  ["descriptions", Type.String(), Type.String({ description: "text", title: "T", default: "" })],
  ["integers as numbers", Type.Integer({ minimum: 1 }), Type.Number({ minimum: 0 })],
  ["a number or null", Type.Number(), Type.Union([Type.Number(), Type.Null()])],
  ["another literal", colour("red", "blue"), colour("blue", "green", "red")],
  ["literals as text", colour("red", "blue"), Type.String({ minLength: 1, pattern: "^[a-z]+$" })],
  ["literals as an enum", colour("red", "blue"), Type.Enum(["red", "blue", "green"])],
  ["both booleans as literals", Type.Boolean(), Type.Union([Type.Literal(true), Type.Literal(false)])],
  ["a pattern dropped", Type.String({ pattern: "^a" }), Type.String()],
  ["limits loosened", Type.String({ minLength: 2, maxLength: 4 }), Type.String({ maxLength: 5 })],
  [
    "an exclusive limit by its neighbour",
    Type.Integer({ minimum: 1 }),
    Type.Integer({ exclusiveMinimum: 0 }),
  ],
  ["anything", point(), Type.Unknown()],
  ["a closed object opened", point({ additionalProperties: false }), point()],
  ["items widened", Type.Array(Type.Integer(), { maxItems: 3 }), Type.Array(Type.Number())],
  ["unions in another order", Type.Union([Type.Number(), point()]), Type.Union([point(), Type.Number()])],
];

const incompatible: [what: string, released: unknown, current: unknown, Rule, pointer: string][] = [
  [
    "a required field added",
    point(),
    Type.Object({ ...point().properties, z: Type.Number() }),
    "required-field-added",
    "/data/properties/z",
  ],
  [
    "an optional field required",
    Type.Object({ x: Type.Optional(Type.Number()) }),
    Type.Object({ x: Type.Number() }),
    "field-made-required",
    "/data/properties/x",
  ],
  ["a field removed", point(), Type.Object({ x: Type.Number() }), "field-removed", "/data/properties/y"],
  [
    "a field under an escaped name",
    Type.Object({ "a/b~c": Type.String() }),
    Type.Object({}),
    "field-removed",
    "/data/properties/a~1b~0c",
  ],
  ["numbers as integers", Type.Number(), Type.Integer(), "type-narrowed", "/data"],
  ["another type", Type.Object({ x: Type.Number() }), Type.String(), "type-narrowed", "/data"],
  ["text as literals", Type.String(), colour("red"), "type-narrowed", "/data"],
  ["null no more", Type.Union([Type.Number(), Type.Null()]), Type.Number(), "value-removed", "/data"],
  ["a literal removed", colour("red", "blue"), colour("red"), "value-removed", "/data"],
  ["a value of an enum removed", Type.Enum(["a", "b"]), Type.Enum(["b"]), "value-removed", "/data"],
  [
    "a literal that the pattern refuses",
    colour("red"),
    Type.String({ pattern: "^b" }),
    "value-removed",
    "/data",
  ],
  ["a literal that is too long", colour("😀😀"), Type.String({ maxLength: 1 }), "value-removed", "/data"],
  ["a number that the limit refuses", Type.Literal(5), Type.Number({ maximum: 4 }), "value-removed", "/data"],
  ["a pattern added", Type.String(), Type.String({ pattern: "^a" }), "pattern-changed", "/data/pattern"],
  [
    "another pattern",
    Type.String({ pattern: "^[A-Z]" }),
    Type.String({ pattern: "^A" }),
    "pattern-changed",
    "/data/pattern",
  ],
  ["a format added", Type.String(), Type.String({ format: "uuid" }), "format-changed", "/data/format"],
  ["a minimum added", Type.Number(), Type.Number({ minimum: 0 }), "limit-tightened", "/data/minimum"],
  [
    "a maximum lowered",
    Type.Number({ maximum: 9 }),
    Type.Number({ maximum: 8 }),
    "limit-tightened",
    "/data/maximum",
  ],
  [
    "a limit made exclusive",
    Type.Number({ minimum: 1 }),
    Type.Number({ exclusiveMinimum: 1 }),
    "limit-tightened",
    "/data/minimum",
  ],
  ["a longer minimum", Type.String(), Type.String({ minLength: 1 }), "limit-tightened", "/data/minLength"],
  [
    "a shorter maximum",
    Type.String({ maxLength: 9 }),
    Type.String({ maxLength: 8 }),
    "limit-tightened",
    "/data/maxLength",
  ],
  [
    "fewer items",
    Type.Array(Type.String()),
    Type.Array(Type.String(), { maxItems: 3 }),
    "limit-tightened",
    "/data/maxItems",
  ],
  [
    "narrower items",
    Type.Array(Type.Union([Type.Number(), Type.String()])),
    Type.Array(Type.Number()),
    "type-narrowed",
    "/data/items/anyOf/1",
  ],
  ["an object closed", point(), point({ additionalProperties: false }), "object-closed", "/data"],
  ["anything no more", Type.Unknown(), Type.String(), "type-narrowed", "/data"],
  [
    "what is wrong in the one alternative of its kind",
    point(),
    Type.Union([Type.Null(), Type.Object({ x: Type.Number() })]),
    "field-removed",
    "/data/properties/y",
  ],
  [
    "no alternative of several",
    point(),
    Type.Union([Type.Object({ x: Type.Number() }), Type.Object({ y: Type.Number() })]),
    "type-narrowed",
    "/data",
  ],
];

describe("a schema that takes all that the released one took", () => {
  it.each(compatible)("%s", (_, released, current) => {
    expect(breaks(released, current)).toEqual([]);
  });
});

describe("a schema that does not", () => {
  it.each(incompatible)("%s", (_, released, current, rule, pointer) => {
    expect(breaks(released, current)).toMatchObject([{ rule, pointer }]);
  });

  it("is told everything at once, field by field", () => {
    const found = breaks(
      Type.Object({ a: Type.String(), b: Type.Optional(Type.Number()) }),
      Type.Object({ a: Type.String({ maxLength: 3 }), b: Type.Integer(), c: Type.Null() }),
    );

    expect(found.map(({ rule, pointer }) => `${rule} ${pointer}`)).toEqual([
      "limit-tightened /data/properties/a/maxLength",
      "type-narrowed /data/properties/b",
      "field-made-required /data/properties/b",
      "required-field-added /data/properties/c",
    ]);
  });
});

describe("a schema that cannot be compared", () => {
  it.each<[unknown, string]>([
    [Type.Object({ a: Type.Record(Type.String(), Type.Number()) }), "/data/properties/a/patternProperties"],
    [Type.Intersect([point(), point()]), "/data/allOf"],
    [Type.Number({ multipleOf: 5 }), "/data/multipleOf"],
    [Type.Number({ minLength: 5 }), "/data/minLength"],
    [Type.Tuple([Type.String()]), "/data/additionalItems"],
    [Type.Object({}, { additionalProperties: Type.String() }), "/data"],
    [{ type: ["string", "null"] }, "/data"],
    [{ const: { a: 1 } }, "/data"],
    [{ anyOf: [{ type: "string" }], minLength: 1 }, "/data/minLength"],
    [{ $ref: "#/definitions/a" }, "/data/$ref"],
    [{ type: "object", properties: { a: true } }, "/data/properties/a"],
  ])("%j is refused, not passed over", (schema, pointer) => {
    expect(() => shape(schema)).toThrow(UnknownKeywordError);
    expect(() => shape(schema)).toThrow(`${pointer}: the check of compatibility does not know`);
  });
});
