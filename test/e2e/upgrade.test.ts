/** A new version beside a running pipeline: from a savepoint, from an event time, and after a reset. */
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { flushWindows } from "../../cli/demo/flush.ts";
import { GroupProgress } from "../../cli/demo/group.ts";
import { replay } from "../../cli/demo/replay.ts";
import { readTopic } from "../../cli/demo/topic-reader.ts";
import { type EventBatch, eventBatches, loadFlights, PARTITIONS } from "../../cli/flights/flights.ts";
import { consumerGroup } from "../../contracts/environment.ts";
import { flightDeparted } from "../../contracts/events/catalogue.ts";
import type { ResultRecord } from "../../contracts/results.ts";
import { lateTopic, resultsTopic } from "../../contracts/topics.ts";
import { KafkaLog } from "../../processors/adapters/kafka-log.ts";
import { readSavepoint } from "../../processors/engine/checkpoint/savepoint.ts";
import {
  count,
  events,
  HOUR_MS,
  max,
  mean,
  min,
  type PipelineDefinition,
  pipeline,
  type StartAt,
  tumbling,
} from "../../processors/engine/pipeline/dsl.ts";
import { Worker } from "../../processors/engine/worker/worker.ts";
import { createTopic } from "../support/kafka-topics.ts";
import { Checkpoints } from "./checkpoints.ts";
import { eventually } from "./eventually.ts";
import { type RunningPlatform, startPlatform } from "./running-platform.ts";

vi.setConfig({ testTimeout: 180_000 });

const EVENTS = 6_000;
const TOPIC = flightDeparted.topic;
const FIRST = "airport-delays";
const launcher = fileURLToPath(new URL("../../cli/spillway.mjs", import.meta.url));

let running: RunningPlatform;
let database: DuckDBInstance;
let db: DuckDBConnection;
const stops: (() => Promise<void>)[] = [];
beforeAll(async () => {
  database = await DuckDBInstance.create(":memory:");
  db = await database.connect();
  await loadFlights(db, EVENTS);
  running = await startPlatform();
});
afterAll(async () => {
  for (const stop of stops) await stop();
  await running?.stop();
  database?.closeSync();
});

it("goes on from a savepoint, or begins at an event time, and comes to the same results; so does a reset", async () => {
  const { control, kafka } = running;
  const [first, second] = await halves();
  await send(first);
  await untilAllIsCommitted(FIRST);
  expect(await spillway("savepoint", FIRST, "--name", "before-v2")).toMatchObject({ code: 0 });
  const savedMs = await watermarkOfSavepoint();
  const fromMs = Math.floor((await medianDepartureMs()) / HOUR_MS) * HOUR_MS;

  await send(second);
  await run(version("delays-v2", { savepoint: "before-v2", of: FIRST }));
  await run(version("delays-v3", { eventTimeMs: fromMs }));
  await flushWindows(kafka, TOPIC, Date.UTC(2001, 6, 1));
  for (const name of [FIRST, "delays-v2", "delays-v3"]) await untilAllIsCommitted(name);

  // Every window that no task had closed at the savepoint, and every one from the event time on.
  const sinceSavepoint = await compare("delays-v2", Math.floor(savedMs / HOUR_MS + 1) * HOUR_MS);
  expect(sinceSavepoint.code, sinceSavepoint.stdout).toBe(0);
  const sinceTime = await compare("delays-v3", fromMs);
  expect(sinceTime.code, sinceTime.stdout).toBe(0);
  for (const { stdout } of [sinceSavepoint, sinceTime]) {
    expect(Number(/^(\d+) results are equal/.exec(stdout)![1])).toBeGreaterThan(100);
    expect(stdout).toContain("only one has them: farthestMi");
  }
  const earlier = (await results("delays-v3")).filter(({ window }) => window.start < fromMs);
  expect(earlier).toEqual([]);

  expect(await spillway("reset", FIRST, "--discard-state")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("members"),
  });
  await control.scale(0);
  const reset = await spillway("reset", FIRST, "--discard-state");
  expect(reset.stdout).toContain(`${FIRST}: ${PARTITIONS} tasks begin anew, with results of generation 2`);
  await control.scale(2);
  await untilAllIsCommitted(FIRST);
  expect((await compare("delays-v3", fromMs)).code).toBe(0);
  const generations = (await results(FIRST)).map(({ version }) => version.generation);
  expect(generations.filter((generation) => generation === 2)).toHaveLength(generations.length / 2);
});

/** The deployed pipeline with one aggregate more. */
function version(name: string, startAt: StartAt): PipelineDefinition {
  return pipeline(name, { startAt })
    .from(events(flightDeparted), { outOfOrderMs: HOUR_MS, idleTimeoutMs: null })
    .keyBy((flight) => flight.data.origin)
    .window(tumbling({ sizeMs: HOUR_MS }))
    .aggregate({
      flights: count(),
      meanDelayMin: mean((flight) => flight.data.delayMin),
      maxDelayMin: max((flight) => flight.data.delayMin),
      minDelayMin: min((flight) => flight.data.delayMin),
      delayed: count((flight) => flight.data.delayMin > 15),
      farthestMi: max((flight) => flight.data.distanceMi),
    })
    .toResults();
}

/** Runs a pipeline in this process, beside the platform's own. */
async function run(definition: PipelineDefinition): Promise<void> {
  const { control, kafka, platform } = running;
  await createTopic(kafka, resultsTopic(definition.name), PARTITIONS);
  await createTopic(kafka, lateTopic(definition.name), PARTITIONS);
  const log = new KafkaLog({ bootstrapServers: platform.bootstrapServers, clientId: definition.name });
  const context = {
    log,
    store: new Checkpoints(await control.state()).store,
    clock: {
      nowMs: () => Math.round(performance.now()),
      epochMs: () => Date.now(),
      sleep: (ms: number, signal: AbortSignal) => delay(ms, undefined, { signal }).catch(() => undefined),
      yield: () => new Promise<void>((resolve) => setImmediate(resolve)),
    },
    newId: randomUUID,
    observer: {
      recovered: () => undefined,
      checkpointed: () => undefined,
      parked: (_: unknown, code: string, message: string) => reject(new Error(`${code}: ${message}`)),
      dropped: () => undefined,
      retried: () => undefined,
      failed: (_: unknown, error: Error) => reject(error),
    },
    environment: "dev",
    owner: "test",
    definition,
  };
  const worker = new Worker(context, { onCrash: reject });
  stops.push(async () => {
    await worker.finish();
    await log.close();
  });
  await worker.start();
}

/** What a worker of this process failed of: looked at while the test waits. */
let failure: Error | undefined;
const reject = (error: Error): void => {
  failure ??= error;
};

async function spillway(...args: readonly string[]) {
  const all = [launcher, ...args, "--control", running.platform.control.url];
  try {
    return { code: 0, ...(await promisify(execFile)(process.execPath, all)) };
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string };
  }
}

const compare = (other: string, fromMs: number) =>
  spillway("compare", FIRST, other, "--from", new Date(fromMs).toISOString());

/** The latest watermark among the tasks of the savepoint. */
async function watermarkOfSavepoint(): Promise<number> {
  const { store } = new Checkpoints(await running.control.state());
  const { tasks } = await readSavepoint(store, "dev", FIRST, "before-v2");
  expect(tasks.map(({ partition }) => partition)).toEqual([0, 1, 2, 3]);
  return Math.max(...tasks.map(({ watermarkMs }) => watermarkMs!));
}

async function results(series: string): Promise<ResultRecord[]> {
  const all: ResultRecord[] = [];
  await readTopic(
    running.kafka,
    resultsTopic(series),
    ({ messages }) => {
      for (const { value } of messages) all.push(JSON.parse(value!.toString()) as ResultRecord);
    },
    running.platform.signal,
  );
  return all;
}

async function medianDepartureMs(): Promise<number> {
  const reader = await db.runAndReadAll("SELECT median(time_ms)::DOUBLE FROM flights");
  return reader.getRows()[0]![0] as number;
}

async function halves(): Promise<[EventBatch[], EventBatch[]]> {
  const all: EventBatch[] = [];
  for await (const batch of eventBatches(db, 500)) all.push(batch);
  return [all.slice(0, all.length / 2), all.slice(all.length / 2)];
}

async function send(batches: readonly EventBatch[]): Promise<void> {
  await replay({
    url: `${running.platform.ingestUrl}/events`,
    batches: (async function* () {
      yield* batches;
    })(),
    onAccepted: () => undefined,
    onRetry: () => undefined,
    signal: running.platform.signal,
  });
}

async function untilAllIsCommitted(name: string): Promise<void> {
  const group = new GroupProgress(running.admin, consumerGroup("dev", name), TOPIC);
  await eventually(async () => {
    if (failure !== undefined) throw failure;
    const [committed, ends] = [await group.committed(), await group.ends()];
    return [...ends].every(([partition, end]) => committed.get(partition) === end) || undefined;
  });
}
