/**
 * Values that user code hands over to be kept: as their JSON text, so that they are the same before and after a
 * crash, and whoever still holds the value cannot change them. What user code gets back is frozen all the way down.
 */
import { jsonProblem } from "../aggregates/json-value.ts";

export type DeepReadonly<Value> = Value extends (...args: never[]) => unknown
  ? Value
  : Value extends object
    ? { readonly [Name in keyof Value]: DeepReadonly<Value[Name]> }
    : Value;

/**
 * The value as JSON text.
 * @param what what the value is, as the start of a sentence
 * @throws TypeError where JSON would not give it back equal
 */
export function toJsonText(value: unknown, what: string): string {
  const problem = jsonProblem(value);
  if (problem !== undefined) throw new TypeError(`${what} ${problem}`);
  return JSON.stringify(value);
}

/** A kept value: its text, and what user code sees of it, made when it is first asked for. */
export class FrozenJson {
  readonly text: string;
  #value: unknown;

  constructor(text: string) {
    this.text = text;
  }

  get value(): unknown {
    this.#value ??= parseFrozen(this.text);
    return this.#value;
  }
}

export const parseFrozen = (text: string): unknown => freeze(JSON.parse(text));

function freeze(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  for (const part of Object.values(value)) freeze(part);
  return Object.freeze(value);
}
