/** What every subcommand of `spillway` is made of. */
import { type ParseArgsConfig, parseArgs } from "node:util";

export interface Command {
  /** Printed by `spillway <name> --help`. */
  readonly help: string;
  /**
   * Runs to its end and returns the exit code. `signal` aborts on Ctrl-C, SIGTERM and SIGHUP; the command then
   * cleans up and rejects with the signal's reason.
   */
  run(args: readonly string[], signal: AbortSignal): Promise<number>;
}

/** The command line was wrong: the message says how, and the process exits with 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The run was stopped from outside. The process exits with 128 + the signal's number, as shells do. */
export class StoppedError extends Error {
  override readonly name = "StoppedError";
  readonly exitCode: number;

  constructor(signalName: string, signalNumber: number) {
    super(`stopped by ${signalName}`);
    this.exitCode = 128 + signalNumber;
  }
}

type Options = NonNullable<ParseArgsConfig["options"]>;

/** `parseArgs`, strict, with its complaints as {@link UsageError}. */
export const parseOptions = <const O extends Options>(args: readonly string[], options: O) =>
  parse(args, options, false).values;

/** The same of a command that is also told a name: before, between or after its options. */
export function parseNamed<const O extends Options>(args: readonly string[], options: O) {
  const { values, positionals } = parse(args, options, true);
  const [named, ...more] = positionals;
  if (more.length > 0) throw new UsageError(`one name is enough, not ${positionals.join(" ")}`);
  return { values, named };
}

function parse<const O extends Options>(args: readonly string[], options: O, allowPositionals: boolean) {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals });
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

/** A whole number between two bounds, both included. */
export function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max) {
    throw new UsageError(`--${name} takes a whole number from ${min} to ${max}, not "${text}"`);
  }
  return value;
}

/** Replication needs three brokers or none at all. */
export function brokerCount(text: string): number {
  if (text !== "1" && text !== "3") throw new UsageError(`--brokers takes 1 or 3, not "${text}"`);
  return Number(text);
}
