/** `npm run mutants [-- --seeds N] [-- --only text]`: hunts every mutant with many seeds or its test, and tells what kills each. */
import { parseArgs } from "node:util";
import { mutants } from "./mutants.ts";
import { huntDown } from "./run.ts";

const AT_ONCE = 2;
const TIMEOUT_MS = 600_000;

const { values } = parseArgs({
  options: { seeds: { type: "string", default: "500" }, only: { type: "string", default: "" } },
});
const left = mutants.filter(({ name }) => name.includes(values.only));
let survivors = 0;

async function work(): Promise<void> {
  for (let mutant = left.shift(); mutant !== undefined; mutant = left.shift()) {
    const options = { seeds: Number(values.seeds), timeoutMs: TIMEOUT_MS };
    const fate = await huntDown(mutant, options).then(
      (kill) => (kill === null ? "SURVIVED" : `${kill.killer}: ${firstLine(kill.problem)}`),
      (error: Error) => `NOT RUN: ${error.message}`,
    );
    if (/^(SURVIVED|NOT RUN)/.test(fate)) survivors += 1;
    console.log(`rule ${mutant.rule}, ${mutant.name}: ${fate}`);
  }
}

const firstLine = (problem: string): string => problem.split("\n", 1)[0]!.slice(0, 120);

await Promise.all(Array.from({ length: AT_ONCE }, work));
console.log(survivors === 0 ? "every mutant was caught" : `${survivors} mutants were not caught`);
process.exit(survivors === 0 ? 0 : 1);
