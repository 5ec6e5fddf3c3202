/**
 * SIGTERM and scaling under load: a last checkpoint, out of the group, exit 0; others take over at once, and only what
 * moves is recovered.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { flushWindows } from "../../cli/demo/flush.ts";
import { GroupProgress } from "../../cli/demo/group.ts";
import { replay } from "../../cli/demo/replay.ts";
import { readManifests } from "../../cli/demo/tasks.ts";
import { verify } from "../../cli/demo/verify.ts";
import { eventBatches, loadFlights } from "../../cli/flights/flights.ts";
import { consumerGroup, sinkConsumerGroup } from "../../contracts/environment.ts";
import { flightDeparted } from "../../contracts/events/catalogue.ts";
import { resultsTopic } from "../../contracts/topics.ts";
import { Checkpoints } from "./checkpoints.ts";
import { eventually } from "./eventually.ts";
import type { LogEntry } from "./local-control.ts";
import { type RunningPlatform, startPlatform } from "./running-platform.ts";

vi.setConfig({ testTimeout: 240_000 });

const EVENTS = 30_000;
const PIPELINE = "airport-delays";
const TOPIC = flightDeparted.topic;
const GROUP = consumerGroup("dev", PIPELINE);

let running: RunningPlatform;
let database: DuckDBInstance;
let db: DuckDBConnection;
beforeAll(async () => {
  database = await DuckDBInstance.create(":memory:");
  db = await database.connect();
  await loadFlights(db, EVENTS);
  running = await startPlatform();
});
afterAll(async () => {
  await running?.stop();
  database?.closeSync();
});

/** What the container runs to see whether the processor does its work; rejects where it does not. */
const healthCheck = (pid: number) =>
  promisify(execFile)(process.execPath, ["processors/healthcheck.mjs", String(pid)]);

it("hands its partitions over on SIGTERM, and as 1 processor becomes 4 and 2, and every number is exact", async () => {
  const { admin, control, said } = running;
  const sending = new Sending();
  sending.allow(0.2);
  await untilWorking(2, 0);
  for (const { pid } of await control.processes()) await healthCheck(pid!);

  const terminatedMs = Date.now();
  sending.allow(0.4);
  process.kill((await control.processes())[1]!.pid!, "SIGTERM");
  await eventually(() => said.some((line) => line.includes("[1] ended (0)")) || undefined);
  const owners = await untilWorking(2, terminatedMs);

  const shrunkMs = Date.now();
  sending.allow(0.6);
  await control.scale(1);
  // Who only dies stays a member until its session is over.
  expect((await admin.describeGroups([GROUP])).groups[0]!.members).toHaveLength(1);
  await untilWorking(1, 0);

  const grownMs = Date.now();
  sending.allow(0.8);
  await control.scale(4);
  const spread = await untilWorking(4, 0);

  const reducedMs = Date.now();
  sending.allow(1);
  await control.scale(2);
  const reduced = await untilWorking(2, 0);
  await sending.done;
  await expectExact();

  expectNotRecovered(await recoveries(grownMs), 0, spread);
  for (const stayed of new Set(reduced.values())) {
    expectNotRecovered(await recoveries(reducedMs), stayed, spread);
  }
  const moved = [...owners].filter(([, owner]) => owner === 1).map(([partition]) => partition);
  const taken = (await recoveries(shrunkMs)).filter(({ process, timestamp }) => {
    return process === 0 && Date.parse(timestamp) < grownMs;
  });
  for (const partition of moved) {
    // What was left behind had been committed, not only prepared.
    expect(taken.find((recovery) => recovery.partition === partition)?.step).toBe("load");
  }
});

/** The replay of all flights, let through by and by. */
class Sending {
  readonly done: Promise<void>;
  #allowed = Promise.withResolvers<void>();
  #share = 0;

  constructor() {
    const { ingestUrl, signal } = running.platform;
    const url = `${ingestUrl}/events`;
    this.done = replay({ url, batches: this.#batches(), onAccepted: () => {}, onRetry: () => {}, signal });
    // Awaited at the end.
    this.done.catch(() => {});
  }

  /** Lets this share of the events pass. */
  allow(share: number): void {
    this.#share = share;
    this.#allowed.resolve();
  }

  async *#batches() {
    let sent = 0;
    for await (const batch of eventBatches(db, 200)) {
      while (sent >= this.#share * EVENTS) {
        await this.#allowed.promise;
        this.#allowed = Promise.withResolvers();
      }
      yield batch;
      sent += batch.count;
    }
  }
}

/** Tasks taken over since a moment, in their order. */
async function recoveries(sinceMs: number): Promise<LogEntry[]> {
  const recovered = (await running.control.log()).filter(
    ({ message, timestamp }) => message === "task recovered" && Date.parse(timestamp) >= sinceMs,
  );
  return recovered.sort((a, b) => Date.parse(a.timestamp) - Date.parse(b.timestamp));
}

/** Which process owns which partition, once so many own some, and each partition has a commit. */
async function untilWorking(processes: number, sinceMs: number): Promise<Map<number, number>> {
  const group = new GroupProgress(running.admin, GROUP, TOPIC);
  return eventually(async () => {
    const owners = new Map(
      (await recoveries(sinceMs)).map(({ partition, process }) => [partition!, process]),
    );
    const committed = await group.committed();
    const isSettled = new Set(owners.values()).size === processes;
    return isSettled && [...committed.values()].every((next) => next > 0) ? owners : undefined;
  });
}

/** What a process kept through a rebalance went on in its memory. */
function expectNotRecovered(
  since: readonly LogEntry[],
  keeper: number,
  owners: ReadonlyMap<number, number>,
): void {
  const kept = [...owners].filter(([, owner]) => owner === keeper).map(([partition]) => partition);
  const again = since.filter(({ partition, process }) => process === keeper && kept.includes(partition!));
  expect(kept.length).toBeGreaterThan(0);
  expect(again).toEqual([]);
}

async function expectExact(): Promise<void> {
  const { admin, control, kafka, platform } = running;
  await flushWindows(kafka, TOPIC, Date.UTC(2001, 6, 1));
  const { store } = new Checkpoints(await control.state());
  const { checks, deadLetters, onTopic, repeats } = await verify({
    platform,
    kafka,
    db,
    pipeline: PIPELINE,
    topic: TOPIC,
    say: () => {},
    manifests: () => readManifests(store, admin, GROUP, TOPIC),
    processor: new GroupProgress(admin, GROUP, TOPIC),
    sink: new GroupProgress(admin, sinkConsumerGroup("dev", PIPELINE), resultsTopic(PIPELINE)),
  });
  expect(checks.filter(({ difference }) => difference.count > 0)).toEqual([]);
  // On a busy machine a request may be sent twice: the door promises at least once.
  expect({ deadLetters, events: onTopic - repeats }).toEqual({ deadLetters: 0, events: EVENTS });
}
