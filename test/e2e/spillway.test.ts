/** Kafka goes away while events come in: each is accepted all the same, and counted once when Kafka is back. */
import type { KafkaMessage } from "kafkajs";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { flushWindows } from "../../cli/demo/flush.ts";
import { GroupProgress } from "../../cli/demo/group.ts";
import { readManifests } from "../../cli/demo/tasks.ts";
import { readTopic } from "../../cli/demo/topic-reader.ts";
import { consumerGroup } from "../../contracts/environment.ts";
import { flightDeparted } from "../../contracts/events/catalogue.ts";
import { Checkpoints } from "./checkpoints.ts";
import { eventually } from "./eventually.ts";
import { type RunningPlatform, startPlatform } from "./running-platform.ts";

vi.setConfig({ testTimeout: 180_000 });

const TOPIC = flightDeparted.topic;
const GROUP = consumerGroup("dev", "airport-delays");
const START_MS = Date.UTC(2001, 0, 1, 12);
const HOUR_MS = 3_600_000;
const AIRPORTS = ["ATL", "JFK", "LAX", "ORD", "DFW"];
const BATCH = 40;

let running: RunningPlatform;
beforeAll(async () => {
  running = await startPlatform();
});
afterAll(() => running?.stop());

let sent = 0;

function flights(): object[] {
  return Array.from({ length: BATCH }, () => {
    const origin = AIRPORTS[sent % AIRPORTS.length]!;
    return {
      specversion: "1.0",
      id: `flight-${sent++}`,
      source: "urn:spillway:test:spillway",
      type: flightDeparted.type,
      time: new Date(START_MS).toISOString(),
      partitionkey: origin,
      data: { origin, destination: "MIA", delayMin: 1, distanceMi: 500 },
    };
  });
}

function post(events: readonly object[]): Promise<Response> {
  return fetch(`${running.platform.ingestUrl}/events`, {
    method: "POST",
    headers: { "content-type": "application/cloudevents-batch+json" },
    body: JSON.stringify(events),
  });
}

/** Sends batches, one after the other, and tells how they were answered. */
async function postBatches(count: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let batch = 0; batch < count; batch++) {
    const response = await post(flights());
    expect(response.headers.get("backpressure")).toMatch(/^\d+\.\d\d$/);
    statuses.push(response.status);
  }
  return statuses;
}

async function onTopic(): Promise<KafkaMessage[]> {
  const found: KafkaMessage[] = [];
  await readTopic(running.kafka, TOPIC, ({ messages }) => found.push(...messages), running.platform.signal);
  return found;
}

/** Watermarks have no value. */
const idsOf = (records: readonly KafkaMessage[]): string[] =>
  records.flatMap(({ value }) => (value === null ? [] : JSON.parse(String(value)).id));

it("answers 202 throughout, and each event is counted exactly once", async () => {
  const { control, kafka, admin } = running;
  const before = await postBatches(5);
  await control.command("/links/broker-1/cut");
  const during = await postBatches(30);
  await control.command("/links/broker-1/restore");
  const after = await postBatches(5);
  expect([...before, ...during, ...after].every((status) => status === 202)).toBe(true);

  await eventually(async () => new Set(idsOf(await onTopic())).size === sent || undefined);
  await flushWindows(kafka, TOPIC, START_MS + HOUR_MS);
  const progress = new GroupProgress(admin, GROUP, TOPIC);
  await eventually(async () => (await progress.lag()) === 0 || undefined);
  const { store } = new Checkpoints(await control.state());
  const manifests = await readManifests(store, admin, GROUP, TOPIC);
  const total = (name: "counted" | "late" | "dead" | "duplicate") =>
    manifests.reduce((sum, { counters }) => sum + counters[name], 0);
  expect([total("counted"), total("late"), total("dead")]).toEqual([sent, 0, 0]);
  // What Kafka had taken without being able to say so came again through the spillway.
  expect((await onTopic()).length - total("duplicate")).toBeGreaterThanOrEqual(sent);
});

it("answers 503 where Kafka and the stream are away, and takes the same events later", async () => {
  const { control } = running;
  const events = flights();
  await control.command("/links/broker-1/cut");
  await control.command("/links/kinesis/cut");
  const refused = await post(events);
  await control.command("/links/kinesis/restore");
  await control.command("/links/broker-1/restore");
  expect(refused.status).toBe(503);
  expect(refused.headers.get("retry-after")).toBe("5");
  expect((await post(events)).status).toBe(202);
  await eventually(async () => new Set(idsOf(await onTopic())).size === sent || undefined);
});

it("tells the load of each topic to those that send in other ways", async () => {
  const response = await fetch(`${running.platform.ingestUrl}/backpressure`);
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({ backpressure: 0, topics: { flights: 0 } });
});
