/** Hunts mutants in processes of their own. */
import { fileURLToPath } from "node:url";
import { SEEDS_PER_LOSS } from "../processors/engine/simulation/losses.ts";
import { runMutated } from "./child.ts";
import type { Mutant, SimulatedMutant, TestedMutant } from "./mutant.ts";
import { runTests } from "./tests.ts";

const hook = new URL("./hook.ts", import.meta.url).href;
const hunt = fileURLToPath(new URL("./hunt.ts", import.meta.url));

export interface Kill {
  /** The seed or the test that failed. */
  readonly killer: string;
  readonly problem: string;
}

export interface HuntOptions {
  /** How many to try beside the known ones. */
  readonly seeds: number;
  readonly timeoutMs: number;
}

/**
 * @returns null where the mutant survived
 * @throws Error where it could not be run, or not to its end
 */
export const huntDown = (mutant: Mutant, { seeds, timeoutMs }: HuntOptions): Promise<Kill | null> =>
  "test" in mutant ? huntByTest(mutant, timeoutMs) : huntBySeeds(mutant, seeds, timeoutMs);

async function huntBySeeds(mutant: SimulatedMutant, seeds: number, timeoutMs: number): Promise<Kill | null> {
  const stride = mutant.needsLoss ? SEEDS_PER_LOSS : 1;
  const args = ["--import", hook, hunt, mutant.seeds.join(","), String(seeds), String(stride)];
  const { code, stdout, stderr } = await runMutated(mutant.name, args, timeoutMs);
  if (code !== 0) throw new Error(`mutant "${mutant.name}" could not be run: ${stderr}`);
  if (stdout === "") return null;
  const { killer, problem } = JSON.parse(stdout) as { killer: number; problem: string };
  return { killer: `seed ${killer}`, problem };
}

async function huntByTest(mutant: TestedMutant, timeoutMs: number): Promise<Kill | null> {
  const { failed } = await runTests(mutant.name, [mutant.test], timeoutMs);
  const [first] = failed;
  return first === undefined ? null : { killer: `"${first.name}"`, problem: first.message };
}
