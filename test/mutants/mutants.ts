/** All mutants. Those of rules 9, 11, 14 and 15 are unit tests' business. */
import type { Mutant } from "./mutant.ts";
import { commitMutants } from "./mutants/commit.ts";
import { ownershipMutants } from "./mutants/ownership.ts";
import { rebalanceMutants } from "./mutants/rebalance.ts";
import { taskMutants } from "./mutants/task.ts";

/** Rule 12 (recorded answers) gets its mutants with the calls that it speaks of. */
export const mutants: readonly Mutant[] = [
  ...taskMutants,
  ...commitMutants,
  ...ownershipMutants,
  ...rebalanceMutants,
];
