/**
 * Runs a synthesized cloud assembly on this machine:
 * `node local/main.ts --assembly cdk.out [--brokers 3] [--verbose] [--until-stdin-ends]`
 *
 * Lines for people go to stderr. Once everything is up, one line of JSON goes to stdout (see Ready in platform.ts).
 * SIGINT, SIGTERM or the end of stdin (where asked for) stop it. Exit code 1: it could not start.
 */
import { execFileSync } from "node:child_process";
import { parseArgs } from "node:util";
import { PrerequisiteError } from "./errors.ts";
import { Platform } from "./platform.ts";

const USAGE = "Usage: main.ts --assembly <directory> [--brokers 1|3] [--verbose] [--until-stdin-ends]";

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

function options() {
  const { values } = parseArgs({
    options: {
      assembly: { type: "string" },
      brokers: { type: "string", default: "1" },
      verbose: { type: "boolean", default: false },
      "until-stdin-ends": { type: "boolean", default: false },
    },
  });
  if (values.assembly === undefined || !["1", "3"].includes(values.brokers)) throw new TypeError(USAGE);
  return { ...values, assembly: values.assembly, brokers: Number(values.brokers) };
}

function requireSetpriv(): void {
  try {
    execFileSync("setpriv", ["--pdeathsig", "KILL", "--", "setpriv", "--version"], { stdio: "ignore" });
  } catch (cause) {
    throw new PrerequisiteError(
      "setpriv is missing or too old: local runs need util-linux 2.33 or later, on Linux. Debian: apt-get install -y util-linux",
      { cause },
    );
  }
}

/** Resolves with what asked for the end. Signals are caught from the start: a half-made platform is stopped too. */
function stopRequested(untilStdinEnds: boolean): Promise<string> {
  return new Promise((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
    if (untilStdinEnds) process.stdin.once("close", () => resolve("end of stdin")).resume();
  });
}

/** kafkajs 2.2.4 sets a timer of "until 1970" where nothing is throttled; Node 24 warns of it, once, to no use. */
function silenceTimerWarning(): void {
  process.removeAllListeners("warning");
  process.on("warning", ({ name, message }) => {
    if (name !== "TimeoutNegativeWarning") say(`${name}: ${message}`);
  });
}

async function main(): Promise<void> {
  const { assembly, brokers, verbose, "until-stdin-ends": untilStdinEnds } = options();
  requireSetpriv();
  silenceTimerWarning();
  const startedMs = Date.now();
  const stopping = stopRequested(untilStdinEnds);
  const { platform, ready } = await Platform.start({ assembly, brokers, verbose, say });
  say(`Ready after ${((Date.now() - startedMs) / 1000).toFixed(1)} s. Control: ${ready.controlUrl}/state`);
  for (const [routeKey, url] of Object.entries(ready.routes)) say(`  ${routeKey.replace(" ", ` ${url}`)}`);
  process.stdout.write(`${JSON.stringify(ready)}\n`);
  say(`Stopping (${await stopping}) …`);
  await platform.stop();
}

try {
  await main();
  process.exit(0);
} catch (error) {
  say(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  process.exit(1);
}
