/** A service goes away while events are enriched, and a processor is killed meanwhile: each counts once, and says so. */
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { flushWindows } from "../../cli/demo/flush.ts";
import { GroupProgress } from "../../cli/demo/group.ts";
import { readManifests } from "../../cli/demo/tasks.ts";
import { readTopic } from "../../cli/demo/topic-reader.ts";
import { consumerGroup } from "../../contracts/environment.ts";
import { telemetryReported } from "../../contracts/events/catalogue.ts";
import type { ResultRecord } from "../../contracts/results.ts";
import { resultsTopic } from "../../contracts/topics.ts";
import { Checkpoints } from "./checkpoints.ts";
import { eventually } from "./eventually.ts";
import { type RunningPlatform, startPlatform } from "./running-platform.ts";

vi.setConfig({ testTimeout: 240_000 });

const PIPELINE = "enriched-telemetry";
const { topic: TOPIC } = telemetryReported;
const GROUP = consumerGroup("dev", PIPELINE);
const START_MS = Date.UTC(2026, 0, 1, 12);
const MINUTE_MS = 60_000;
const DEVICES = 40;
const BATCHES = 10;

interface Minute {
  readonly readings: number;
  readonly country: string | null;
  readonly degraded: number;
}

let running: RunningPlatform;
beforeAll(async () => {
  running = await startPlatform(["enrichedtelemetry"]);
});
afterAll(() => running?.stop());

let sent = 0;

/** A reading of each device in this minute, from an address that nobody had before. */
async function report(minute: number): Promise<void> {
  const readings = Array.from({ length: DEVICES }, (_, device) => {
    sent += 1;
    const deviceId = `device-${device}`;
    return {
      specversion: "1.0",
      id: `reading-${sent}`,
      source: "urn:spillway:test:enrichment",
      type: telemetryReported.type,
      time: new Date(START_MS + minute * MINUTE_MS + (sent % MINUTE_MS)).toISOString(),
      partitionkey: deviceId,
      data: { deviceId, ip: `198.18.${sent >> 8}.${sent & 255}`, temperatureC: 20, batteryShare: 1 },
    };
  });
  const response = await fetch(`${running.platform.ingestUrl}/events`, {
    method: "POST",
    headers: { "content-type": "application/cloudevents-batch+json" },
    body: JSON.stringify(readings),
  });
  expect(response.status).toBe(202);
}

async function untilCommitted(): Promise<void> {
  const progress = new GroupProgress(running.admin, GROUP, TOPIC);
  await eventually(async () => (await progress.lag()) === 0 || undefined);
}

async function minutes(): Promise<readonly { readonly minute: number; readonly value: Minute }[]> {
  const found: { minute: number; value: Minute }[] = [];
  const topic = resultsTopic(PIPELINE);
  await readTopic(
    running.kafka,
    topic,
    ({ messages }) => {
      for (const { value } of messages) {
        const { window, value: minute } = JSON.parse(String(value)) as ResultRecord<Minute>;
        found.push({ minute: (window.start - START_MS) / MINUTE_MS, value: minute });
      }
    },
    running.platform.signal,
  );
  return found;
}

it("loses nothing, counts nothing twice, and tells which readings have no place", async () => {
  const { control } = running;
  const service = Object.keys((await control.state()).services).find((name) =>
    name.includes("enrichedtelemetry"),
  )!;
  for (let batch = 0; batch < BATCHES; batch++) await report(0);
  await untilCommitted();

  await control.command("/links/geolocation/cut");
  for (let batch = 0; batch < BATCHES; batch++) {
    await report(1);
    if (batch === BATCHES / 2) await control.command(`/services/${service}/kill?index=0`);
  }
  await untilCommitted();
  await control.command("/links/geolocation/restore");
  for (let batch = 0; batch < BATCHES; batch++) await report(2);
  await untilCommitted();

  await flushWindows(running.kafka, TOPIC, START_MS + 10 * MINUTE_MS);
  await untilCommitted();
  const { store } = new Checkpoints(await control.state());
  const manifests = await readManifests(store, running.admin, GROUP, TOPIC);
  const counters = manifests.map((manifest) => manifest.counters);
  expect(counters.reduce((sum, { counted }) => sum + counted, 0)).toBe(sent);
  expect(counters.reduce((sum, { late, dead }) => sum + late + dead, 0)).toBe(0);

  const rows = await minutes();
  const of = (minute: number) => rows.filter((row) => row.minute === minute).map(({ value }) => value);
  for (const minute of [0, 1, 2]) {
    expect(of(minute)).toHaveLength(DEVICES);
    expect(of(minute).map(({ readings }) => readings)).toEqual(Array(DEVICES).fill(BATCHES));
  }
  // A machine that is slow enough may time out even here.
  expect(of(0).some(({ degraded }) => degraded === 0)).toBe(true);
  expect(of(0).some(({ country }) => country !== null)).toBe(true);
  expect(of(1).every(({ degraded, country }) => degraded === BATCHES && country === null)).toBe(true);
});
