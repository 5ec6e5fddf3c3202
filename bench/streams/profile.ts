/**
 * Where a processor's time goes (docs/benchmarks.md): `npm run profile -- [case] [folder]`. Runs a case of the benchmark on
 * Spillway under V8's profiler, and writes the profile, for Chrome's or an editor's viewer, and a flame graph of it.
 */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { bundleProcessor } from "./bundle.ts";
import { spillway } from "./engines.ts";
import { type CpuProfile, flameSvg, framesOf, hottest, modulesOf } from "./flame.ts";
import { fillTopic, startPlatform } from "./platform.ts";
import { stopSignal } from "./process.ts";
import { expectedResults } from "./reference.ts";
import { runEngine } from "./run.ts";
import { windowCases } from "./windows.ts";

const EVENTS = 2_000_000;
const COLD_EVENTS = 600_000;
const HOTTEST = 25;

const [name = windowCases[0]!.name, folder = "/tmp/spillway-profile"] = process.argv.slice(2);
const windowCase = windowCases.find((each) => each.name === name);
if (windowCase === undefined) {
  const known = windowCases.map((each) => each.name).join(", ");
  console.error(`profile: ${name} is no case; there are: ${known}`);
  process.exit(2);
}
const signal = stopSignal();
const output = resolve(folder);
mkdirSync(output, { recursive: true });
const platform = await startPlatform();
try {
  const bundle = join(platform.directory, "main.mjs");
  await bundleProcessor(bundle, { minify: false });
  await fillTopic(platform, windowCase.stream, EVENTS, { withTimestamps: false, isClosed: true });
  const { broker, directory, env } = platform;
  const profiles = join(directory, "profiles");
  const flags = ["--cpu-prof", `--cpu-prof-dir=${profiles}`];
  const expected = () => expectedResults(windowCase.stream, windowCase.window, EVENTS);
  const options = { broker, directory, events: EVENTS, coldEvents: COLD_EVENTS, signal };
  const { figures } = await runEngine(spillway({ bundle, env, flags }), windowCase, options, expected);
  write(profiles, bundle, Math.round(figures.perCpuS));
} finally {
  await platform.stop();
}

/** Of the main thread, whose profile is the largest; the one that compacts has another. */
function write(profiles: string, bundle: string, perCpuS: number): void {
  const [largest] = readdirSync(profiles)
    .map((file) => join(profiles, file))
    .toSorted((a, b) => statSync(b).size - statSync(a).size);
  const text = readFileSync(largest!, "utf8");
  const root = framesOf(JSON.parse(text) as CpuProfile, modulesOf(readFileSync(bundle, "utf8")));
  writeFileSync(join(output, `${name}.cpuprofile`), text);
  writeFileSync(join(output, `${name}.svg`), flameSvg(root));
  console.log(`${windowCase!.title}: ${perCpuS.toLocaleString("en-US")} events/CPU-s under the profiler\n`);
  for (const by of ["part", "name"] as const) {
    console.log(`| ${by} | share of the main thread's time, what it calls left out |\n| --- | ---: |`);
    for (const { name: what, share } of hottest(root, by, HOTTEST)) {
      console.log(`| ${what} | ${(share * 100).toFixed(1)} % |`);
    }
    console.log();
  }
  console.log(`${join(output, `${name}.svg`)}: the flame graph; ${name}.cpuprofile beside it: for a viewer.`);
}
