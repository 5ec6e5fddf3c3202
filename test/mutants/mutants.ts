/** All mutants. Those of rules 9, 11, 14 and 15 are unit tests' business. */
import type { Mutant } from "./mutant.ts";
import { answersMutants } from "./mutants/answers.ts";
import { commitMutants } from "./mutants/commit.ts";
import { ownershipMutants } from "./mutants/ownership.ts";
import { rebalanceMutants } from "./mutants/rebalance.ts";
import { taskMutants } from "./mutants/task.ts";

export const mutants: readonly Mutant[] = [
  ...taskMutants,
  ...commitMutants,
  ...ownershipMutants,
  ...rebalanceMutants,
  ...answersMutants,
];
