/**
 * What the ingest function costs (docs/ingestion.md): `npm run bench:ingest -- [rounds]`. Its bundle with batches of 500
 * events, parsed, validated and acknowledged by a real Kafka; beside it, in the same run and by turns, kafkajs and two
 * other clients that produce the same bytes without a handler around them.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Kafka, logLevel } from "kafkajs";
import { environmentVariables } from "../../contracts/environment.ts";
import { topics } from "../../contracts/topics.ts";
import { bundleWithEventValidators } from "../../lib/functions/bundle.ts";
import { startKafka } from "../../test/support/kafka.ts";
import { median } from "../median.ts";
import { installPeers } from "../peers/install.ts";
import type { Measured } from "./case.ts";
import { cases, TOPIC } from "./cases.ts";
import { EVENTS_PER_REQUEST } from "./requests.ts";

const DEFAULT_ROUNDS = 5;
const CASE_MS = 4_000;

const [roundsText = String(DEFAULT_ROUNDS)] = process.argv.slice(2);
const rounds = Number(roundsText);
if (!(Number.isSafeInteger(rounds) && rounds >= 1)) {
  console.error(
    `bench:ingest: ${roundsText} is no number of rounds. Usage: npm run bench:ingest -- [rounds]`,
  );
  process.exit(2);
}

installPeers();
const directory = mkdtempSync(join(tmpdir(), "spillway-bench-ingest-"));
const bundle = join(directory, "index.mjs");
bundleWithEventValidators({ entry: "lambdas/ingest/handler.ts", outfile: bundle });
const kafka = await startKafka();
const signals = createServer((_, response) => response.end('{"Items":[],"Count":0,"ScannedCount":0}'));
signals.listen(0, "127.0.0.1");
await once(signals, "listening");
try {
  await createTopic(kafka.bootstrapServers);
  const figures = new Map<string, Measured[]>(cases.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const { name } of cases) figures.get(name)!.push(await measure(name));
  }
  print(figures);
} finally {
  signals.close();
  await kafka.stop();
  rmSync(directory, { recursive: true });
}

async function createTopic(bootstrapServers: string): Promise<void> {
  const client = new Kafka({ clientId: "bench", brokers: [bootstrapServers], logLevel: logLevel.NOTHING });
  const admin = client.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: topics[TOPIC].partitions }] });
  await admin.disconnect();
}

async function measure(name: string): Promise<Measured> {
  const script = join(import.meta.dirname, "case.ts");
  const { port } = signals.address() as AddressInfo;
  const child = spawn(process.execPath, [script, name, String(CASE_MS), kafka.bootstrapServers, bundle], {
    // What the function logs and its metrics go nowhere, but they are written.
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    env: {
      ...process.env,
      AWS_REGION: "eu-central-1",
      AWS_ACCESS_KEY_ID: "bench",
      AWS_SECRET_ACCESS_KEY: "bench",
      AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
      [environmentVariables.environment]: "bench",
      [environmentVariables.bootstrapServers]: kafka.bootstrapServers,
      [environmentVariables.spillwayStream]: "spillway",
      [environmentVariables.highSpillwayStream]: "spillway-high",
      [environmentVariables.signalsTable]: "signals",
    },
  });
  const message = once(child, "message") as Promise<[Measured]>;
  const exit = once(child, "exit").then(([code]) => {
    throw new Error(`${name}: the process ended with ${code} before it had measured anything`);
  });
  const [measured] = await Promise.race([message, exit]);
  await exit.catch(() => undefined);
  return measured;
}

function eventsPerCpuSecond({ events, cpuS }: Measured): number {
  return events / cpuS;
}

function print(figures: ReadonlyMap<string, readonly Measured[]>): void {
  const base = median(figures.get("kafkajs")!.map(eventsPerCpuSecond));
  console.log(`${EVENTS_PER_REQUEST} events a request, ${rounds} rounds; medians\n`);
  console.log("| | events/CPU-second | least | most | of kafkajs | µs/event | ms/request |");
  console.log("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
  for (const [name, measured] of figures) {
    const rates = measured.map(eventsPerCpuSecond);
    const rate = median(rates);
    const requestMs = median(
      measured.map(({ events, wallS }) => (wallS / events) * EVENTS_PER_REQUEST * 1_000),
    );
    const cells = [rate, Math.min(...rates), Math.max(...rates)].map((each) =>
      Math.round(each).toLocaleString("en"),
    );
    const rest = [(rate / base).toFixed(2), (1_000_000 / rate).toFixed(2), requestMs.toFixed(1)];
    console.log(`| ${[name, ...cells, ...rest].join(" | ")} |`);
  }
}
