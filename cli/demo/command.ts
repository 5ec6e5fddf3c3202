/** `spillway demo`: the whole platform on this machine, real events, a kill on the way, every number checked. */
import { brokerCount, type Command, parseOptions, UsageError, wholeNumber } from "../command.ts";
import { FLIGHTS_IN_FILE } from "../flights/flights.ts";
import { type Kill, randomKills } from "./kills.ts";
import { type DemoOptions, runDemo } from "./run.ts";

const DEFAULT_EVENTS = 300_000;
const DEFAULT_KILL_AT = 0.5;
const MAX_KILLS = 100;
const MAX_SEED = 2 ** 32 - 1;

const help = `Usage: spillway demo [options]

Runs the synthesized platform on this machine, replays real US flights of 2001 through POST /events in the order of
their actual departure, kills a processor with SIGKILL on the way, reads the results back through the query API and
compares every window with an independent calculation. Exits with 1 if anything differs.

  --events N      the first N of the file's flights in that order, 1 to ${FLIGHTS_IN_FILE}   (default ${DEFAULT_EVENTS})
  --kill-at F     when to kill: share of the events accepted, above 0 and up to 1, or "random"   (default ${DEFAULT_KILL_AT})
  --kills N       kill N times, 1 to ${MAX_KILLS}, at random moments if more than once; every second kill hits the
                  recovery from the one before it   (default 1)
  --brokers N     Kafka brokers to start, 1 or 3   (default 1)
  --seed N        makes random kills repeatable   (default: another one each time, printed)
  --help          this text`;

export const demo: Command = {
  help,
  run: async (args, signal) => runDemo(demoOptions(args), signal),
};

/** Reads the command line; throws {@link UsageError}. */
export function demoOptions(args: readonly string[]): DemoOptions {
  const values = parseOptions(args, {
    events: { type: "string", default: String(DEFAULT_EVENTS) },
    "kill-at": { type: "string" },
    kills: { type: "string", default: "1" },
    brokers: { type: "string", default: "1" },
    seed: { type: "string" },
  });
  const count = wholeNumber("kills", values.kills, 1, MAX_KILLS);
  return {
    events: wholeNumber("events", values.events, 1, FLIGHTS_IN_FILE),
    kills: kills(count, values["kill-at"], values.seed),
    brokers: brokerCount(values.brokers),
  };
}

function kills(count: number, killAt: string | undefined, seedText: string | undefined): readonly Kill[] {
  if (killAt === "random" || (killAt === undefined && count > 1)) {
    const seed = seedText === undefined ? randomSeed() : wholeNumber("seed", seedText, 0, MAX_SEED);
    if (seedText === undefined) console.log(`--seed ${seed}`);
    return randomKills(count, seed);
  }
  if (count > 1) throw new UsageError("--kill-at takes one kill's share; several come at random moments");
  if (seedText !== undefined) throw new UsageError("--seed has an effect only where kills are random");
  const share = killAt === undefined ? DEFAULT_KILL_AT : Number(killAt);
  if (!(share > 0 && share <= 1)) {
    throw new UsageError(`--kill-at takes a share above 0 and up to 1, or "random", not "${killAt}"`);
  }
  return [{ share, victim: 0, duringRecovery: false }];
}

const randomSeed = (): number => Math.floor(Math.random() * (MAX_SEED + 1));
