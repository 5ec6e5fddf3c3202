/** `spillway chaos`: breaks the real thing for a while, and holds every number against the log. */
import { randomInt } from "node:crypto";
import { type Command, parseOptions, wholeNumber } from "../command.ts";
import { runChaos } from "./run.ts";
import { runTruncation } from "./truncation.ts";

const MAX_SEED = 2 ** 32 - 1;
const MAX_MINUTES = 24 * 60;

const help = `Usage: spillway chaos [options]

Runs three Kafka brokers and three processors on this machine, sends events, and meanwhile kills, stops, cuts off and
hangs whatever there is: processors, brokers, their connections, DynamoDB and S3. Then lets everything come up again
and holds all that was written against the log: every record exactly once counted, late, duplicate or dead, every
result as an independent calculation has it. Exits with 1 if anything differs, and prints what was done.

  --minutes N   how long things are broken   (default 2)
  --seed S      the same faults in the same order again; what they meet depends on real time   (default random)
  --truncate    another run: retention deletes records that a stopped task has not read; it must park, the others
                must be exact. Takes no --minutes
  --help        this text`;

export const chaos: Command = {
  help,
  run: async (args, signal) => {
    const values = parseOptions(args, {
      minutes: { type: "string", default: "2" },
      seed: { type: "string", default: String(randomInt(MAX_SEED)) },
      truncate: { type: "boolean", default: false },
    });
    const seed = wholeNumber("seed", values.seed, 0, MAX_SEED);
    const minutes = wholeNumber("minutes", values.minutes, 1, MAX_MINUTES);
    if (values.truncate) return runTruncation(seed, signal);
    return runChaos({ seed, durationMs: minutes * 60_000 }, signal);
  },
};
