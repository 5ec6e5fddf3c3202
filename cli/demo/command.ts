/** `spillway demo`: the whole platform on this machine, real events, a kill on the way, every number checked. */
import { brokerCount, type Command, parseOptions, UsageError, wholeNumber } from "../command.ts";
import { FLIGHTS_IN_FILE } from "./flights.ts";
import { runDemo } from "./run.ts";

const DEFAULT_EVENTS = 300_000;
const DEFAULT_KILL_AT = 0.5;
/** `--kill-at random` picks between these, so that there is something to lose and something to recover to. */
const RANDOM_KILL_BETWEEN = [0.1, 0.9] as const;
const MAX_SEED = 2 ** 32 - 1;

export interface DemoOptions {
  readonly events: number;
  /** Share of the events that are accepted when the processor is killed, 0 to 1. */
  readonly killAt: number;
  readonly brokers: number;
}

const help = `Usage: spillway demo [options]

Runs the synthesized platform on this machine, replays real US flights of 2001 through POST /events in the order of
their actual departure, kills a processor with SIGKILL on the way, reads the results back through the query API and
compares every window with an independent calculation. Exits with 1 if anything differs.

  --events N      the first N of the file's flights in that order, 1 to ${FLIGHTS_IN_FILE}   (default ${DEFAULT_EVENTS})
  --kill-at F     when to kill: share of the events accepted, above 0 and up to 1, or "random"   (default ${DEFAULT_KILL_AT})
  --brokers N     Kafka brokers to start, 1 or 3   (default 1)
  --seed N        makes "--kill-at random" repeatable   (default: another one each time, printed)
  --help          this text`;

export const demo: Command = {
  help,
  run: async (args, signal) => runDemo(demoOptions(args), signal),
};

/** Reads the command line; throws {@link UsageError}. */
export function demoOptions(args: readonly string[]): DemoOptions {
  const values = parseOptions(args, {
    events: { type: "string", default: String(DEFAULT_EVENTS) },
    "kill-at": { type: "string", default: String(DEFAULT_KILL_AT) },
    brokers: { type: "string", default: "1" },
    seed: { type: "string" },
  });
  return {
    events: wholeNumber("events", values.events, 1, FLIGHTS_IN_FILE),
    killAt: killAt(values["kill-at"], values.seed),
    brokers: brokerCount(values.brokers),
  };
}

function killAt(text: string, seedText: string | undefined): number {
  if (text === "random") {
    const seed = seedText === undefined ? randomSeed() : wholeNumber("seed", seedText, 0, MAX_SEED);
    if (seedText === undefined) console.log(`--seed ${seed}`);
    const [from, to] = RANDOM_KILL_BETWEEN;
    return from + (to - from) * unitInterval(seed);
  }
  if (seedText !== undefined) throw new UsageError("--seed has an effect only with --kill-at random");
  const share = Number(text);
  if (!(share > 0 && share <= 1)) {
    throw new UsageError(`--kill-at takes a share above 0 and up to 1, or "random", not "${text}"`);
  }
  return share;
}

const randomSeed = (): number => Math.floor(Math.random() * (MAX_SEED + 1));

/** A number in [0, 1) that is the seed's, spread by a multiplicative hash (Knuth, TAOCP 6.4) so that seeds 1, 2, 3 differ. */
const unitInterval = (seed: number): number => (Math.imul(seed + 1, 0x9e3779b1) >>> 0) / 2 ** 32;
