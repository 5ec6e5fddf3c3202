/** Lost state: a task whose checkpoint is gone, changed or unknown parks and says so; the others go on exactly. */
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { compareWindows } from "../../cli/demo/compare.ts";
import { flushWindows } from "../../cli/demo/flush.ts";
import { type Committed, GroupProgress } from "../../cli/demo/group.ts";
import { replay } from "../../cli/demo/replay.ts";
import { readManifests } from "../../cli/demo/tasks.ts";
import { loadLog, loadResults } from "../../cli/demo/topic-tables.ts";
import { judgeLog } from "../../cli/flights/expected.ts";
import { type EventBatch, eventBatches, loadFlights, PARTITIONS } from "../../cli/flights/flights.ts";
import { consumerGroup } from "../../contracts/environment.ts";
import { flightDeparted } from "../../contracts/events/catalogue.ts";
import { committedManifest } from "../../processors/engine/checkpoint/inspect.ts";
import { decodePointer } from "../../processors/engine/checkpoint/manifest.ts";
import { Checkpoints } from "./checkpoints.ts";
import { eventually } from "./eventually.ts";
import { type RunningPlatform, startPlatform } from "./running-platform.ts";

vi.setConfig({ testTimeout: 180_000 });

const EVENTS = 12_000;
const HOUR_MS = 3_600_000;
const PIPELINE = "airport-delays";
const TOPIC = flightDeparted.topic;
const GROUP = consumerGroup("dev", PIPELINE);
/** What is done to which partition's checkpoint. */
const [DELETED, ALTERED, UNKNOWN, SOUND] = [0, 1, 2, 3];

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

it("parks the tasks whose checkpoints are missing, corrupt or unknown, and nothing wrong is published", async () => {
  const { admin, control, kafka } = running;
  const group = new GroupProgress(admin, GROUP, TOPIC);
  const [first, second] = await halves(eventBatches(db, 500));
  await send(first);
  await untilAllIsCommitted(group);
  await control.scale(0);
  await damage();
  const before = await group.committed();

  await send(second);
  await flushWindows(kafka, TOPIC, Date.UTC(2001, 6, 1));
  await control.scale(2);
  const parked = await eventually(async () => {
    const entries = (await control.log()).filter(({ message }) => message === "task parked");
    return new Set(entries.map(({ partition }) => partition)).size === 3 ? entries : undefined;
  });
  const ends = await group.ends();
  await eventually(async () => (await group.committed()).get(SOUND) === ends.get(SOUND) || undefined);

  const codes = Object.fromEntries(parked.map(({ partition, code }) => [partition, code]));
  expect(codes).toEqual({ [DELETED]: "missing", [ALTERED]: "corrupt", [UNKNOWN]: "unknown-checkpoint" });
  const after = await group.committed();
  for (const partition of [DELETED, ALTERED, UNKNOWN]) {
    expect(after.get(partition)).toBe(before.get(partition));
  }
  expect((await control.processes()).map(({ restarts }) => restarts)).toEqual([0, 0]);
  await expectExactResults(before);
});

async function halves(stream: AsyncIterable<EventBatch>): Promise<[EventBatch[], EventBatch[]]> {
  const batches: EventBatch[] = [];
  for await (const batch of stream) batches.push(batch);
  return [batches.splice(0, batches.length >> 1), batches];
}

function send(batches: readonly EventBatch[]): Promise<void> {
  const { ingestUrl, signal } = running.platform;
  const stream = (async function* () {
    yield* batches;
  })();
  const url = `${ingestUrl}/events`;
  return replay({ url, batches: stream, onAccepted: () => {}, onRetry: () => {}, signal });
}

/** Nothing is left to process, and no firing to end. */
async function untilAllIsCommitted(group: GroupProgress): Promise<void> {
  const { admin, control } = running;
  const { store } = new Checkpoints(await control.state());
  await eventually(async () => {
    if ((await group.lag()) > 0) return undefined;
    const manifests = await readManifests(store, admin, GROUP, TOPIC);
    return manifests.some(({ firing }) => firing) ? undefined : true;
  });
}

/** Deletes one task's manifest, flips a bit in another one's snapshot, forgets that a third was ever there. */
async function damage(): Promise<void> {
  const { admin, control } = running;
  const checkpoints = new Checkpoints(await control.state());
  const { store } = checkpoints;
  const [entry] = await admin.fetchOffsets({ groupId: GROUP, topics: [TOPIC] });
  const metadata = new Map(entry!.partitions.map((committed) => [committed.partition, committed.metadata!]));
  await store.delete([decodePointer(metadata.get(DELETED)!)!.manifest]);
  const { base } = await committedManifest(store, metadata.get(ALTERED)!);
  const bytes = (await store.get(base.name))!;
  bytes[bytes.length >> 1]! ^= 1;
  await store.put(base.name, bytes);
  await checkpoints.deleteSlot(`dev/${PIPELINE}/${UNKNOWN}`);
}

/**
 * Holds the results topic against what the log says: all of it where the task went on, up to where they parked for
 * the others. There the windows are published that the watermark had closed by then.
 */
async function expectExactResults(parkedAt: Committed): Promise<void> {
  const { kafka, platform } = running;
  const reading = { kafka, db, signal: platform.signal };
  await loadLog(reading, TOPIC);
  for (const partition of [DELETED, ALTERED, UNKNOWN]) {
    await db.run(`DELETE FROM log WHERE part = ${partition} AND off >= ${parkedAt.get(partition)}`);
  }
  await judgeLog(db);
  await db.run(`DELETE FROM expected USING (
      SELECT DISTINCT origin, w FROM judged JOIN (
        SELECT part, max(coalesce(watermark_ms, time_ms - ${HOUR_MS})) AS w FROM log GROUP BY part
      ) USING (part)
    ) open WHERE key = origin AND window_end > w`);
  await loadResults(reading, PIPELINE);
  expect(await compareWindows(db, "published")).toEqual({ count: 0, examples: [] });
  const rows = await db.runAndReadAll(
    "SELECT part::INTEGER, count(*)::INTEGER FROM published JOIN (SELECT DISTINCT origin, part FROM judged) ON key = origin GROUP BY part",
  );
  // Every task had published something, so that there was something to get wrong.
  expect(rows.getRows().map(([partition]) => partition)).toHaveLength(PARTITIONS);
}
