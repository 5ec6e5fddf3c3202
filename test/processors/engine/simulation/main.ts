/** `spillway simulate` runs this: simulates seeds from one number up, and stops at the first that fails. */
import { simulate } from "./simulation.ts";

const PROGRESS_EVERY = 500;

const [first, count] = process.argv.slice(2).map(Number) as [number, number];
const recoveries = new Map<string, number>();
let crashes = 0;

for (let seed = first; seed < first + count; seed++) {
  const outcome = await simulate(seed);
  if (outcome.problems.length > 0) {
    console.error(`seed ${seed} failed:\n  ${outcome.problems.join("\n  ")}`);
    console.error(`replay it with: npm run simulate -- --from ${seed} --seeds 1`);
    process.exit(1);
  }
  crashes += outcome.crashes;
  for (const [step, times] of Object.entries(outcome.recoveries)) {
    recoveries.set(step, (recoveries.get(step) ?? 0) + times);
  }
  const done = seed - first + 1;
  if (done % PROGRESS_EVERY === 0) console.log(`${done} of ${count} seeds exact`);
}

const steps = [...recoveries].map(([step, times]) => `${times} × ${step}`).join(", ");
console.log(`${count} seeds from ${first}: exact after ${crashes} crashes; recoveries: ${steps}`);
