/** The demo's course: load the flights, start the platform, replay with a kill, flush, verify, report. */
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { consumerGroup, sinkConsumerGroup } from "../../contracts/environment.ts";
import { flightDeparted } from "../../contracts/events/catalogue.ts";
import { resultsTopic } from "../../contracts/topics.ts";
import { kafkaClient } from "../kafka.ts";
import type { Control } from "../platform/control.ts";
import { type Platform, withPlatform } from "../platform/platform.ts";
import type { DemoOptions } from "./command.ts";
import { eventBatches, loadFlights } from "./flights.ts";
import { flushWindows } from "./flush.ts";
import { GroupProgress, LagSampler } from "./group.ts";
import { Progress } from "./progress.ts";
import { killAndRecover, type Recovery } from "./recovery.ts";
import { replay } from "./replay.ts";
import { type DemoFigures, mismatches, reportLines } from "./report.ts";
import { verify } from "./verify.ts";

const PIPELINE = "airport-delays";
const TOPIC = flightDeparted.topic;
/** The environment that the CDK app synthesizes when it is not told another. */
const ENVIRONMENT = "dev";
const EVENTS_PER_REQUEST = 500;
const HOUR_MS = 3_600_000;

/** Runs the demo; resolves with the exit code: 0 if every number is exact, 1 if not. */
export async function runDemo(options: DemoOptions, signal: AbortSignal): Promise<number> {
  const database = await DuckDBInstance.create(":memory:");
  try {
    const db = await database.connect();
    const log = (line: string) => console.log(line);
    await loadFlights(db, options.events);
    return await withPlatform({ brokers: options.brokers, signal, log }, async (platform) => {
      const figures = await course(platform, database, db, options);
      console.log(reportLines(figures).join("\n"));
      return mismatches(figures) === 0 ? 0 : 1;
    });
  } finally {
    database.closeSync();
  }
}

async function course(
  platform: Platform,
  database: DuckDBInstance,
  db: DuckDBConnection,
  options: DemoOptions,
): Promise<DemoFigures> {
  const kafka = kafkaClient(platform.bootstrapServers);
  const admin = kafka.admin();
  await admin.connect();
  try {
    const processor = new GroupProgress(admin, consumerGroup(ENVIRONMENT, PIPELINE), TOPIC);
    const sink = new GroupProgress(admin, sinkConsumerGroup(ENVIRONMENT, PIPELINE), resultsTopic(PIPELINE));
    const replayed = await replayWithKill(platform, database, processor, options);
    console.log("closing every window, waiting for the last results, reading everything back");
    await flushWindows(kafka, TOPIC, await endOfLastWindow(db));
    const verification = await verify({
      platform,
      kafka,
      db,
      pipeline: PIPELINE,
      topic: TOPIC,
      processor,
      sink,
    });
    return { ...replayed, verification };
  } finally {
    await admin.disconnect();
  }
}

/** Sends every event; on the way the kill. Resolves when all are accepted and the processor has recovered. */
async function replayWithKill(
  { control, ingestUrl, signal }: Platform,
  database: DuckDBInstance,
  processor: GroupProgress,
  { events, killAt }: DemoOptions,
): Promise<Omit<DemoFigures, "verification">> {
  const service = await processorService(control);
  let accepted = 0;
  let retries = 0;
  let recovery: Promise<Recovery> | undefined;
  const lag = new LagSampler(processor);
  const progress = new Progress(events, () => ({ accepted, lag: lag.latest }));
  const killWhenDue = () => {
    if (recovery !== undefined || accepted < killAt * events) return;
    recovery = killAndRecover(control, service, processor, {
      afterEvents: accepted,
      onKilled: (pid) => progress.note(`killed process ${pid} of ${service} with SIGKILL`),
      signal,
    });
    // It is awaited, and its failure reported, once everything has been sent.
    recovery.catch(() => {});
  };
  const startedAt = performance.now();
  try {
    await replay({
      url: `${ingestUrl}/events`,
      batches: eventBatches(await database.connect(), EVENTS_PER_REQUEST),
      onAccepted: (count) => {
        accepted += count;
        killWhenDue();
      },
      onRetry: () => {
        retries += 1;
      },
      signal,
    });
    const replayMs = performance.now() - startedAt;
    progress.stop();
    return { accepted, retries, replayMs, recovery: await recovery! };
  } finally {
    lag.stop();
    progress.stop();
  }
}

/** The service that runs the pipelines. With more than one, the pipeline's name is what tells. */
async function processorService(control: Control): Promise<string> {
  const services = await control.services();
  const service = services.find(({ name }) => name.includes(PIPELINE)) ?? services[0];
  if (service === undefined)
    throw new Error("the local platform runs no service; there is no processor to kill");
  return service.name;
}

/** What closes every window that an event of the table may be in: the end of the last one's hour. */
async function endOfLastWindow(db: DuckDBConnection): Promise<number> {
  const reader = await db.runAndReadAll("SELECT max(time_ms)::DOUBLE FROM flights");
  const lastMs = reader.getRows()[0]![0] as number;
  return (Math.floor(lastMs / HOUR_MS) + 1) * HOUR_MS;
}
