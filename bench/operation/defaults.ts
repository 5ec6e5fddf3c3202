/** What the processor's settings do to cost and latency, and what a producer's batches do. */
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { environmentVariables } from "../../contracts/environment.ts";
import { bundleProcessor, type Constant } from "../streams/bundle.ts";
import { spillway } from "../streams/engines.ts";
import type { Stream } from "../streams/events.ts";
import { windowCases } from "../streams/windows.ts";
import { Arrivals } from "./arrivals.ts";
import { settingsTotals } from "./cases.ts";
import { outcomeOf } from "./child.ts";
import { SteadyLoad } from "./load.ts";
import { filled, type Measurement, Run } from "./measurement.ts";
import { percentile } from "./percentiles.ts";
import type { BatchOutcome } from "./produce-child.ts";
import { figure, type PartReport, whole } from "./report.ts";

const EVENTS = 1_000_000;
const EVENTS_PER_S = 2_000;
const WARM_UP_MS = 3_000;
const LOAD_MS = 8_000;
const KIB = 1_024;
const BATCHES = [1, 10, 100, 1_000];

interface Setting extends Omit<Constant, "value"> {
  readonly what: string;
  readonly present: number;
  readonly others: readonly number[];
}

const WORKER = "processors/engine/worker/worker.ts";
const FETCHING = "processors/adapters/kafka-membership.ts";
export const settings: readonly Setting[] = [
  {
    what: "checkpoint interval, ms",
    file: WORKER,
    name: "checkpointIntervalMs",
    present: 1_000,
    others: [250, 5_000],
  },
  {
    what: "longest wait of a fetch, ms",
    file: FETCHING,
    name: "MAX_FETCH_WAIT_MS",
    present: 100,
    others: [10, 500],
  },
  {
    what: "most bytes of a partition in a fetch",
    file: FETCHING,
    name: "MAX_PARTITION_BYTES",
    present: KIB * KIB,
    others: [64 * KIB, 4 * KIB * KIB],
  },
  {
    what: "records and rows between two looks at the event loop",
    file: WORKER,
    name: "maxStepsPerSlice",
    present: 250,
    others: [2_000],
  },
  { what: "least bytes of a fetch", file: FETCHING, name: "minBytes", present: 1, others: [64 * KIB] },
];

interface Effect {
  readonly what: string;
  readonly value: number | null;
  /** Of those that wait, from the start of the process on. */
  readonly perCpuS: number;
  readonly peakRssMib: number;
  /** At a steady rate: the share of a core, and from the moment an event was due to its committed result. */
  readonly busyShare: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export async function measureDefaults(measurement: Measurement): Promise<PartReport> {
  const { stream } = windowCases[0]!;
  await filled(measurement, stream, EVENTS);
  await filled(measurement, settingsTotals.stream, settingsTotals.stream.keys);
  const effects = [await effectOf("as they are", null, [], measurement)];
  for (const { what, others, ...constant } of settings) {
    for (const value of others) {
      effects.push(await effectOf(what, value, [{ ...constant, value }], measurement));
    }
  }
  const batches = await producing(stream, measurement);
  return {
    title: "Settings",
    text:
      `Events/CPU-s: ${windowCases[0]!.title}, of ${whole(EVENTS)} events that wait, the start of the process included. Share of a core ` +
      `and latency: totals of 10 k keys at ${whole(EVENTS_PER_S)} events/s, from the moment at which an event was due to its ` +
      `result, read as committed. As they are: ${settings.map(({ what, present }) => `${what} ${whole(present)}`).join("; ")}.`,
    tables: [
      {
        heads: ["setting", "value", "events/CPU-s", "peak RSS, MiB", "share of a core", "p50, ms", "p99, ms"],
        rows: effects.map((each) => [
          each.what,
          whole(each.value),
          whole(each.perCpuS),
          whole(each.peakRssMib),
          `${figure(each.busyShare * 100)} %`,
          whole(each.p50Ms),
          whole(each.p99Ms),
        ]),
      },
      {
        heads: ["records of a produce request", "records/CPU-s", "records/s", "a request, ms"],
        rows: batches.map(({ records, perCpuS, perS, p50Ms }) => [
          whole(records),
          whole(perCpuS),
          whole(perS),
          figure(p50Ms),
        ]),
      },
    ],
    targets: [],
    data: { effects, batches },
  };
}

async function effectOf(
  what: string,
  value: number | null,
  constants: readonly Constant[],
  measurement: Measurement,
): Promise<Effect> {
  const bundle = join(
    measurement.platform.directory,
    `settings-${constants.map((each) => `${each.name}-${value}`)}.mjs`,
  );
  await bundleProcessor(bundle, { pipelines: join(import.meta.dirname, "pipelines.ts"), constants });
  const effect = {
    what,
    value,
    ...(await catchingUp(bundle, measurement)),
    ...(await atSteadyRate(bundle, measurement)),
  };
  measurement.say(
    `${what} ${value ?? ""}: ${whole(effect.perCpuS)} events/CPU-s, p99 ${whole(effect.p99Ms)} ms`,
  );
  return effect;
}

async function catchingUp(
  bundle: string,
  measurement: Measurement,
): Promise<Pick<Effect, "perCpuS" | "peakRssMib">> {
  const engine = spillway({ bundle, env: measurement.platform.env });
  const run = await Run.open(measurement, engine, windowCases[0]!);
  try {
    const { child } = run.start();
    const events = await run.untilCaughtUp();
    return { perCpuS: events / child.cpuS(), peakRssMib: child.peakRssMib };
  } finally {
    await run.close();
  }
}

async function atSteadyRate(
  bundle: string,
  measurement: Measurement,
): Promise<Pick<Effect, "busyShare" | "p50Ms" | "p99Ms">> {
  const { platform, signal } = measurement;
  const { stream } = settingsTotals;
  const engine = spillway({ bundle, env: platform.env });
  const run = await Run.open(measurement, engine, settingsTotals);
  try {
    const { child } = run.start();
    const first = await run.untilCaughtUp();
    const load = new SteadyLoad(platform.broker, { stream, first, eventsPerS: EVENTS_PER_S });
    const arrivals = new Arrivals(engine, stream);
    const follower = await platform.broker.follow({
      topic: run.resultsTopic,
      from: "end",
      onMessages: (messages, partition) => arrivals.add(messages, partition, load),
    });
    await delay(WARM_UP_MS, undefined, { signal });
    arrivals.all.length = 0;
    const [fromCpuS, fromMs] = [child.cpuS(), performance.now()];
    await delay(LOAD_MS, undefined, { signal });
    const busyShare = ((child.cpuS() - fromCpuS) * 1_000) / (performance.now() - fromMs);
    await load.stop();
    await follower.stop();
    if (arrivals.wrong > 0) throw new Error(`${arrivals.wrong} results are wrong or came twice`);
    const waits = arrivals.all.map(({ atMs, dueMs }) => atMs - dueMs);
    return { busyShare, p50Ms: percentile(waits, 0.5)!, p99Ms: percentile(waits, 0.99)! };
  } finally {
    await run.close();
  }
}

async function producing({ keys }: Stream, measurement: Measurement): Promise<BatchOutcome[]> {
  const { broker } = measurement.platform;
  const topic = "bench-batches";
  await broker.createTopics([topic]);
  const env = { [environmentVariables.bootstrapServers]: broker.bootstrapServers };
  const outcomes: BatchOutcome[] = [];
  for (const records of BATCHES) {
    const stream: Stream = { topic, keys, order: "random" };
    outcomes.push(await outcomeOf<BatchOutcome>("produce-child.ts", { stream, records }, env));
  }
  return outcomes;
}
