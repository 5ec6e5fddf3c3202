/** All mutants. */
import type { Mutant, SimulatedMutant, TestedMutant } from "./mutant.ts";
import { answersMutants } from "./mutants/answers.ts";
import { chainMutants } from "./mutants/chain.ts";
import { commitMutants } from "./mutants/commit.ts";
import { limitsMutants } from "./mutants/limits.ts";
import { ownershipMutants } from "./mutants/ownership.ts";
import { rebalanceMutants } from "./mutants/rebalance.ts";
import { sessionsMutants } from "./mutants/sessions.ts";
import { stateMutants } from "./mutants/state.ts";
import { taskMutants } from "./mutants/task.ts";
import { versionsMutants } from "./mutants/versions.ts";

/** Those that the simulation must notice. */
export const simulated: readonly SimulatedMutant[] = [
  ...taskMutants,
  ...commitMutants,
  ...ownershipMutants,
  ...rebalanceMutants,
  ...answersMutants,
  ...stateMutants,
];

/** Those that a test must notice: no fault of Kafka or the store shows them, or the simulation has no part of it. */
export const tested: readonly TestedMutant[] = [
  ...chainMutants,
  ...versionsMutants,
  ...sessionsMutants,
  ...limitsMutants,
];

export const mutants: readonly Mutant[] = [...simulated, ...tested];
