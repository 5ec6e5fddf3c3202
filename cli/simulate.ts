/** `spillway simulate`: the real worker on models of Kafka and the checkpoint store, under seeded faults. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type Command, parseOptions, wholeNumber } from "./command.ts";

const MAX_SEED = 2 ** 32 - 1;

const help = `Usage: spillway simulate [options]

Runs the real worker and task in virtual time on models of Kafka and of the checkpoint store, under crashes, zombies,
lost, late and repeated requests, outages, rebalances and losses, all drawn from a seed, on every core; holds everything
that becomes visible against one undisturbed task. Stops at the first seed that fails and prints how to replay it; exits
with 1 then.

  --seeds N   how many   (default 1000)
  --from S    the first seed   (default 1)
  --help      this text`;

export const simulate: Command = {
  help,
  run: async (args, signal) => {
    const values = parseOptions(args, {
      seeds: { type: "string", default: "1000" },
      from: { type: "string", default: "1" },
    });
    const seeds = wholeNumber("seeds", values.seeds, 1, MAX_SEED);
    const from = wholeNumber("from", values.from, 0, MAX_SEED);
    const entry = fileURLToPath(new URL("../test/processors/engine/simulation/main.ts", import.meta.url));
    const child = spawn(process.execPath, [entry, String(from), String(seeds)], { stdio: "inherit" });
    signal.addEventListener("abort", () => child.kill(), { once: true });
    const [code] = (await once(child, "exit")) as [number | null];
    signal.throwIfAborted();
    return code ?? 1;
  },
};
