/** What an operator's own code may emit as the value of a result. */
import { jsonProblem } from "../aggregates/json-value.ts";

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
