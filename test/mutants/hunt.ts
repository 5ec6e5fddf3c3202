/**
 * The process of one mutant: simulates seeds until one fails, the known ones first.
 * Arguments: known seeds, comma-separated; how many others to try; how far these are apart. Writes the seed that failed,
 * and how.
 */
import { simulate } from "../processors/engine/simulation/simulation.ts";

const [known, count, stride] = process.argv.slice(2) as [string, string, string];
const hints = known === "" ? [] : known.split(",").map(Number);
const others = Array.from({ length: Number(count) }, (_, index) => (index + 1) * Number(stride));

/** Code that a mutant broke may throw where nobody expects it. */
process.on("unhandledRejection", (error: Error) => tell(seed, `unhandled: ${error.message}`));
process.on("uncaughtException", (error: Error) => tell(seed, `uncaught: ${error.message}`));

let seed = 0;
for (seed of new Set([...hints, ...others])) {
  const { problems } = await simulate(seed);
  if (problems.length > 0) tell(seed, problems[0]!);
}

function tell(killer: number, problem: string): never {
  console.log(JSON.stringify({ killer, problem }));
  process.exit(0);
}
