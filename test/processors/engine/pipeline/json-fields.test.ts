/** Fields that are found in the bytes are those that JSON.parse finds, whatever the bytes are. */
import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import { jsonFields } from "../../../../processors/engine/pipeline/dsl.ts";
import { FieldScanner } from "../../../../processors/engine/pipeline/field-scanner.ts";
import { ShortTexts } from "../../../../processors/engine/pipeline/short-texts.ts";

const kinds = { key: "text", amount: "number", paid: "boolean" } as const;
const decode = jsonFields(kinds);

/** What must come out, the slow way. */
function expected(bytes: Uint8Array): unknown {
  let object: Record<string, unknown>;
  try {
    object = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return "error";
  }
  if (typeof object !== "object" || object === null || Array.isArray(object)) return "error";
  const { key, amount, paid } = object;
  const isRight = typeof key === "string" && typeof amount === "number" && typeof paid === "boolean";
  return isRight && Object.hasOwn(object, "key") ? { key, amount, paid } : "error";
}

function actual(bytes: Uint8Array): unknown {
  try {
    return decode(bytes);
  } catch {
    return "error";
  }
}

const number = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.tuple(fc.integer(), fc.nat(8)).map(([digits, places]) => digits / 10 ** places),
  fc.constantFrom(-0, 0, 1e21, 5e-324, 2 ** 53, 999_999_999_999_999, 0.1, 123456789.012345),
);
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.constantFrom("a\\b", '"', "é", "\u007f"),
);
const value = fc.oneof(number, text, fc.boolean(), fc.constant(null), fc.jsonValue({ maxDepth: 3 }));
const name = fc.oneof(fc.constantFrom("key", "amount", "paid", "keys", "ke", "", "__proto__"), text);
const space = fc.constantFrom("", "", "", " ", "\n\t", "\r", "\f", "\u00a0");
const member = fc
  .tuple(space, name, space, value, space)
  .map(([a, called, b, held, c]) => `${a}${JSON.stringify(called)}${b}:${a}${JSON.stringify(held)}${c}`);
const usual = fc
  .tuple(space, fc.string(), number, fc.boolean())
  .map(([a, key, amount, paid]) => [
    `${a}"key":${JSON.stringify(key)}`,
    `"amount":${a}${JSON.stringify(amount)}`,
    `"paid"${a}:${paid}`,
  ]);
const object = fc
  .tuple(usual, fc.array(member, { maxLength: 4 }), fc.infiniteStream(fc.nat(6)))
  .map(([members, others, places]) => {
    const all = [...members];
    for (const other of others) all.splice(places.next().value! % (all.length + 1), 0, other);
    return `{${all.join(",")}}`;
  });
const bytes = fc
  .tuple(object, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 2 }), fc.boolean())
  .map(([json, changes, changed]) => {
    const encoded = Buffer.from(json);
    if (changed) for (const [at, byte] of changes) encoded[at % encoded.length] = byte;
    return encoded;
  });

test("the same values, or an error, as JSON.parse", () => {
  fc.assert(
    fc.property(bytes, (given) => {
      expect(actual(given)).toEqual(expected(given));
    }),
    { numRuns: 5_000 },
  );
});

test.each([
  "",
  "{}",
  "[]",
  '"key"',
  "{",
  '{"key":"a","amount":1,"paid":true',
  '{"key":"a","amount":1,"paid":true}}',
  '{"key":"a","amount":1,"paid":true} ',
  '{"key":"a","amount":1,"paid":true,}',
  '{"key":"a","amount":01,"paid":true}',
  '{"key":"a","amount":1.,"paid":true}',
  '{"key":"a","amount":.5,"paid":true}',
  '{"key":"a","amount":-,"paid":true}',
  '{"key":"a","amount":+1,"paid":true}',
  '{"key":"a","amount":-0,"paid":true}',
  '{"key":"a","amount":1e3,"paid":true}',
  '{"key":"a","amount":1234567890123456789,"paid":true}',
  '{"key":"a","amount":0.12345678901234567,"paid":true}',
  '{"key":"a","amount":1,"paid":tru}',
  '{"key":"a","amount":1,"paid":truex}',
  '{"key":"a","amount":"1","paid":true}',
  '{"key":null,"amount":1,"paid":true}',
  '{"key":"a","amount":1,"paid":true,"key":"b"}',
  '{"k\\u0065y":"b","amount":1,"paid":true,"key":"a"}',
  '{"key":"a","amount":1,"paid":true,"more":{"key":"b","list":[1,{"paid":false}],"none":{},"empty":[]}}',
  '{"key":"a","amount":1,"paid":true,"more":[1,]}',
  '{"key":"a","amount":1,"paid":true,"more":{"a":1,}}',
  '{"key":"a","amount":1,"paid":true,"more":{1:1}}',
  `{"key":"a","amount":1,"paid":true,"more":${"[".repeat(100)}${"]".repeat(100)}}`,
  '\ufeff{"key":"a","amount":1,"paid":true}',
])("%s", (json) => {
  const given = Buffer.from(json);
  expect(actual(given)).toEqual(expected(given));
});

describe("what a producer writes day by day", () => {
  test.each([
    ['{"key":"JFK","amount":12.5,"paid":true}', { key: "JFK", amount: 12.5, paid: true }],
    [
      '{ "id": 7, "paid": false, "more": {"a": [1, "x", null]}, "amount": -3,\n "key": "" }',
      { key: "", amount: -3, paid: false },
    ],
    [
      '{"key":"JFK","amount":999999999999999,"paid":true,"at":"2026-01-01T00:00:00.000Z"}',
      { key: "JFK", amount: 999_999_999_999_999, paid: true },
    ],
  ])("is not parsed: %s", (json, expected) => {
    expect(new FieldScanner(kinds).scan(Buffer.from(json))).toEqual(expected);
  });

  test("is left to JSON.parse where it is unusual", () => {
    const unusual = ['{"key":"é","amount":1,"paid":true}', '{"key":"a","amount":1e3,"paid":true}'];
    for (const json of unusual) expect(new FieldScanner(kinds).scan(Buffer.from(json))).toBeUndefined();
  });
});

test("errors say which field, and quote nothing", () => {
  expect(() => decode(Buffer.from('{"key":"secret","paid":true}'))).toThrow("the field amount is missing");
  expect(() => decode(Buffer.from('{"key":1,"amount":1,"paid":true}'))).toThrow("the field key is not text");
  expect(() => decode(Buffer.from('{"key":secret'))).toThrow("the value is not valid JSON");
  expect(() => decode(Buffer.from([0xff]))).toThrow("the value is not valid UTF-8");
  expect(() => jsonFields({ ["__proto__"]: "text" })).toThrow("no field can be called __proto__");
  expect(() => jsonFields({})).toThrow("jsonFields() has an object of 0 fields; name 1 to 30");
});

describe("objects within", () => {
  const nested = jsonFields({ id: "text", data: { origin: "text", place: { x: "number" } } });
  test.each([
    ['{"data":{"more":1,"origin":"JFK","place":{"x":1.5,"y":[]}},"id":"7"}'],
    ['{"data":{"origin":"é","place":{"x":1.5}},"id":"7"}'],
    ['{"data":{"origin":"x"},"data":{"origin":"JFK","place":{"x":1}},"id":"7"}'],
  ])("%s", (json) => {
    const { id, data } = JSON.parse(json);
    expect(nested(Buffer.from(json))).toEqual({
      id,
      data: { origin: data.origin, place: { x: data.place.x } },
    });
  });

  test.each([
    ['{"data":{"origin":"JFK","place":{}},"id":"7"}', "the field data.place.x is missing"],
    ['{"data":{"origin":"JFK","place":[1]},"id":"7"}', "the field data.place is not an object"],
    ['{"data":null,"id":"7"}', "the field data is not an object"],
    ['{"data":{"origin":"JFK","place":{"x":1}},"id":"7"', "the value is not valid JSON"],
  ])("%s: %s", (json, message) => {
    expect(() => nested(Buffer.from(json))).toThrow(message);
  });
});

test("fields have the types of their kinds", () => {
  expectTypeOf(decode).returns.toEqualTypeOf<{
    readonly key: string;
    readonly amount: number;
    readonly paid: boolean;
  }>();
});

test("texts that share a place do not take each other's", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 70 }), { maxLength: 20 }), (texts) => {
      const known = new ShortTexts();
      for (const text of [...texts, ...texts]) {
        const padded = Buffer.from(`__${text}__`);
        expect(known.of(padded, 2, 2 + text.length)).toBe(text);
      }
    }),
  );
});

test("what is remembered of an object is none of its bytes, which may be used again", () => {
  const bytes = Buffer.from('{"key":"JFK","amount":1,"paid":true}');
  const scanner = new FieldScanner(kinds);
  expect(scanner.scan(bytes)).toEqual({ key: "JFK", amount: 1, paid: true });
  bytes.write('{"kez"');
  expect(scanner.scan(Buffer.from('{"kez":"LAX","amount":2,"paid":false}'))).toBeUndefined();
});
