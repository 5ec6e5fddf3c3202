/** `spillway generate`: realistic input, as lines of CloudEvents, with what is known to be true of it. */
import { createWriteStream } from "node:fs";
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Command, parseOptions, UsageError, wholeNumber } from "../command.ts";
import { clickstream } from "./clickstream.ts";
import { deliver, type GenerateOptions, parametersOf, type Stream, type Truth } from "./traffic.ts";
import { userActivity } from "./user-activity.ts";

const STREAMS: Readonly<Record<string, () => Stream>> = {
  clickstream,
  "user-activity": userActivity,
};

const DEFAULT_EVENTS = 100_000;
const MAX_EVENTS = 100_000_000;
const DEFAULT_USERS = 10_000;
const MAX_USERS = 10_000_000;
const MAX_SEED = 2 ** 32 - 1;
/** Lines that are written at once. */
const CHUNK_LINES = 1_000;

const help = `Usage: spillway generate <${Object.keys(STREAMS).join(" | ")}> [options]

Writes events of the catalogue, one CloudEvent a line, in the order of their arrival: users of uneven zeal, days and
nights, phones that send in bursts and out of order, retries, and late events; clickstream has page views in sessions,
user-activity has logins, payments, places and a few frauds. The same options give the same bytes. docs/generators.md
has the model.

  --events N      lines to write, retries included   (default ${DEFAULT_EVENTS})
  --seed S        what decides all that is random   (default 1)
  --users N       different users   (default ${DEFAULT_USERS})
  --hot-share F   share of the events that one further user makes, from 0 to below 1   (default 0)
  --out FILE      where to write them   (default: standard output)
  --truth FILE    where to write what is true of them: bound of the disorder, late events, duplicates, frauds
  --help          this text`;

interface GenerateCommand {
  readonly stream: Stream;
  readonly options: GenerateOptions;
  readonly out: string | undefined;
  readonly truth: string | undefined;
}

export const generate: Command = {
  help,
  run: async (args, signal) => {
    const { stream, options, out, truth } = generateCommand(args);
    const known: Truth[] = [parametersOf(stream, options)];
    await write(
      chunks(deliver(stream, options), truth === undefined ? () => {} : (found) => known.push(...found)),
      out,
      signal,
    );
    if (truth !== undefined) {
      const lines = [...known, ...stream.truth()].map((each) => `${JSON.stringify(each)}\n`);
      await write(lines, truth, signal);
    }
    return 0;
  },
};

/** Reads the command line; throws {@link UsageError}. */
export function generateCommand([name = "", ...args]: readonly string[]): GenerateCommand {
  if (!Object.hasOwn(STREAMS, name)) {
    throw new UsageError(`generate takes ${Object.keys(STREAMS).join(" or ")}, not "${name}"`);
  }
  const values = parseOptions(args, {
    events: { type: "string", default: String(DEFAULT_EVENTS) },
    seed: { type: "string", default: "1" },
    users: { type: "string", default: String(DEFAULT_USERS) },
    "hot-share": { type: "string", default: "0" },
    out: { type: "string" },
    truth: { type: "string" },
  });
  return {
    stream: STREAMS[name]!(),
    options: {
      events: wholeNumber("events", values.events, 1, MAX_EVENTS),
      seed: wholeNumber("seed", values.seed, 0, MAX_SEED),
      users: wholeNumber("users", values.users, 1, MAX_USERS),
      hotShare: hotShare(values["hot-share"]),
    },
    out: values.out,
    truth: values.truth,
  };
}

function hotShare(text: string): number {
  const share = Number(text);
  if (text.trim() === "" || !(share >= 0 && share < 1)) {
    throw new UsageError(`--hot-share takes a share from 0 to below 1, not "${text}"`);
  }
  return share;
}

function* chunks(
  events: Iterable<{ readonly line: string; readonly truth: readonly Truth[] }>,
  learn: (truth: readonly Truth[]) => void,
): Generator<string> {
  let lines: string[] = [];
  for (const { line, truth } of events) {
    if (truth.length > 0) learn(truth);
    lines.push(line);
    if (lines.length === CHUNK_LINES) {
      yield `${lines.join("\n")}\n`;
      lines = [];
    }
  }
  if (lines.length > 0) yield `${lines.join("\n")}\n`;
}

async function write(text: Iterable<string>, file: string | undefined, signal: AbortSignal): Promise<void> {
  const to: Writable = file === undefined ? process.stdout : createWriteStream(file);
  try {
    await pipeline(Readable.from(text), to, { signal, end: file !== undefined });
  } catch (error) {
    signal.throwIfAborted();
    // Whoever reads standard output has enough of it, as `head` does.
    if (file !== undefined || (error as NodeJS.ErrnoException).code !== "EPIPE") throw error;
  }
}
