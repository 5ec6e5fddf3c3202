/** JSON as templates carry it. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The value as an object; an empty one where it is absent or of another kind. */
export const objectOf = (value: Json | undefined): JsonObject => (isObject(value) ? value : {});

/** The value as an array; an empty one where it is absent or of another kind. */
export const arrayOf = (value: Json | undefined): readonly Json[] =>
  Array.isArray(value) ? (value as readonly Json[]) : [];

/** The value as text where it is text or a number; undefined otherwise. */
export const textOf = (value: Json | undefined): string | undefined =>
  typeof value === "string" ? value : typeof value === "number" ? String(value) : undefined;

/** CloudFormation takes numbers as text too. */
export const numberOf = (value: Json | undefined): number | undefined => {
  if (typeof value === "number") return value;
  if (typeof value === "string" && value.trim() !== "" && Number.isFinite(Number(value)))
    return Number(value);
  return undefined;
};

/** CloudFormation takes booleans as text too. */
export const booleanOf = (value: Json | undefined): boolean | undefined =>
  value === true || value === "true" ? true : value === false || value === "false" ? false : undefined;
