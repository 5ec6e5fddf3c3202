/**
 * What a new execution environment of each function pays before its first event (docs/ingestion.md):
 * `npm run bench:cold-start -- [rounds]`. The bundle's size, and the time that a fresh process takes to load it, beside
 * an empty handler, all of them by turns.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { environmentVariables } from "../../contracts/environment.ts";
import { bundle, bundleWithEventValidators } from "../../lib/functions/bundle.ts";
import { functionEntries } from "../../lib/functions/function-code.ts";
import { median } from "../median.ts";

const DEFAULT_ROUNDS = 15;
const EMPTY = "an empty handler";
/** Prints how long the import of the bundle took, how long the process has lived by then, and its processor time, in ms. */
const LOAD = `
  const start = performance.now();
  const { handler } = await import(process.argv[1]);
  if (typeof handler !== "function") throw new Error("no handler");
  const { user, system } = process.cpuUsage();
  const cpuMs = (user + system) / 1_000;
  process.stdout.write(JSON.stringify([performance.now() - start, performance.now(), cpuMs]), () => process.exit(0));`;

const rounds = Number(process.argv[2] ?? DEFAULT_ROUNDS);
if (!(Number.isSafeInteger(rounds) && rounds >= 1)) {
  console.error(
    `bench:cold-start: ${process.argv[2]} is no number of rounds. Usage: npm run bench:cold-start -- [rounds]`,
  );
  process.exit(2);
}

interface Loaded {
  readonly importMs: number;
  readonly processMs: number;
  /** Of all threads; what else runs on the machine lengthens it least. */
  readonly cpuMs: number;
}

const directory = mkdtempSync(join(tmpdir(), "spillway-bench-cold-start-"));
try {
  const bundles = writeBundles();
  const figures = new Map<string, Loaded[]>([...bundles.keys()].map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, path] of bundles) figures.get(name)!.push(load(path));
  }
  print(bundles, figures);
} finally {
  rmSync(directory, { recursive: true });
}

function writeBundles(): ReadonlyMap<string, string> {
  const bundles = new Map<string, string>();
  const outfileOf = (name: string): string => {
    const outfile = join(directory, name.replaceAll(" ", "-"), "index.mjs");
    bundles.set(name, outfile);
    return outfile;
  };
  const empty = outfileOf(EMPTY);
  mkdirSync(join(empty, ".."), { recursive: true });
  writeFileSync(empty, "export const handler = async () => undefined;\n");
  for (const [name, entry] of Object.entries(functionEntries)) {
    const outfile = outfileOf(name);
    // Those that validate events take the validators as synth makes them; to the others they are nothing.
    const write = ["door", "ingest", "redrive"].includes(name) ? bundleWithEventValidators : bundle;
    write({ entry, outfile });
  }
  return bundles;
}

function load(path: string): Loaded {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--input-type=module", "--eval", LOAD, path],
    { encoding: "utf8", env: environment() },
  );
  if (status !== 0) throw new Error(`${path} was not loaded: ${stderr.slice(0, 500)}`);
  const figures = JSON.parse(stdout.slice(stdout.lastIndexOf("["))) as [number, number, number];
  const [importMs, processMs, cpuMs] = figures;
  return { importMs, processMs, cpuMs };
}

/** Enough that every function starts; none of them connects to anything before its first event. */
function environment(): Record<string, string> {
  return {
    ...Object.fromEntries(Object.values(environmentVariables).map((name) => [name, "bench"])),
    [environmentVariables.bootstrapServers]: "127.0.0.1:1",
    [environmentVariables.controlledMappings]: "forward:u:144:flights",
    [environmentVariables.producers]: "[]",
    [environmentVariables.subjectLimits]: "[]",
    [environmentVariables.doors]: "{}",
    [environmentVariables.resultNames]: "{}",
    [environmentVariables.servedSeries]: "airport-delays:private::4:3600001",
    [environmentVariables.agedOutBuckets]: "forward:bench",
    [environmentVariables.shedding]: '{"spillLow":0.9,"refuseLow":1,"refuseNormal":1.5}',
    [environmentVariables.webhookUrl]: "http://127.0.0.1:1",
    [environmentVariables.traceSampleRate]: "0.01",
    [environmentVariables.otlpEndpoint]: "https://xray.eu-central-1.amazonaws.com/v1/traces",
    AWS_REGION: "eu-central-1",
    AWS_ACCESS_KEY_ID: "bench",
    AWS_SECRET_ACCESS_KEY: "bench",
  };
}

function print(bundles: ReadonlyMap<string, string>, figures: ReadonlyMap<string, readonly Loaded[]>): void {
  const medianOf = (loaded: readonly Loaded[], figure: keyof Loaded): number =>
    median(loaded.map((each) => each[figure]));
  const empty = figures.get(EMPTY)!;
  console.log(`medians of ${rounds} fresh processes\n`);
  console.log("| function | KiB | import, ms | beyond an empty handler, ms | of processor time, ms |");
  console.log("| --- | ---: | ---: | ---: | ---: |");
  for (const [name, loaded] of figures) {
    const kib = statSync(bundles.get(name)!).size / 1_024;
    const importMs = medianOf(loaded, "importMs");
    const beyondMs = medianOf(loaded, "processMs") - medianOf(empty, "processMs");
    const cpuMs = medianOf(loaded, "cpuMs") - medianOf(empty, "cpuMs");
    const cells = [kib, importMs, beyondMs, cpuMs].map((value) => value.toFixed(0));
    console.log(`| ${[name, ...cells].join(" | ")} |`);
  }
}
