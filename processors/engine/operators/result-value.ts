/** What an operator's own code may emit as the value of a result. */
import { maxResultBytes } from "../../../contracts/limits.ts";
import { jsonProblem } from "../aggregates/json-value.ts";

/** What a result's record holds beside its value: a key, escaped, a window and names. */
const RECORD_BYTES = 16 * 1_024;

/**
 * Results are objects, and plain JSON: what JSON would change without a word (NaN, dates, maps) is refused.
 * @throws TypeError that says what is wrong with it
 */
export function requireResult(value: unknown): asserts value is object {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TypeError("a result must be an object");
  }
  const problem = jsonProblem(value);
  if (problem !== undefined) throw new TypeError(`the result ${problem}`);
}

/**
 * The value of a result as JSON text: as it is now, whatever becomes of the object.
 * @throws TypeError, or RangeError where it is too large to be emitted later
 */
export function resultText(value: unknown): string {
  requireResult(value);
  const text = JSON.stringify(value);
  const bytes = Buffer.byteLength(text);
  if (bytes <= maxResultBytes - RECORD_BYTES) return text;
  throw new RangeError(`the result is ${bytes} bytes; the limit is ${maxResultBytes - RECORD_BYTES}`);
}
