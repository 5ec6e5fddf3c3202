/** The course of a burst: load, outage, drain, ledger, report. */
import { writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Admin, Kafka } from "kafkajs";
import { consumerGroup } from "../../contracts/environment.ts";
import { flightDeparted } from "../../contracts/events/catalogue.ts";
import { GroupProgress } from "../demo/group.ts";
import { checkpointStore, readManifests } from "../demo/tasks.ts";
import { idsOnTopic } from "../demo/topic-ids.ts";
import { totalOf } from "../demo/topic-reader.ts";
import { untilNoneRemains } from "../demo/wait.ts";
import { kafkaClient } from "../kafka.ts";
import { exitOf, signalGroup, startChild } from "../platform/child.ts";
import { type Platform, withPlatform } from "../platform/platform.ts";
import { idIn, idOf } from "./events.ts";
import { checkLedger, type Tally } from "./ledger.ts";
import type { Answered, LoadPlan } from "./load.ts";
import { type BurstReport, pictureOf, reportOf, textOf } from "./report.ts";
import { Sampler } from "./sampler.ts";

export interface BurstOptions {
  readonly eventsPerSecond: number;
  readonly calmSeconds: number;
  readonly floodSeconds: number;
  readonly outageSeconds: number;
  readonly eventsPerRequest: number;
  readonly svgFile: string | undefined;
  readonly jsonFile: string | undefined;
}

/** How many times the base rate the flood is: 10,000 to 250,000 events/s is what the platform is made for. */
const FLOOD_FACTOR = 25;
/** Kafka goes away a while after the flood has begun, so that a picture shows both. */
const OUTAGE_AFTER_SECONDS = 10;
/** The flow control may have paused the spillway, and resumes it two to three minutes after the load is gone. */
const DRAIN_STALL_TIMEOUT_MS = 300_000;
const TOPIC = flightDeparted.topic;
const PIPELINE = "airport-delays";
const ENVIRONMENT = "dev";

/** Resolves with the exit code: 0 if the ledger is exact, 1 if not. */
export function runBurst(options: BurstOptions, signal: AbortSignal): Promise<number> {
  return withPlatform({ brokers: 1, signal, log: console.log }, async (platform) => {
    const kafka = kafkaClient(platform.bootstrapServers);
    const admin = kafka.admin();
    await admin.connect();
    try {
      const report = await course(options, platform, kafka, admin);
      console.log(textOf(report));
      if (options.svgFile) await writeFile(options.svgFile, pictureOf(report));
      if (options.jsonFile) await writeFile(options.jsonFile, `${JSON.stringify(report, null, 1)}\n`);
      return report.ledger.mismatches.length === 0 ? 0 : 1;
    } finally {
      await admin.disconnect();
    }
  });
}

async function course(
  options: BurstOptions,
  platform: Platform,
  kafka: Kafka,
  admin: Admin,
): Promise<BurstReport> {
  const progress = new GroupProgress(admin, consumerGroup(ENVIRONMENT, PIPELINE), TOPIC);
  await quieten(platform);
  const sampler = new Sampler(progress);
  try {
    const [answers, outage] = await Promise.all([
      load(planOf(options, platform), platform.signal),
      goAway(options, platform),
    ]);
    const loadEndedMs = Date.now();
    console.log("the load is over; waiting until everything has been drained");
    const onTopic = await untilDrained(answers, options, platform, kafka, progress);
    const drainSeconds = (Date.now() - loadEndedMs) / 1_000;
    const tally = await tallyOf(platform, admin);
    const ledger = checkLedger(answers, options.eventsPerRequest, onTopic, tally);
    return reportOf({ options, answers, outage, drainSeconds, samples: sampler.samples, tally, ledger });
  } finally {
    sampler.stop();
  }
}

/** Other pipelines' processes would take this machine's time away from the path that is looked at. */
async function quieten({ control, services }: Platform): Promise<void> {
  const tested = PIPELINE.replaceAll("-", "");
  const others = services.filter((name) => !name.toLowerCase().includes(tested));
  await Promise.all(others.map((name) => control.scale(name, 0)));
}

function planOf(options: BurstOptions, { ingestUrl }: Platform): LoadPlan {
  const base = Math.max(1, Math.round(options.eventsPerSecond / options.eventsPerRequest));
  const calm = { seconds: options.calmSeconds, requestsPerSecond: base };
  const flood = { seconds: options.floodSeconds, requestsPerSecond: FLOOD_FACTOR * base };
  return { url: ingestUrl, eventsPerRequest: options.eventsPerRequest, phases: [calm, flood, calm] };
}

/** Runs the load in its process; rejects where that ends otherwise than well. */
async function load(plan: LoadPlan, signal: AbortSignal): Promise<Answered[]> {
  const answers: Answered[] = [];
  const module = fileURLToPath(new URL("load.ts", import.meta.url));
  const child = startChild([module, JSON.stringify(plan)], {
    onLine: (line) => void answers.push(JSON.parse(line) as Answered),
  });
  const stop = () => signalGroup(child.process, "SIGKILL");
  signal.addEventListener("abort", stop, { once: true });
  await child.ended;
  signal.removeEventListener("abort", stop);
  signal.throwIfAborted();
  if (child.process.exitCode !== 0) {
    throw new Error(`the load ${exitOf(child.process)}:\n${child.lastLines.join("\n")}`);
  }
  return answers;
}

/** Cuts every connection to Kafka for the time; resolves with the seconds, since the load began, that it was away. */
async function goAway(
  { calmSeconds, outageSeconds }: BurstOptions,
  { control, signal }: Platform,
): Promise<BurstReport["outage"]> {
  if (outageSeconds === 0) return undefined;
  const fromS = calmSeconds + OUTAGE_AFTER_SECONDS;
  await delay(fromS * 1_000, undefined, { signal });
  console.log(`Kafka is away for ${outageSeconds} s`);
  await control.post("/links/broker-1/cut");
  await delay(outageSeconds * 1_000, undefined, { signal });
  await control.post("/links/broker-1/restore");
  console.log("Kafka is back");
  return { fromS, toS: fromS + outageSeconds };
}

/** Resolves with how often each id is on the topic, once it holds all that was accepted and the tasks have taken it. */
async function untilDrained(
  answers: readonly Answered[],
  { eventsPerRequest }: BurstOptions,
  { signal }: Platform,
  kafka: Kafka,
  progress: GroupProgress,
): Promise<ReadonlyMap<string, number>> {
  const accepted = answers.reduce(
    (sum, { status, refused }) => sum + (status === 202 ? eventsPerRequest - refused : 0),
    0,
  );
  const onTopic = async () => totalOf(await progress.ends());
  const waiting = { intervalMs: 1_000, stallTimeoutMs: DRAIN_STALL_TIMEOUT_MS, signal };
  let ids: ReadonlyMap<string, number> = new Map();
  // The topic is read again and again only when it has enough records to hold them all.
  await untilNoneRemains(async () => Math.max(0, accepted - (await onTopic())), {
    ...waiting,
    what: "the spillway is not drained",
  });
  await untilNoneRemains(
    async () => {
      ids = await idsOnTopic(kafka, TOPIC, idIn, signal);
      return missing(answers, eventsPerRequest, ids);
    },
    { ...waiting, what: "accepted events are missing on the topic" },
  );
  await untilNoneRemains(() => progress.lag(), { ...waiting, what: "the tasks do not get on" });
  // What was answered 503 may have come to the topic meanwhile.
  return idsOnTopic(kafka, TOPIC, idIn, signal);
}

async function tallyOf(platform: Platform, admin: Admin): Promise<Tally> {
  const store = checkpointStore(platform);
  const manifests = await readManifests(store, admin, consumerGroup(ENVIRONMENT, PIPELINE), TOPIC);
  const sum = (name: keyof Tally) => manifests.reduce((total, { counters }) => total + counters[name], 0);
  return { counted: sum("counted"), late: sum("late"), dead: sum("dead"), duplicate: sum("duplicate") };
}

function missing(
  answers: readonly Answered[],
  eventsPerRequest: number,
  ids: ReadonlyMap<string, number>,
): number {
  let count = 0;
  for (const { batch, status, refused } of answers) {
    if (status !== 202 || refused > 0) continue;
    for (let index = 0; index < eventsPerRequest; index++) if (!ids.has(idOf(batch, index))) count += 1;
  }
  return count;
}
