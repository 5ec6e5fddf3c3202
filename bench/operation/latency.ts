/** How long after an event its result is committed, at half of what the processor can do. */
import { setTimeout as delay } from "node:timers/promises";
import { defaultLimits } from "../../processors/engine/worker/worker.ts";
import type { WindowCase } from "../streams/windows.ts";
import { Arrivals } from "./arrivals.ts";
import { fewTotals, NEW_KEY, restagedTotals, totals } from "./cases.ts";
import { SteadyLoad } from "./load.ts";
import { filled, type Measurement, Run } from "./measurement.ts";
import { percentile } from "./percentiles.ts";
import { type Processor, probed } from "./processor.ts";
import { type PartReport, whole } from "./report.ts";
import {
  type StandingStill,
  standingStill,
  standingStillCells,
  standingStillHeads,
  standingStillTarget,
} from "./standing-still.ts";

interface LatencyCase {
  readonly windowCase: WindowCase;
  /** Events that are there before: what the rate is measured at, and what fills the state. */
  readonly events: number;
  readonly stages: readonly string[];
}

const cases: readonly LatencyCase[] = [
  { windowCase: fewTotals, events: 500_000, stages: [fewTotals.name] },
  { windowCase: totals, events: 1_000_000, stages: [totals.name] },
  {
    windowCase: restagedTotals,
    events: 500_000,
    stages: [`${restagedTotals.name}.${NEW_KEY}`, restagedTotals.name],
  },
];

/** Of the events that are there before, those after which the rate is measured. */
const COLD_SHARE = 0.4;
const WARM_UP_MS = 5_000;
const LOAD_MS = 25_000;
const LIMIT_MS = 2 * defaultLimits.checkpointIntervalMs;

interface Latency {
  readonly title: string;
  readonly mostEventsPerS: number;
  readonly eventsPerS: number;
  /** From the moment at which an event was due to its result, read as committed. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly results: number;
  readonly wrong: number;
  /** From the arrival of a stage's records to their commit: what it tells itself. */
  readonly stages: readonly { readonly stage: string; readonly p50Ms: number; readonly p99Ms: number }[];
  readonly checkpointP99Ms: number;
  readonly still: StandingStill;
}

export async function measureLatency(measurement: Measurement): Promise<PartReport> {
  const latencies: Latency[] = [];
  for (const each of cases) latencies.push(await measure(each, measurement));
  return {
    title: "From event to committed result",
    text:
      `At half of the rate at which the processor takes what waits, for ${LOAD_MS / 1_000} s, with a checkpoint every ` +
      `${defaultLimits.checkpointIntervalMs} ms. End to end: from the moment at which an event was due at the producer to its ` +
      "result, read as committed. Of a stage: from a record's arrival in Kafka to the commit of what it did, as the " +
      "processor tells it (`LatencyMs`). Producer, reader, broker and emulators share the cores.",
    tables: [
      {
        heads: [
          "",
          "events/s at most",
          "events/s",
          "end to end p50, ms",
          "p99, ms",
          "checkpoint p99, ms",
          "wrong",
        ],
        rows: latencies.map((each) => [
          each.title,
          ...[each.mostEventsPerS, each.eventsPerS, each.p50Ms, each.p99Ms, each.checkpointP99Ms].map(whole),
          whole(each.wrong),
        ]),
      },
      {
        heads: ["stage", "p50, ms", "p99, ms"],
        rows: latencies.flatMap(({ stages }) =>
          stages.map(({ stage, p50Ms, p99Ms }) => [stage, whole(p50Ms), whole(p99Ms)]),
        ),
      },
      {
        heads: ["standing still", ...standingStillHeads],
        rows: latencies.map(({ title, still }) => [title, ...standingStillCells(still)]),
      },
    ],
    targets: latencies.flatMap(({ title, stages, still }) => [
      ...stages.map(({ stage, p99Ms }) => ({
        what: `${title}: event to commit, p99, stage ${stage}`,
        target: `≤ ${LIMIT_MS} ms`,
        measured: `${whole(p99Ms)} ms`,
        holds: p99Ms <= LIMIT_MS,
      })),
      standingStillTarget(`${title}, half of the rate`, still),
    ]),
    data: latencies,
  };
}

async function measure(
  { windowCase, events, stages }: LatencyCase,
  measurement: Measurement,
): Promise<Latency> {
  const { platform, bundle, signal, say } = measurement;
  const { stream, title } = windowCase;
  await filled(measurement, stream, events);
  const engine = probed(bundle, platform);
  const run = await Run.open(measurement, engine, windowCase);
  try {
    const arrivals = new Arrivals(engine, stream);
    let load: SteadyLoad | undefined;
    const processor = run.start();
    // The reader has its share of the cores while the rate is measured, as it has it later.
    const follower = await platform.broker.follow({
      topic: run.resultsTopic,
      from: "start",
      onMessages: (messages, partition) => arrivals.add(messages, partition, load),
    });
    const mostEventsPerS = await fastest(run);
    const eventsPerS = Math.floor(mostEventsPerS / 2);
    const first = await platform.broker.recordsIn(stream.topic);
    load = new SteadyLoad(platform.broker, { stream, first, eventsPerS });
    await delay(WARM_UP_MS, undefined, { signal });
    arrivals.all.length = 0;
    processor.takeWatched();
    processor.forgetMetrics();
    await delay(LOAD_MS, undefined, { signal });
    const still = standingStill(processor.takeWatched());
    await load.stop();
    await processor.child.stop();
    await follower.stop();
    const latency: Latency = {
      title,
      mostEventsPerS,
      eventsPerS,
      ...latenciesOf(arrivals),
      stages: stages.map((stage) => ({ stage, ...percentilesOf(processor, stage, "latencyMs") })),
      checkpointP99Ms: Math.max(
        ...stages.map((stage) => percentilesOf(processor, stage, "checkpointMs").p99Ms),
      ),
      still,
    };
    say(`${title}: ${eventsPerS} events/s, p99 ${whole(latency.p99Ms)} ms`);
    return latency;
  } finally {
    await run.close();
  }
}

/** How many events a second it takes of those that wait, to their results, once its code is warm. */
async function fastest(run: Run): Promise<number> {
  const events = await run.recordsWaiting();
  const coldEvents = events * COLD_SHARE;
  await run.untilWritten(coldEvents);
  const fromMs = performance.now();
  await run.untilWritten(events);
  return ((events - coldEvents) * 1_000) / (performance.now() - fromMs);
}

function latenciesOf({ all, wrong }: Arrivals): Pick<Latency, "p50Ms" | "p99Ms" | "results" | "wrong"> {
  const waits = all.map(({ atMs, dueMs }) => atMs - dueMs);
  return { p50Ms: percentile(waits, 0.5)!, p99Ms: percentile(waits, 0.99)!, results: all.length, wrong };
}

function percentilesOf(
  processor: Processor,
  stage: string,
  name: "latencyMs" | "checkpointMs",
): { readonly p50Ms: number; readonly p99Ms: number } {
  const values = processor.metric(stage, name);
  return { p50Ms: percentile(values, 0.5)!, p99Ms: percentile(values, 0.99)! };
}
