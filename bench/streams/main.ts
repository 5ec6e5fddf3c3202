/**
 * The stateful engine beside its peers (docs/benchmarks.md): `npm run bench -- [--quick] [--json FILE] [--chart FILE]
 * [--markdown FILE]`. All read the same topics of the same broker, by turns, in a process of their own with exactly-once
 * and a commit a second, and their results are held against what they have to be. `--quick` reads fewer events, takes
 * one variant of Kafka Streams where the whole run tries all, and leaves out what no target is held against.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { installPeers } from "../peers/install.ts";
import { streamsJars } from "../peers/kafka-streams.ts";
import { bundleProcessor } from "./bundle.ts";
import { chartOf } from "./chart.ts";
import { kafkatsFlow, streamsVariants } from "./engines.ts";
import { machineFacts } from "./machine.ts";
import { measureAll, type Size } from "./measure.ts";
import { startPlatform } from "./platform.ts";
import { stopSignal } from "./process.ts";
import { markdownOf, type Report } from "./report.ts";

/**
 * Of Kafka Streams, for sessions, only what keeps them in RocksDB: its session store in memory looks at every time at which
 * some session ended, for each event, and took more than a minute of processor time for a million events.
 */
const WHOLE: Size = {
  events: 10_000_000,
  coldEvents: 3_000_000,
  prefixEvents: 10_000,
  rounds: 3,
  comparesFlow: (windowCase) => kafkatsFlow.supports(windowCase),
  limitsReadingOf: () => true,
  variantsOf: ({ window }) =>
    streamsVariants.filter(({ store }) => window.kind !== "session" || store === "RocksDB"),
};
const QUICK: Size = {
  events: 1_000_000,
  coldEvents: 300_000,
  prefixEvents: 1_000,
  rounds: 1,
  comparesFlow: ({ window, stream }) => window.kind === "tumbling" && stream.order === "random",
  limitsReadingOf: ({ order }) => order === "random",
  variantsOf: ({ window }) => [
    {
      store: window.kind === "session" ? "RocksDB" : "in memory",
      collector: "Parallel",
      emission: "emit on close",
    },
  ],
};

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "string" },
    chart: { type: "string" },
    markdown: { type: "string" },
  },
});
const size = options.quick ? QUICK : WHOLE;
const signal = stopSignal();
const say = (line: string): void => console.error(`${new Date().toISOString().slice(11, 19)} ${line}`);

const machine = machineFacts();
installPeers();
const jars = streamsJars();
const platform = await startPlatform();
try {
  const bundle = join(platform.directory, "main.mjs");
  await bundleProcessor(bundle);
  const software = { bundle, jars };
  const cases = await measureAll({ platform, software, size, signal, say });
  const { events, coldEvents, rounds } = size;
  const report: Report = { machine, events, coldEvents, rounds, cases };
  const markdown = markdownOf(report);
  console.log(markdown);
  // Figures of an engine whose results are wrong would mean nothing.
  const areWrong = cases.some(({ lines }) => lines.some(({ differingRows }) => (differingRows ?? 0) > 0));
  if (areWrong) process.exitCode = 1;
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, undefined, 2)}\n`);
  if (options.chart !== undefined) writeFileSync(options.chart, chartOf(report.cases));
  if (options.markdown !== undefined) writeFileSync(options.markdown, `${markdown}\n`);
} finally {
  await platform.stop();
}
