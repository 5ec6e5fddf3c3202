/**
 * What a task's state weighs (docs/engine.md, "State and memory"): `npm run bench:memory -- [rows] [part of a name]`.
 * Each case has a process of its own, so that none finds what another left.
 */
import { spawnSync } from "node:child_process";
import { memoryCases } from "./cases.ts";
import { type Weight, weigh } from "./measure.ts";

const DEFAULT_ROWS = 1_000_000;
const HEAP_MIB = 12_288;

const [rowsText = String(DEFAULT_ROWS), part = ""] = process.argv.slice(2);
const rows = Number(rowsText);
if (!(Number.isSafeInteger(rows) && rows >= 1)) {
  console.error(
    `bench:memory: ${rowsText} is no number of rows. Usage: npm run bench:memory -- [rows] [part of a name]`,
  );
  process.exit(2);
}
const child = process.env.SPILLWAY_BENCH_CASE;
if (child === undefined)
  printTable(memoryCases.filter(({ name }) => name.includes(part)).map(({ name }) => inChild(name)));
else
  console.log(JSON.stringify(weigh(memoryCases.find(({ name }) => name === child)!, rows, globalThis.gc!)));

function inChild(name: string): Weight {
  const flags = ["--expose-gc", `--max-old-space-size=${HEAP_MIB}`];
  const { stdout, status } = spawnSync(process.execPath, [...flags, import.meta.filename, rowsText], {
    env: { ...process.env, SPILLWAY_BENCH_CASE: name },
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`${name}: the process ended with ${status}`);
  return JSON.parse(stdout) as Weight;
}

function printTable(weights: readonly Weight[]): void {
  console.log(
    `| ${rows.toLocaleString("en")} rows | bytes a row | recovered | in a base | fill | encode | decode |`,
  );
  console.log("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
  for (const {
    name,
    bytesPerRow,
    recoveredBytesPerRow,
    snapshotBytesPerRow,
    fillMs,
    encodeMs,
    decodeMs,
  } of weights) {
    const bytes = [bytesPerRow, recoveredBytesPerRow, snapshotBytesPerRow].map((each) => each.toFixed(0));
    const times = [fillMs, encodeMs, decodeMs].map((each) => `${(each / 1_000).toFixed(2)} s`);
    console.log(`| ${[name, ...bytes, ...times].join(" | ")} |`);
  }
  console.log("\nBytes of the heap after a collection, keys included; processor time for each million rows.");
}
