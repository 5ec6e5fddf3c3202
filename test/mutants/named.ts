/** The mutant that a child process is of: its name comes in the environment. */
import type { Mutant } from "./mutant.ts";
import { mutants } from "./mutants.ts";

export const MUTANT_VARIABLE = "SPILLWAY_MUTANT";

/** @returns undefined where none is named: then everything stays as it is */
export function namedMutant(): Mutant | undefined {
  const name = process.env[MUTANT_VARIABLE];
  if (name === undefined) return undefined;
  const mutant = mutants.find((candidate) => candidate.name === name);
  if (mutant === undefined) throw new Error(`there is no mutant called ${name}`);
  return mutant;
}
