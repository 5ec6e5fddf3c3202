/** How long results stop when a process is killed, is replaced, or gets another beside it, with a million rows of state. */
import { setTimeout as delay } from "node:timers/promises";
import { sessionTimeoutMs } from "../../contracts/limits.ts";
import { median } from "../median.ts";
import { type Engine, kafkaStreams, spillway } from "../streams/engines.ts";
import { PARTITIONS } from "../streams/events.ts";
import { Arrivals, longestGapMs } from "./arrivals.ts";
import { totals } from "./cases.ts";
import { SteadyLoad } from "./load.ts";
import { filled, type Measurement, Run, until } from "./measurement.ts";
import type { Processor } from "./processor.ts";
import { figure, type PartReport, whole } from "./report.ts";

const ROWS = 1_000_000;
const EVENTS_PER_S = 2_000;
const KILLS = 3;
/** The processor's own (processors/adapters/kafka-log.ts), as the session timeout is; Kafka Streams is given the same. */
const HEARTBEAT_MS = 1_000;
/** Between two disturbances. */
const CALM_MS = 4_000;
/** In which a partition that moves has moved, or the engine means to move it later. */
const MOVE_MS = 10_000;
const ALLOWED_KILL_S = sessionTimeoutMs / 1_000 + 3;
const ALLOWED_MOVE_S = HEARTBEAT_MS / 1_000 + 2;
const LEAST_ROWS_PER_S = 1_000_000;

interface Kill {
  /** From the signal to the first right result, read as committed, of an event that was sent after it. */
  readonly firstS: number;
  /** To the first of every partition. */
  readonly allS: number;
}

interface EngineRecovery {
  readonly engine: string;
  readonly kills: readonly Kill[];
  /** The longest time without a result of the partition that waited longest: a process ends, another starts at once. */
  readonly replacedS: number;
  /** The same while a process is started beside the one, and while it leaves; null of an engine that moves nothing yet. */
  readonly addedS: number | null;
  readonly leftS: number | null;
  readonly wrong: number;
  /** Of each recovery after a kill, of the task that took longest; what the engine says itself. */
  readonly recoveriesMs: readonly number[];
}

export async function measureRecovery(measurement: Measurement): Promise<PartReport> {
  const { platform, bundle, jars } = measurement;
  await filled(measurement, totals.stream, ROWS);
  const variant = { store: "in memory", collector: "Parallel", emission: "emit on close" } as const;
  const streams = kafkaStreams(jars, variant, {
    sessionTimeoutMs,
    heartbeatMs: HEARTBEAT_MS,
  });
  const own = await measure(spillway({ bundle, env: platform.env }), measurement, true);
  const peer = await measure({ ...streams, name: "Kafka Streams 4.1" }, measurement, false);
  return reportOf([own, peer]);
}

/** @param scales whether a partition moves soon after a process is added */
async function measure(engine: Engine, measurement: Measurement, scales: boolean): Promise<EngineRecovery> {
  const { platform, signal, say } = measurement;
  const { broker } = platform;
  const { stream } = totals;
  const run = await Run.open(measurement, engine, totals);
  try {
    let processor = run.start();
    const first = await run.untilCaughtUp();
    const load = new SteadyLoad(broker, { stream, first, eventsPerS: EVENTS_PER_S });
    const arrivals = new Arrivals(engine, stream);
    const follower = await broker.follow({
      topic: run.resultsTopic,
      from: "end",
      onMessages: (messages, partition) => arrivals.add(messages, partition, load),
    });
    const watch = { arrivals, signal };
    const kills: Kill[] = [];
    const recoveriesMs: number[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      await delay(CALM_MS, undefined, { signal });
      const killedMs = performance.now();
      await processor.child.kill();
      processor = run.start();
      kills.push(await firstResults(watch, killedMs));
      recoveriesMs.push(...longestRecovery(processor));
      say(`${engine.name}: killed, ${figure(kills.at(-1)!.firstS)} s`);
    }
    const replacedS = await disturbed(watch, () => {
      const leaving = processor.child.stop();
      processor = run.start();
      return leaving;
    });
    const { addedS, leftS } = scales ? await scaled(run, watch) : { addedS: null, leftS: null };
    await load.stop();
    await follower.stop();
    return { engine: engine.name, kills, replacedS, addedS, leftS, wrong: arrivals.wrong, recoveriesMs };
  } finally {
    await run.close();
  }
}

/** One process more, and then one fewer. */
async function scaled(run: Run, watch: Watch): Promise<Pick<EngineRecovery, "addedS" | "leftS">> {
  let added: Processor | undefined;
  const addedS = await disturbed(watch, async () => {
    added = run.start();
  });
  return { addedS, leftS: await disturbed(watch, () => added!.child.stop()) };
}

interface Watch {
  readonly arrivals: Arrivals;
  readonly signal: AbortSignal;
}

async function firstResults({ arrivals, signal }: Watch, sinceMs: number): Promise<Kill> {
  const from = arrivals.all.length;
  const found = new Map<number, number>();
  await until(
    "a result of every partition",
    () => {
      for (const { partition, atMs, dueMs } of arrivals.all.slice(from)) {
        if (dueMs > sinceMs && !found.has(partition)) found.set(partition, (atMs - sinceMs) / 1_000);
      }
      return found.size === PARTITIONS;
    },
    signal,
  );
  return { firstS: Math.min(...found.values()), allS: Math.max(...found.values()) };
}

/** @returns the longest time without a result, of any partition, while something is done and after it */
async function disturbed({ arrivals, signal }: Watch, act: () => Promise<void>): Promise<number> {
  await delay(CALM_MS, undefined, { signal });
  const fromMs = performance.now();
  await act();
  await delay(MOVE_MS, undefined, { signal });
  const toMs = performance.now();
  const gaps = Array.from({ length: PARTITIONS }, (_, partition) =>
    longestGapMs(
      arrivals.all.filter((arrival) => arrival.partition === partition),
      fromMs,
      toMs,
    ),
  );
  return Math.max(...gaps) / 1_000;
}

/** None of an engine that does not tell. */
const longestRecovery = ({ recovered }: Processor): readonly number[] =>
  recovered.length === 0 ? [] : [Math.max(...recovered.map(({ recoveryMs }) => recoveryMs))];

function reportOf(engines: readonly EngineRecovery[]): PartReport {
  const [own] = engines as [EngineRecovery];
  const killedS = median(own.kills.map(({ firstS }) => firstS));
  const rowsPerS = ROWS / (median(own.recoveriesMs) / 1_000);
  return {
    title: "A process is killed, replaced, added",
    text:
      `${whole(ROWS)} rows in ${PARTITIONS} partitions, ${whole(EVENTS_PER_S)} events/s that each have a result, read as ` +
      `committed and checked. Session timeout ${sessionTimeoutMs / 1_000} s, heartbeat ${HEARTBEAT_MS / 1_000} s, both ` +
      "engines; a new process has an empty disk, and is started at the moment of the signal. Killed: from SIGKILL to the " +
      `first result of an event sent after it, median of ${KILLS}. The others: the longest time without a result of any ` +
      "partition, of which a second is the checkpoint interval.",
    tables: [
      {
        heads: [
          "",
          "killed, s",
          "all partitions, s",
          "replaced, s",
          "one added, s",
          "one leaves, s",
          "wrong results",
        ],
        rows: engines.map(({ engine, kills, replacedS, addedS, leftS, wrong }) => [
          engine,
          figure(median(kills.map(({ firstS }) => firstS))),
          figure(median(kills.map(({ allS }) => allS))),
          figure(replacedS),
          figure(addedS),
          figure(leftS),
          whole(wrong),
        ]),
      },
    ],
    targets: [
      target("kill -9 to the first committed right result", ALLOWED_KILL_S, killedS),
      target("a process is replaced after SIGTERM", ALLOWED_MOVE_S, own.replacedS),
      target("a process is added", ALLOWED_MOVE_S, own.addedS!),
      target("a process leaves", ALLOWED_MOVE_S, own.leftS!),
      {
        what: "rows recovered a second, all that a recovery does included",
        target: `≥ ${whole(LEAST_ROWS_PER_S)}`,
        measured: whole(rowsPerS),
        holds: rowsPerS >= LEAST_ROWS_PER_S,
      },
      {
        what: "results that are wrong or twice, either engine",
        target: "0",
        measured: whole(engines.reduce((sum, { wrong }) => sum + wrong, 0)),
        holds: engines.every(({ wrong }) => wrong === 0),
      },
    ],
    data: engines,
  };
}

const target = (what: string, allowedS: number, measuredS: number): PartReport["targets"][number] => ({
  what,
  target: `≤ ${allowedS} s`,
  measured: `${figure(measuredS)} s`,
  holds: measuredS <= allowedS,
});
