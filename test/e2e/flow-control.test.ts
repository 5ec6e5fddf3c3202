/** A person holds the spillway back: what is accepted meanwhile stays in the stream, and is counted once it drains. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { KafkaMessage } from "kafkajs";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { flushWindows } from "../../cli/demo/flush.ts";
import { GroupProgress } from "../../cli/demo/group.ts";
import { readManifests } from "../../cli/demo/tasks.ts";
import { readTopic } from "../../cli/demo/topic-reader.ts";
import { consumerGroup } from "../../contracts/environment.ts";
import { flightDeparted, loginSucceeded } from "../../contracts/events/catalogue.ts";
import { Checkpoints } from "./checkpoints.ts";
import { eventually } from "./eventually.ts";
import { type RunningPlatform, startPlatform } from "./running-platform.ts";

vi.setConfig({ testTimeout: 240_000 });

const TOPIC = flightDeparted.topic;
const GROUP = consumerGroup("dev", "airport-delays");
const START_MS = Date.UTC(2001, 0, 1, 12);
const HOUR_MS = 3_600_000;
const BATCH = 40;

let running: RunningPlatform;
beforeAll(async () => {
  running = await startPlatform();
});
afterAll(() => running?.stop());

let sent = 0;

/** Sends a batch, which must be accepted; resolves with its events' ids. */
async function post(): Promise<readonly string[]> {
  const events = Array.from({ length: BATCH }, () => ({
    specversion: "1.0",
    id: `flight-${sent++}`,
    source: "urn:spillway:test:flow-control",
    type: flightDeparted.type,
    time: new Date(START_MS).toISOString(),
    partitionkey: "ATL",
    data: { origin: "ATL", destination: "MIA", delayMin: 1, distanceMi: 500 },
  }));
  const response = await fetch(`${running.platform.ingestUrl}/events`, {
    method: "POST",
    headers: { "content-type": "application/cloudevents-batch+json" },
    body: JSON.stringify(events),
  });
  expect(response.status).toBe(202);
  return events.map(({ id }) => id);
}

/** Sends an event of high priority, which must be accepted; resolves with its id. */
async function postLogin(): Promise<string> {
  const event = {
    specversion: "1.0",
    id: "login-1",
    source: "urn:spillway:test:flow-control",
    type: loginSucceeded.type,
    time: new Date().toISOString(),
    partitionkey: "ann",
    data: { userId: "ann", deviceId: "phone", newDevice: false, method: "passkey" },
  };
  const response = await fetch(`${running.platform.ingestUrl}/events`, {
    method: "POST",
    headers: { "content-type": "application/cloudevents+json" },
    body: JSON.stringify(event),
  });
  expect(response.status).toBe(202);
  return event.id;
}

async function idsOnTopic(topic: string = TOPIC): Promise<ReadonlySet<string>> {
  const found: KafkaMessage[] = [];
  await readTopic(running.kafka, topic, ({ messages }) => found.push(...messages), running.platform.signal);
  // Watermarks have no value.
  return new Set(found.flatMap(({ value }) => (value === null ? [] : JSON.parse(String(value)).id)));
}

async function flow(...args: readonly string[]): Promise<string> {
  const command = join(import.meta.dirname, "../../cli/spillway.mjs");
  const { stdout } = await promisify(execFile)(process.execPath, [
    command,
    "flow",
    ...args,
    "--control",
    running.platform.control.url,
  ]);
  return stdout;
}

/** What its schedule does once a minute. */
const runFlowControl = () => running.control.command("/functions/FlowControlFunction/invoke");

const reaches = (mappingState: string) =>
  eventually(async () => (await flow("status")).startsWith(`mapping   ${mappingState}`) || undefined);

it("holds, drains, and counts each event exactly once", async () => {
  const { control, kafka, admin } = running;
  await runFlowControl();
  await flow("hold", "--reason", "a test");
  await runFlowControl();
  await reaches("Disabled");

  await control.command("/links/broker-1/cut");
  const spilled = [...(await post()), ...(await post())];
  const urgent = await postLogin();
  await control.command("/links/broker-1/restore");
  // What is of high priority waits behind none of those that are held.
  await eventually(async () => (await idsOnTopic(loginSucceeded.topic)).has(urgent) || undefined);
  // Events go to Kafka again, past those that are held.
  await eventually(async () => {
    const last = await post();
    const found = await idsOnTopic();
    return last.every((id) => found.has(id)) || undefined;
  });
  const past = await idsOnTopic();
  expect(spilled.filter((id) => past.has(id))).toEqual([]);

  await flow("drain", "--reason", "the test is over");
  await runFlowControl();
  await eventually(async () => (await idsOnTopic()).size === sent || undefined);
  await flushWindows(kafka, TOPIC, START_MS + HOUR_MS);
  const progress = new GroupProgress(admin, GROUP, TOPIC);
  await eventually(async () => (await progress.lag()) === 0 || undefined);
  const { store } = new Checkpoints(await control.state());
  const manifests = await readManifests(store, admin, GROUP, TOPIC);
  const total = (name: "counted" | "late" | "dead") =>
    manifests.reduce((sum, { counters }) => sum + counters[name], 0);
  expect([total("counted"), total("late"), total("dead")]).toEqual([sent, 0, 0]);

  const status = await flow("status");
  expect(status).toMatch(/ordered {3}drain by .*: the test is over/);
  expect(status).toMatch(/mapping running → paused {2}flow-control: hold ordered by .*: a test/);
  expect(status).toMatch(/mapping paused → running {2}flow-control: drain ordered by .*: the test is over/);
});
