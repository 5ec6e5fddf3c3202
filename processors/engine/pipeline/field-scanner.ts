/**
 * Finds fields of a JSON object in its bytes, and makes nothing of the rest. It knows what producers write day by day:
 * ASCII without escapes, numbers of up to 15 digits. At anything else it gives up, and whoever asked reads the whole with
 * JSON.parse; so it never has to tell what is wrong, and what it tells is what JSON.parse would.
 *
 * Its functions take a position and return the one behind what they stepped over, or {@link UNUSUAL}.
 */
import { ShortTexts } from "./short-texts.ts";

/** What a field must be: of a kind, or an object of which the fields are named in turn. */
export type JsonFieldKind = "text" | "number" | "boolean" | JsonFieldKinds;
export interface JsonFieldKinds {
  readonly [name: string]: JsonFieldKind;
}

/** JSON.parse has to read it. */
const UNUSUAL = -1;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const POINT_DIGIT = POINT - ZERO;
const SPACE = 0x20;
const UPPER_E = 0x45;
const LOWER_E = 0x65;

const WHITE = new Set([0x09, 0x0a, 0x0d, SPACE]);
const TRUE = Buffer.from("true");
const FALSE = Buffer.from("false");
const NULL = Buffer.from("null");

/** What a byte is within a string: one of its characters, its end, or not what is usual. */
const CHARACTER = 0;
const END = 1;
const BYTES_IN_STRINGS = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte === QUOTE) return END;
  return byte < SPACE || byte === BACKSLASH || byte > 0x7f ? 2 : CHARACTER;
});

/** So many digits are below 2^53, and so are the powers of ten that divide them: the quotient is rounded once, right. */
const MAX_DIGITS = 15;
const POWERS_OF_TEN = Array.from({ length: MAX_DIGITS + 1 }, (_, exponent) => 10 ** exponent);
const MAX_DEPTH = 32;

interface Field {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly kind: Exclude<JsonFieldKind, object> | "object";
  /** Only of an object. */
  readonly within: FieldScanner | undefined;
}

/** A member of the object that was read last; the next object mostly has the same ones in the same order. */
interface Member {
  /** From its first quote to its colon. */
  readonly head: Uint8Array;
  /** −1: it is none of the fields. */
  readonly index: number;
}

const MAX_MEMBERS = 64;
const NO_MEMBER: Member = { head: new Uint8Array(), index: -1 };

export class FieldScanner {
  readonly #fields: readonly Field[];
  readonly #texts = new ShortTexts();
  readonly #members: Member[] = [];
  /** What every object that is found starts as, so that all have one shape. */
  readonly #empty: Readonly<Record<string, unknown>>;

  constructor(kinds: JsonFieldKinds) {
    this.#fields = Object.entries(kinds).map(([name, kind]) => {
      const bytes = Buffer.from(name);
      return typeof kind === "string"
        ? { name, bytes, kind, within: undefined }
        : { name, bytes, kind: "object", within: new FieldScanner(kind) };
    });
    this.#empty = Object.fromEntries(Object.keys(kinds).map((name) => [name, undefined]));
  }

  /** The fields, in the order in which they were given; undefined where it gave up. */
  scan(bytes: Uint8Array): Record<string, unknown> | undefined {
    const found = { ...this.#empty };
    const end = this.#object(bytes, skipSpace(bytes, 0), found);
    return end !== UNUSUAL && skipSpace(bytes, end) === bytes.length ? found : undefined;
  }

  #object(bytes: Uint8Array, from: number, found: Record<string, unknown>): number {
    const fields = this.#fields;
    let left = fields.length;
    let seen = 0;
    let at = from;
    if (bytes[at] !== OPEN_OBJECT) return UNUSUAL;
    for (let place = 0; ; place++) {
      at = skipSpace(bytes, at + 1);
      const member = this.#memberAt(bytes, at, place);
      if (member === NO_MEMBER) return UNUSUAL;
      const { head, index } = member;
      at = skipSpace(bytes, at + head.length);
      if (index < 0) {
        at = skipValue(bytes, at, 0);
      } else {
        // Of a name that comes twice JSON.parse takes the last.
        if ((seen & (1 << index)) !== 0) return UNUSUAL;
        seen |= 1 << index;
        left -= 1;
        at = this.#read(bytes, at, fields[index]!, found);
      }
      if (at === UNUSUAL) return UNUSUAL;
      at = skipSpace(bytes, at);
      if (bytes[at] !== COMMA) break;
    }
    return bytes[at] === CLOSE_OBJECT && left === 0 ? at + 1 : UNUSUAL;
  }

  /** The member whose name begins there: the one that was at this place in the last object, or one that is read anew. */
  #memberAt(bytes: Uint8Array, start: number, place: number): Member {
    const last = this.#members[place];
    if (last !== undefined && isAt(bytes, start, last.head)) return last;
    const end = skipString(bytes, start);
    if (end === UNUSUAL) return NO_MEMBER;
    const colon = skipSpace(bytes, end);
    if (bytes[colon] !== COLON) return NO_MEMBER;
    const member = {
      head: new Uint8Array(bytes.subarray(start, colon + 1)),
      index: this.#fieldNamed(bytes, start + 1, end - 1),
    };
    if (place < MAX_MEMBERS) this.#members[place] = member;
    return member;
  }

  /** Index of the field that is called so; −1: none is. */
  #fieldNamed(bytes: Uint8Array, start: number, end: number): number {
    const fields = this.#fields;
    const length = end - start;
    for (let index = 0; index < fields.length; index++) {
      const name = fields[index]!.bytes;
      if (name.length === length && isAt(bytes, start, name)) return index;
    }
    return -1;
  }

  #read(
    bytes: Uint8Array,
    at: number,
    { name, kind, within }: Field,
    found: Record<string, unknown>,
  ): number {
    let end = UNUSUAL;
    if (kind === "text") {
      end = skipString(bytes, at);
      if (end !== UNUSUAL) found[name] = this.#texts.of(bytes, at + 1, end - 1);
    } else if (kind === "number") {
      end = readNumber(bytes, at);
      if (end !== UNUSUAL) found[name] = lastNumber[0];
    } else if (kind === "boolean") {
      end = skipBoolean(bytes, at);
      if (end !== UNUSUAL) found[name] = bytes[at] === TRUE[0];
    } else {
      const inner = { ...within!.#empty };
      end = within!.#object(bytes, at, inner);
      if (end !== UNUSUAL) found[name] = inner;
    }
    return end;
  }
}

function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  // Producers that write for machines write none, so that this mostly looks at one byte.
  while (at < bytes.length && bytes[at]! <= SPACE && WHITE.has(bytes[at]!)) at += 1;
  return at;
}

/** @param from its first quote */
function skipString(bytes: Uint8Array, from: number): number {
  if (bytes[from] !== QUOTE) return UNUSUAL;
  const { length } = bytes;
  for (let at = from + 1; at < length; at++) {
    const what = BYTES_IN_STRINGS[bytes[at]!]!;
    if (what === CHARACTER) continue;
    return what === END ? at + 1 : UNUSUAL;
  }
  return UNUSUAL;
}

/** What {@link readNumber} stepped over last. An array, since a variable would have a new object for each number. */
const lastNumber = new Float64Array(1);

function readNumber(bytes: Uint8Array, from: number): number {
  const { length } = bytes;
  const isNegative = bytes[from] === MINUS;
  const start = isNegative ? from + 1 : from;
  let at = start;
  let value = 0;
  let fraction = -1;
  for (; at < length; at++) {
    const digit = bytes[at]! - ZERO;
    if (digit >= 0 && digit < 10) {
      value = value * 10 + digit;
      if (fraction >= 0) fraction += 1;
    } else if (digit === POINT_DIGIT && fraction < 0 && at > start) {
      fraction = 0;
    } else {
      break;
    }
  }
  const whole = at - start - (fraction < 0 ? 0 : fraction + 1);
  if (fraction === 0 || whole === 0 || (whole > 1 && bytes[start] === ZERO)) return UNUSUAL;
  if (whole + Math.max(fraction, 0) > MAX_DIGITS || bytes[at] === LOWER_E || bytes[at] === UPPER_E)
    return UNUSUAL;
  if (fraction > 0) value /= POWERS_OF_TEN[fraction]!;
  lastNumber[0] = isNegative ? -value : value;
  return at;
}

function skipBoolean(bytes: Uint8Array, at: number): number {
  const end = skipLiteral(bytes, at, TRUE);
  return end === UNUSUAL ? skipLiteral(bytes, at, FALSE) : end;
}

const skipLiteral = (bytes: Uint8Array, at: number, text: Uint8Array): number =>
  isAt(bytes, at, text) ? at + text.length : UNUSUAL;

function isAt(bytes: Uint8Array, start: number, expected: Uint8Array): boolean {
  for (let i = 0; i < expected.length; i++) if (bytes[start + i] !== expected[i]) return false;
  return true;
}

function skipValue(bytes: Uint8Array, at: number, depth: number): number {
  switch (bytes[at]) {
    case QUOTE:
      return skipString(bytes, at);
    case OPEN_OBJECT:
    case OPEN_ARRAY:
      return depth < MAX_DEPTH ? skipItems(bytes, at, depth) : UNUSUAL;
    case NULL[0]:
      return skipLiteral(bytes, at, NULL);
    case TRUE[0]:
    case FALSE[0]:
      return skipBoolean(bytes, at);
    default:
      return readNumber(bytes, at);
  }
}

/** @param from the first bracket of an object or an array */
function skipItems(bytes: Uint8Array, from: number, depth: number): number {
  const isObject = bytes[from] === OPEN_OBJECT;
  const close = isObject ? CLOSE_OBJECT : CLOSE_ARRAY;
  let at = skipSpace(bytes, from + 1);
  if (bytes[at] === close) return at + 1;
  at = from;
  do {
    at = skipSpace(bytes, at + 1);
    if (isObject) {
      at = skipString(bytes, at);
      if (at === UNUSUAL) return UNUSUAL;
      at = skipSpace(bytes, at);
      if (bytes[at] !== COLON) return UNUSUAL;
      at = skipSpace(bytes, at + 1);
    }
    at = skipValue(bytes, at, depth + 1);
    if (at === UNUSUAL) return UNUSUAL;
    at = skipSpace(bytes, at);
  } while (bytes[at] === COMMA);
  return bytes[at] === close ? at + 1 : UNUSUAL;
}
