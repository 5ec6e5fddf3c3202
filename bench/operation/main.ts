/**
 * The stateful engine at work (docs/benchmarks.md): `npm run bench:operation -- [part …] [--json FILE] [--markdown FILE]`.
 * What checkpoints cost, how long processing stands still, what a killed process costs, how late results are, how cost
 * grows with the state and the processes, and what the settings do. Without a part: all, in about half an hour.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { streamsJars } from "../peers/kafka-streams.ts";
import { bundleProcessor } from "../streams/bundle.ts";
import { machineFacts } from "../streams/machine.ts";
import { startPlatform } from "../streams/platform.ts";
import { stopSignal } from "../streams/process.ts";
import { topicsBeside } from "./cases.ts";
import { measureCheckpoints } from "./checkpoints.ts";
import { measureDefaults } from "./defaults.ts";
import { measureLatency } from "./latency.ts";
import type { Measurement } from "./measurement.ts";
import { measurePauses } from "./pauses.ts";
import { measureRecovery } from "./recovery.ts";
import { markdownOf, type OperationReport, type PartReport } from "./report.ts";
import { measureScaling } from "./scaling.ts";
import { measureState } from "./state.ts";

const parts: Readonly<Record<string, (measurement: Measurement) => Promise<PartReport>>> = {
  checkpoints: measureCheckpoints,
  pauses: measurePauses,
  recovery: measureRecovery,
  latency: measureLatency,
  state: measureState,
  scaling: measureScaling,
  defaults: measureDefaults,
};

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "string" }, markdown: { type: "string" } },
});
const unknown = positionals.find((part) => !(part in parts));
if (unknown !== undefined) {
  console.error(`bench:operation: ${unknown} is no part; there are: ${Object.keys(parts).join(", ")}`);
  process.exit(2);
}
const chosen = positionals.length === 0 ? Object.keys(parts) : positionals;
const signal = stopSignal();
const say = (line: string): void => console.error(`${new Date().toISOString().slice(11, 19)} ${line}`);

const machine = machineFacts();
const jars = streamsJars();
const platform = await startPlatform();
try {
  await platform.broker.createTopics(topicsBeside);
  const bundle = join(platform.directory, "main.mjs");
  await bundleProcessor(bundle, { pipelines: join(import.meta.dirname, "pipelines.ts") });
  const reports: PartReport[] = [];
  for (const part of chosen) {
    say(part);
    reports.push(await parts[part]!({ platform, bundle, jars, signal, say }));
  }
  const report: OperationReport = { machine, parts: reports };
  console.log(markdownOf(report));
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, undefined, 2)}\n`);
  if (options.markdown !== undefined) writeFileSync(options.markdown, `${markdownOf(report)}\n`);
} finally {
  await platform.stop();
}
