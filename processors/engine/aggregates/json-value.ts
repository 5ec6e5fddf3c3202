/**
 * Values of any JSON shape, kept as the text that JSON.stringify gives: immutable, compact, written as it is, and
 * parsed only for a result.
 */
import { requireWhole } from "./errors.ts";
import { Refusal } from "./refusal.ts";

/** What a selector of JSON values may return. What an object holds is looked at when it comes. */
export type JsonLike = string | number | boolean | null | object;

export interface JsonValueOptions {
  /**
   * A value whose JSON is longer, in bytes of UTF-8, is refused and its event dead-lettered. 1 to 1,048,576.
   * Default 1,024.
   */
  readonly maxValueBytes?: number;
}

const DEFAULT_MAX_VALUE_BYTES = 1_024;
const MOST_VALUE_BYTES = 1_048_576;

/** Deeper values are refused rather than left to the depth of the stack. */
const MAX_DEPTH = 64;

/**
 * Makes the function that turns a selected value into its JSON text.
 * @returns a Refusal for what would not come back equal: numbers that are not finite, dates, maps and other
 * classes, functions, bigints, undefined (an object's undefined properties count as absent, as in JSON)
 * @throws AggregateOptionError for a limit out of range
 */
export function jsonText({ maxValueBytes = DEFAULT_MAX_VALUE_BYTES }: JsonValueOptions) {
  requireWhole("maxValueBytes", maxValueBytes, 1, MOST_VALUE_BYTES);
  return (value: unknown): string | Refusal => {
    const problem = jsonProblem(value);
    if (problem !== undefined) return new Refusal(problem);
    const text = JSON.stringify(value);
    // No character is more than 3 bytes, so most texts need not be measured.
    if (text.length * 3 <= maxValueBytes) return text;
    const bytes = Buffer.byteLength(text);
    if (bytes <= maxValueBytes) return text;
    return new Refusal(`is ${bytes} bytes as JSON; maxValueBytes allows ${maxValueBytes}`);
  };
}

/** Why JSON would not give a value back equal, as the end of a sentence; undefined: it does. */
export function jsonProblem(value: unknown): string | undefined {
  return notJson(value, 0);
}

function notJson(value: unknown, depth: number): string | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
      return undefined;
    case "number":
      return Number.isFinite(value) ? undefined : "is or holds a number that is not finite";
    case "object":
      return value === null ? undefined : notJsonObject(value, depth);
    default:
      return `is or holds ${typeof value === "undefined" ? typeof value : `a ${typeof value}`}, which JSON has not`;
  }
}

function notJsonObject(value: object, depth: number): string | undefined {
  if (depth === MAX_DEPTH) return `is nested more than ${MAX_DEPTH} deep`;
  if (Array.isArray(value)) {
    for (const item of value) {
      const problem = notJson(item, depth + 1);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    return "is or holds an object of a class, which JSON would change";
  }
  for (const property of Object.values(value)) {
    const problem = property === undefined ? undefined : notJson(property, depth + 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
