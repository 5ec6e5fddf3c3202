/**
 * What a mutant is: a rule of the design (section 4) broken by one change of the source. The simulation must notice it,
 * or, where no fault of Kafka or the store shows it, a test.
 */

export interface Change {
  readonly name: string;
  readonly rule: number;
  /** From the repository's root. */
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
}

export interface SimulatedMutant extends Change {
  /** Seeds that are known to kill it, the first that is tried first. Others are searched where none does any more. */
  readonly seeds: readonly number[];
  /** Whether only a run in which something is lost for good can tell: then only such seeds are searched. */
  readonly needsLoss?: true;
}

export interface TestedMutant extends Change {
  /** The test file that must fail, from the repository's root. */
  readonly test: string;
}

export type Mutant = SimulatedMutant | TestedMutant;

/** @throws Error where the source no longer has what the mutant changes: then the mutant must be written anew */
export function mutate(mutant: Change, source: string): string {
  const parts = source.split(mutant.find);
  if (parts.length === 2) return parts.join(mutant.replace);
  throw new Error(
    `mutant "${mutant.name}": ${mutant.file} has ${parts.length - 1} times what it changes: ${mutant.find}`,
  );
}
