/**
 * Runs a synthesized cloud assembly on this machine:
 * `node local/main.ts --assembly cdk.out [--brokers 3] [--verbose] [--without-mappings] [--until-stdin-ends]
 *   [--mapping-change-ms 10000] [--set NAME=VALUE …]`: `--mapping-change-ms` is how long it takes until a mapping is
 * enabled or disabled, `--set` gives every service an environment variable that its template does not set.
 *
 * Lines for people go to stderr. Once everything is up, one line of JSON goes to stdout (see Ready in platform.ts).
 * SIGINT, SIGTERM or the end of stdin (where asked for) stop it. Exit code 1: it could not start.
 */
import { execFileSync } from "node:child_process";
import { parseArgs } from "node:util";
import { LocalError, PrerequisiteError } from "./errors.ts";
import { Platform } from "./platform.ts";
import type { Ready } from "./ready.ts";

const USAGE =
  "Usage: main.ts --assembly <directory> [--brokers 1|3] [--verbose] [--without-mappings] [--until-stdin-ends] [--mapping-change-ms N] [--set NAME=VALUE …]";

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

function options() {
  const { values } = parseArgs({
    options: {
      assembly: { type: "string" },
      brokers: { type: "string", default: "1" },
      verbose: { type: "boolean", default: false },
      "without-mappings": { type: "boolean", default: false },
      "until-stdin-ends": { type: "boolean", default: false },
      // Up to 90 s in AWS (Lambda, "event source mapping"), mostly far less.
      "mapping-change-ms": { type: "string", default: "10000" },
      set: { type: "string", multiple: true, default: [] },
    },
  });
  if (values.assembly === undefined || !["1", "3"].includes(values.brokers)) throw new TypeError(USAGE);
  const mappingChangeMs = Number(values["mapping-change-ms"]);
  if (!(mappingChangeMs >= 0)) throw new TypeError(USAGE);
  return {
    ...values,
    assembly: values.assembly,
    brokers: Number(values.brokers),
    mappingChangeMs,
    set: settings(values.set),
  };
}

function settings(given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((setting) => {
      const at = setting.indexOf("=");
      if (at < 1) throw new TypeError(USAGE);
      return [setting.slice(0, at), setting.slice(at + 1)];
    }),
  );
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

/** From here on a second signal means that whoever sent it will not wait for the services' stop timeouts. */
const IMPATIENT_AFTER_MS = 2_000;

/** Resolves with what asked for the end. Signals are caught from the start: a half-made platform is stopped too. */
function stopRequested(untilStdinEnds: boolean): Promise<string> {
  return new Promise((resolve) => {
    let firstMs: number | undefined;
    const onSignal = (signal: NodeJS.Signals): void => {
      firstMs ??= Date.now();
      // Children die with this process; its directory goes with the next run.
      if (Date.now() - firstMs > IMPATIENT_AFTER_MS) process.exit(1);
      resolve(signal);
    };
    process.on("SIGINT", onSignal);
    process.on("SIGTERM", onSignal);
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
  const { "until-stdin-ends": untilStdinEnds, "without-mappings": withoutMappings, ...given } = options();
  const { assembly, brokers, verbose, mappingChangeMs, set } = given;
  requireSetpriv();
  silenceTimerWarning();
  const startedMs = Date.now();
  const stopping = stopRequested(untilStdinEnds);
  const prepared = await Promise.race([
    Platform.prepare({
      assembly,
      brokers,
      verbose,
      withoutMappings,
      mappingChangeMs,
      serviceSettings: set,
      say,
    }),
    stopping,
  ]);
  if (typeof prepared === "string") return;
  try {
    const ready = await Promise.race([prepared.start(), stopping]);
    if (typeof ready !== "string") {
      announce(ready, Date.now() - startedMs);
      await stopping;
    }
    say("Stopping …");
  } finally {
    // Children that a start which was broken off still makes die with this process.
    await prepared.stop();
  }
}

function announce(ready: Ready, afterMs: number): void {
  say(`Ready after ${(afterMs / 1000).toFixed(1)} s. Control: ${ready.controlUrl}/state`);
  for (const [routeKey, url] of Object.entries(ready.routes)) say(`  ${routeKey.replace(" ", ` ${url}`)}`);
  process.stdout.write(`${JSON.stringify(ready)}\n`);
}

try {
  await main();
  process.exit(0);
} catch (error) {
  // The stack of an error that is expected says nothing to the reader; that of a mistake in this code says all.
  say(error instanceof LocalError ? `${error.name}: ${error.message}` : String((error as Error).stack));
  process.exit(1);
}
