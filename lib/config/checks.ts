/** Checks of one field each; each throws {@link EnvironmentConfigError} where it is not what it must be. */
import { EnvironmentConfigError } from "./environment-config-error.ts";

export function matches(field: string, value: string, pattern: RegExp, expected: string): void {
  if (typeof value !== "string" || !pattern.test(value))
    throw new EnvironmentConfigError(field, value, expected);
}

export function within(field: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new EnvironmentConfigError(field, value, `a whole number from ${min} to ${max}`);
  }
}

export function oneOf<Value>(field: string, value: Value, allowed: readonly Value[]): void {
  if (!allowed.includes(value))
    throw new EnvironmentConfigError(field, value, `one of ${allowed.join(", ")}`);
}
