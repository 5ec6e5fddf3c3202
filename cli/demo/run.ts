/** The demo's course: load the flights, start the platform, replay with kills, flush, verify, report. */
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { consumerGroup, sinkConsumerGroup } from "../../contracts/environment.ts";
import { flightDeparted } from "../../contracts/events/catalogue.ts";
import { resultsTopic } from "../../contracts/topics.ts";
import { eventBatches, loadFlights } from "../flights/flights.ts";
import { kafkaClient } from "../kafka.ts";
import { type Platform, withPlatform } from "../platform/platform.ts";
import { flushWindows } from "./flush.ts";
import { GroupProgress, LagSampler } from "./group.ts";
import { type Kill, KillSchedule } from "./kills.ts";
import { Screen } from "./progress.ts";
import { killAndRecover } from "./recovery.ts";
import { replay } from "./replay.ts";
import { type DemoFigures, mismatches, reportLines } from "./report.ts";
import { untilOnTopic } from "./spilled.ts";
import { checkpointStore, readManifests } from "./tasks.ts";
import { verify } from "./verify.ts";
import { untilNoneRemains } from "./wait.ts";

const PIPELINE = "airport-delays";
const TOPIC = flightDeparted.topic;
/** The environment that the CDK app synthesizes when it is not told another. */
const ENVIRONMENT = "dev";
const EVENTS_PER_REQUEST = 500;
const HOUR_MS = 3_600_000;

export interface DemoOptions {
  readonly events: number;
  /** In the order in which they come; at least one. */
  readonly kills: readonly Kill[];
  readonly brokers: number;
}

/** Runs the demo; resolves with the exit code: 0 if every number is exact, 1 if not. */
export async function runDemo(options: DemoOptions, signal: AbortSignal): Promise<number> {
  const database = await DuckDBInstance.create(":memory:");
  try {
    const db = await database.connect();
    const screen = new Screen();
    await loadFlights(db, options.events);
    return await withPlatform(
      { brokers: options.brokers, idleTicks: false, signal, log: screen.print },
      async (platform) => {
        await stopOtherServices(platform);
        const figures = await course({ platform, screen, database, db }, options);
        screen.print(reportLines(figures).join("\n"));
        return mismatches(figures) === 0 ? 0 : 1;
      },
    );
  } finally {
    database.closeSync();
  }
}

interface Stage {
  readonly platform: Platform;
  readonly screen: Screen;
  readonly database: DuckDBInstance;
  readonly db: DuckDBConnection;
}

async function course(stage: Stage, options: DemoOptions): Promise<DemoFigures> {
  const { platform, screen, db } = stage;
  const kafka = kafkaClient(platform.bootstrapServers);
  const admin = kafka.admin();
  await admin.connect();
  try {
    const group = consumerGroup(ENVIRONMENT, PIPELINE);
    const processor = new GroupProgress(admin, group, TOPIC);
    const sink = new GroupProgress(admin, sinkConsumerGroup(ENVIRONMENT, PIPELINE), resultsTopic(PIPELINE));
    await processorsRunning(processor, platform.signal);
    const replayed = await replayWithKills(stage, processor, options);
    await untilOnTopic({
      kafka,
      topic: TOPIC,
      progress: processor,
      events: replayed.accepted,
      signal: platform.signal,
    });
    const store = checkpointStore(platform);
    screen.print("closing every window");
    await flushWindows(kafka, TOPIC, await endOfLastWindow(db));
    const verification = await verify({
      platform,
      kafka,
      db,
      pipeline: PIPELINE,
      topic: TOPIC,
      say: screen.print,
      manifests: () => readManifests(store, admin, group, TOPIC),
      processor,
      sink,
    });
    return { ...replayed, verification };
  } finally {
    await admin.disconnect();
  }
}

/** A kill is to meet processors at work, so the replay starts once every partition has its task. */
function processorsRunning(processor: GroupProgress, signal: AbortSignal): Promise<void> {
  return untilNoneRemains(() => processor.notTaken(), {
    what: "no processor has taken every partition",
    intervalMs: 100,
    stallTimeoutMs: 60_000,
    signal,
  });
}

/** Sends every event; on the way the kills. Resolves when all are accepted and the processors have recovered. */
async function replayWithKills(
  { platform, screen, database }: Stage,
  processor: GroupProgress,
  { events, kills }: DemoOptions,
): Promise<Omit<DemoFigures, "verification">> {
  const { control, ingestUrl, signal } = platform;
  const service = processorService(platform);
  let accepted = 0;
  let retries = 0;
  const reasons = new Set<string>();
  const lag = new LagSampler(processor);
  const progress = screen.progress(events, () => ({ accepted, lag: lag.latest }));
  const schedule = new KillSchedule(kills, events, ({ victim }) =>
    killAndRecover(control, service, processor, {
      victim,
      afterEvents: accepted,
      onKilled: (pid) => screen.print(`killed process ${pid} of ${service} with SIGKILL`),
      signal,
    }),
  );
  const startedAt = performance.now();
  try {
    await replay({
      url: `${ingestUrl}/events`,
      batches: schedule.paced(eventBatches(await database.connect(), EVENTS_PER_REQUEST)),
      onAccepted: (count) => {
        accepted += count;
        schedule.accepted(accepted);
      },
      onRetry: (why) => {
        retries += 1;
        if (!reasons.has(why)) screen.print(`a request is sent again: ${why}`);
        reasons.add(why);
      },
      signal,
    });
    const replayMs = performance.now() - startedAt;
    progress.stop();
    return { accepted, retries, replayMs, recoveries: await schedule.recoveries };
  } finally {
    lag.stop();
    progress.stop();
  }
}

/** Other pipelines read the flights too, and would only take time away from the one that is shown. */
async function stopOtherServices(platform: Platform): Promise<void> {
  const others = platform.services.filter((name) => name !== processorService(platform));
  await Promise.all(others.map((name) => platform.control.scale(name, 0)));
}

/** The service that runs the pipeline: the one of its name, else the one that pipelines share. */
function processorService({ services }: Platform): string {
  const service = services.find((name) => name.includes(PIPELINE)) ?? services[0];
  if (service === undefined)
    throw new Error("the local platform runs no service; there is no processor to kill");
  return service;
}

/** What closes every window that an event of the table may be in: the end of the last one's hour. */
async function endOfLastWindow(db: DuckDBConnection): Promise<number> {
  const reader = await db.runAndReadAll("SELECT max(time_ms)::DOUBLE FROM flights");
  const lastMs = reader.getRows()[0]![0] as number;
  return (Math.floor(lastMs / HOUR_MS) + 1) * HOUR_MS;
}
