/** `spillway generate`: realistic input, as lines of CloudEvents, with what is known to be true of it. */
import { type Command, parseOptions, UsageError, wholeNumber } from "../command.ts";
import { FLIGHTS_IN_FILE } from "../flights/flights.ts";
import { clickstream } from "./clickstream.ts";
import { deviceTelemetry } from "./device-telemetry.ts";
import type { Stream } from "./traffic.ts";
import { userActivity } from "./user-activity.ts";
import { writeTraffic } from "./write-traffic.ts";

/** Writes what the command line asks for. */
type Generate = (signal: AbortSignal) => Promise<void>;

/** By their names: each reads its own options, or throws {@link UsageError}. */
const GENERATORS: Readonly<Record<string, (args: readonly string[]) => Generate>> = {
  clickstream: (args) => trafficCommand(clickstream(), args),
  "device-telemetry": (args) => trafficCommand(deviceTelemetry(), args),
  flights: flightsCommand,
  "user-activity": (args) => trafficCommand(userActivity(), args),
};

const DEFAULT_EVENTS = 100_000;
const MAX_EVENTS = 100_000_000;
const DEFAULT_USERS = 10_000;
const MAX_USERS = 10_000_000;
const MAX_SEED = 2 ** 32 - 1;
/** As many as replay takes. */
const MAX_PARTITIONS = 1_000;

const help = `Usage: spillway generate <${Object.keys(GENERATORS).join(" | ")}> [options]

Writes events of the catalogue, one CloudEvent a line, in the order of their arrival. The same options give the same
bytes. docs/generators.md has the model.

flights has real flights as they departed, so those that were delayed are out of order. The others are made up: users of
uneven zeal, days and nights, phones that send in bursts and out of order, retries, and late events; clickstream has page
views in sessions, user-activity has logins, payments, places and a few frauds, device-telemetry has readings of devices
with the addresses that they came from; there a user is a device.

  --events N      lines to write, retries included; there are ${FLIGHTS_IN_FILE} flights   (default ${DEFAULT_EVENTS})
  --out FILE      where to write them   (default: standard output)
  --truth FILE    where to write what is true of them: bound of the disorder, late events, duplicates, frauds; of flights,
                  the windows of airport-delays
  --help          this text

Of flights:
  --partitions N  tasks that the truth is told for, as in replay   (default 1)

Of the others:
  --seed S        what decides all that is random   (default 1)
  --users N       different users   (default ${DEFAULT_USERS})
  --hot-share F   share of the events that one further user makes, from 0 to below 1   (default 0)`;

export const generate: Command = {
  help,
  run: async (args, signal) => {
    await generateCommand(args)(signal);
    return 0;
  },
};

/** Reads the command line; throws {@link UsageError}. */
export function generateCommand([name = "", ...args]: readonly string[]): Generate {
  if (Object.hasOwn(GENERATORS, name)) return GENERATORS[name]!(args);
  throw new UsageError(`generate takes ${Object.keys(GENERATORS).join(" or ")}, not "${name}"`);
}

const COMMON_OPTIONS = {
  events: { type: "string", default: String(DEFAULT_EVENTS) },
  out: { type: "string" },
  truth: { type: "string" },
} as const;

function flightsCommand(args: readonly string[]): Generate {
  const values = parseOptions(args, { ...COMMON_OPTIONS, partitions: { type: "string", default: "1" } });
  const options = {
    events: wholeNumber("events", values.events, 1, FLIGHTS_IN_FILE),
    partitions: wholeNumber("partitions", values.partitions, 1, MAX_PARTITIONS),
  };
  // DuckDB is loaded by those who want flights only.
  return async (signal) => (await import("./write-flights.ts")).writeFlights(options, values, signal);
}

function trafficCommand(stream: Stream, args: readonly string[]): Generate {
  const values = parseOptions(args, {
    ...COMMON_OPTIONS,
    seed: { type: "string", default: "1" },
    users: { type: "string", default: String(DEFAULT_USERS) },
    "hot-share": { type: "string", default: "0" },
  });
  const options = {
    events: wholeNumber("events", values.events, 1, MAX_EVENTS),
    seed: wholeNumber("seed", values.seed, 0, MAX_SEED),
    users: wholeNumber("users", values.users, 1, MAX_USERS),
    hotShare: hotShare(values["hot-share"]),
  };
  return (signal) => writeTraffic(stream, options, values, signal);
}

function hotShare(text: string): number {
  const share = Number(text);
  if (text.trim() === "" || !(share >= 0 && share < 1)) {
    throw new UsageError(`--hot-share takes a share from 0 to below 1, not "${text}"`);
  }
  return share;
}
