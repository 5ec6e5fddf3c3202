/** The `spillway` command: finds the subcommand, runs it, turns signals and errors into an exit code. */
import { constants } from "node:os";
import { type Command, StoppedError, UsageError } from "./command.ts";

interface Subcommand {
  readonly summary: string;
  /** Loaded when asked for, so that no command pays for another's dependencies. */
  load(): Promise<Command>;
}

const subcommands: Readonly<Record<string, Subcommand>> = {
  burst: {
    summary: "flood it while Kafka is away, check that every accepted event is counted once",
    load: async () => (await import("./burst/command.ts")).burst,
  },
  catalogue: {
    summary: "print every event and topic: owner, classification, who writes and who reads it",
    load: async () => (await import("./catalogue/command.ts")).catalogue,
  },
  chaos: {
    summary: "break brokers, processors, connections and stores at random, check every number",
    load: async () => (await import("./chaos/command.ts")).chaos,
  },
  compare: {
    summary: "compare the results of two pipelines, or of two versions of one",
    load: async () => (await import("./compare/command.ts")).compare,
  },
  cost: {
    summary: "print what the environments cost a month, idle and under load",
    load: async () => (await import("./cost/command.ts")).cost,
  },
  "dead-letters": {
    summary: "list what failed for good, send it back to its topic, or discard it",
    load: async () => (await import("./dead-letters/command.ts")).deadLetters,
  },
  demo: {
    summary: "replay real flights through it, kill a processor on the way, check every number",
    load: async () => (await import("./demo/command.ts")).demo,
  },
  explain: {
    summary: "print what a pipeline reads, keeps and writes",
    load: async () => (await import("./explain/command.ts")).command,
  },
  flow: {
    summary: "hold back what waits in the spillway, drain it, or see why it is held",
    load: async () => (await import("./flow/command.ts")).flow,
  },
  generate: {
    summary: "write realistic events to a file, with what is known to be true of them",
    load: async () => (await import("./generate/command.ts")).generate,
  },
  replay: {
    summary: "run any pipeline over a file without Kafka; crash it on the way",
    load: async () => (await import("./replay/command.ts")).command,
  },
  reset: {
    summary: "throw a stopped pipeline's state away, so that it begins anew",
    load: async () => (await import("./reset.ts")).reset,
  },
  savepoint: {
    summary: "keep a copy of a running pipeline's state, for another version to start from",
    load: async () => (await import("./savepoint/command.ts")).savepoint,
  },
  schemas: {
    summary: "check that the event catalogue still takes what it took; release what changed",
    load: async () => (await import("./schemas/command.ts")).schemas,
  },
  simulate: {
    summary: "drive the real engine through seeded crashes and faults in virtual time",
    load: async () => (await import("./simulate.ts")).simulate,
  },
  smoke: {
    summary: "send some events through a deployed environment and see that they arrive",
    load: async () => (await import("./smoke/command.ts")).smoke,
  },
  start: {
    summary: "run the whole platform on this machine until Ctrl-C",
    load: async () => (await import("./start.ts")).start,
  },
};

const usage = [
  "Usage: spillway <command> [options]",
  "",
  ...Object.entries(subcommands).map(([name, { summary }]) => `  ${name.padEnd(12)} ${summary}`),
  "",
  "spillway <command> --help describes a command's options.",
].join("\n");

const STOP_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Runs what the process' arguments say and sets its exit code. */
export async function main(): Promise<void> {
  const stop = new AbortController();
  for (const name of STOP_SIGNALS) {
    process.on(name, () => stop.abort(new StoppedError(name, constants.signals[name])));
  }
  try {
    process.exitCode = await dispatch(process.argv.slice(2), stop.signal);
  } catch (error) {
    process.exitCode = report(error);
  }
}

async function dispatch([name, ...args]: readonly string[], signal: AbortSignal): Promise<number> {
  if (name === undefined || name === "--help" || name === "-h") {
    console.log(usage);
    return name === undefined ? 2 : 0;
  }
  if (!Object.hasOwn(subcommands, name)) throw new UsageError(`unknown command "${name}"`);
  const command = await subcommands[name]!.load();
  if (args.includes("--help") || args.includes("-h")) {
    console.log(command.help);
    return 0;
  }
  return command.run(args, signal);
}

function report(error: unknown): number {
  if (error instanceof StoppedError) {
    console.error(error.message);
    return error.exitCode;
  }
  if (error instanceof UsageError) {
    console.error(
      `${error.message}\nspillway --help lists the commands, spillway <command> --help its options.`,
    );
    return 2;
  }
  console.error(error instanceof Error ? error.message : String(error));
  if (process.env.DEBUG !== undefined && error instanceof Error) console.error(error);
  return 1;
}
