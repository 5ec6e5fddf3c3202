/**
 * `spillway simulate` runs this: simulates seeds from one number up on every core, and stops at the first that fails.
 */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Outcome } from "./simulation.ts";

const PROGRESS_EVERY = 500;
const SEEDS_AT_ONCE = 20;

const [first, count] = process.argv.slice(2).map(Number) as [number, number];
const end = first + count;
const total = { crashes: 0, parked: 0, recoveries: new Map<string, number>() };
let next = first;
let done = 0;

function add({ crashes, parked, recoveries }: Outcome): void {
  total.crashes += crashes;
  total.parked += parked;
  for (const [step, times] of Object.entries(recoveries)) {
    total.recoveries.set(step, (total.recoveries.get(step) ?? 0) + times);
  }
}

function take(seed: number, outcome: Outcome): void {
  if (outcome.problems.length > 0) {
    console.error(`seed ${seed} failed:\n  ${outcome.problems.join("\n  ")}`);
    console.error(`replay it with: npm run simulate -- --from ${seed} --seeds 1`);
    process.exit(1);
  }
  add(outcome);
  done += 1;
  if (done % PROGRESS_EVERY === 0) console.log(`${done} of ${count} seeds exact`);
}

/** Gives the thread its next seeds, or ends it; resolves once there are none left. */
function drive(thread: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    const give = () => {
      if (next >= end) return thread.terminate().then(() => resolve(), reject);
      const seeds = Array.from({ length: Math.min(SEEDS_AT_ONCE, end - next) }, (_, index) => next + index);
      next += seeds.length;
      return thread.postMessage(seeds);
    };
    thread.on("error", reject);
    thread.on("message", (message: "ready" | { seed: number; outcome: Outcome }) =>
      message === "ready" ? give() : take(message.seed, message.outcome),
    );
    give();
  });
}

const threads = Math.min(availableParallelism(), Math.ceil(count / SEEDS_AT_ONCE));
const shard = new URL("./shard.ts", import.meta.url);
await Promise.all(Array.from({ length: threads }, () => drive(new Worker(shard))));
const steps = [...total.recoveries].map(([step, times]) => `${times} × ${step}`).join(", ");
console.log(
  `${count} seeds from ${first}: exact after ${total.crashes} crashes; recoveries: ${steps}; ` +
    `${total.parked} tasks parked for a cause`,
);
