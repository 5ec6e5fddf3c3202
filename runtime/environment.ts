import { ConfigurationError } from "./errors.ts";

/** The value of an environment variable that the stack sets. Throws {@link ConfigurationError} where it is missing. */
export function requireEnvironment(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === "") {
    throw new ConfigurationError(
      `The environment variable ${name} is not set.`,
      "Set it on the function or the service; the stacks do, see contracts/environment.ts.",
    );
  }
  return value;
}

/** The values of a comma-separated environment variable, trimmed, empty ones left out. */
export function requireEnvironmentList(name: string): readonly string[] {
  return requireEnvironment(name)
    .split(",")
    .map((value) => value.trim())
    .filter((value) => value !== "");
}
