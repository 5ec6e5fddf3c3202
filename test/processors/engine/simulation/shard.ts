/** A thread of `main.ts`: simulates the seeds it is given, and tells what became of each. */
import { parentPort } from "node:worker_threads";
import { simulate } from "./simulation.ts";

parentPort!.on("message", async (seeds: readonly number[]) => {
  for (const seed of seeds) parentPort!.postMessage({ seed, outcome: await simulate(seed) });
  parentPort!.postMessage("ready");
});
