/** `spillway chaos`: breaks the real thing for a while, and holds every number against the log. */
import { randomInt } from "node:crypto";
import { type Command, parseOptions, UsageError, wholeNumber } from "../command.ts";
import { runChaos } from "./run.ts";
import { runTruncation } from "./truncation.ts";

const MAX_SEED = 2 ** 32 - 1;
const MAX_MINUTES = 24 * 60;
const MINUTE_MS = 60_000;

const help = `Usage: spillway chaos [options]

Runs three Kafka brokers and three processors on this machine, sends events, and meanwhile kills, stops, cuts off and
hangs whatever there is: processors, brokers, their connections, DynamoDB and S3. Then lets everything come up again
and holds all that was written against the log: every record exactly once counted, late, duplicate or dead, every
result as an independent calculation has it. Exits with 1 if anything differs, and prints what was done.

  --minutes N   how long things are broken, such as 0.5 or 30   (default 2)
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
    const durationMs = minutes(values.minutes) * MINUTE_MS;
    if (values.truncate) return runTruncation(seed, signal);
    return runChaos({ seed, durationMs }, signal);
  },
};

function minutes(text: string): number {
  const value = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && value > 0 && value <= MAX_MINUTES) return value;
  throw new UsageError(`--minutes takes a number above 0, up to ${MAX_MINUTES}, not "${text}"`);
}
