/**
 * What the door would refuse is put straight on the topic: each is judged by itself, and nothing stops. And the smoke test
 * of deployed environments, here since it needs nothing of its platform but that it runs.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { KafkaMessage, Message } from "kafkajs";
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from "vitest";
import { flushWindows } from "../../cli/demo/flush.ts";
import { readTopic } from "../../cli/demo/topic-reader.ts";
import type { CloudEvent } from "../../contracts/cloudevent.ts";
import { type DeadLetterReason, deadLetterHeaders } from "../../contracts/dead-letter.ts";
import { consumerGroup } from "../../contracts/environment.ts";
import { flightDeparted } from "../../contracts/events/catalogue.ts";
import { partitionOf } from "../../contracts/partitioning.ts";
import type { ResultRecord } from "../../contracts/results.ts";
import { DEAD_LETTERS_TOPIC, resultsTopic, topics } from "../../contracts/topics.ts";
import { type RunningPlatform, startPlatform } from "./running-platform.ts";
import { taskCounters } from "./task-counters.ts";

vi.setConfig({ testTimeout: 120_000 });

const TOPIC = flightDeparted.topic;
const PIPELINE = "airport-delays";
const GROUP = consumerGroup("dev", PIPELINE);
const PARTITIONS = topics[TOPIC].partitions;
const AIRPORT = "JFK";
const PARTITION = partitionOf(Buffer.from(AIRPORT), PARTITIONS);
const ELSEWHERE = (PARTITION + 1) % PARTITIONS;
const START_MS = Date.UTC(2001, 0, 1, 12);
const HOUR_MS = 3_600_000;
const LAUNCHER = fileURLToPath(new URL("../../cli/spillway.mjs", import.meta.url));

let running: RunningPlatform;
beforeAll(async () => {
  running = await startPlatform();
});
afterAll(() => running?.stop());

function flight(id: string, delayMin: unknown, changes: object = {}): CloudEvent & object {
  return {
    specversion: "1.0",
    id,
    source: "urn:spillway:test:bad-records",
    type: flightDeparted.type,
    time: new Date(START_MS).toISOString(),
    subject: AIRPORT,
    partitionkey: AIRPORT,
    data: { origin: AIRPORT, destination: "LAX", delayMin, distanceMi: 2475 },
    ...changes,
  };
}

const json = (event: object): Buffer => Buffer.from(JSON.stringify(event));
const at = (value: Buffer | null, changes: Partial<Message> = {}): Message => ({
  key: AIRPORT,
  partition: PARTITION,
  value,
  ...changes,
});

interface Bad {
  readonly name: string;
  readonly record: Message;
  readonly reason: DeadLetterReason;
}

const bad: readonly Bad[] = [
  { name: "invalid UTF-8", record: at(Buffer.from([0x7b, 0xff, 0xfe, 0x7d])), reason: "undecodable" },
  { name: "invalid JSON", record: at(Buffer.from('{"specversion":"1.0",')), reason: "undecodable" },
  { name: "JSON that is no object", record: at(Buffer.from("[1]")), reason: "undecodable" },
  { name: "no value", record: at(null), reason: "undecodable" },
  { name: "neither key nor value", record: at(null, { key: null }), reason: "undecodable" },
  {
    name: "a watermark that is no number",
    record: at(null, { key: null, headers: { "spillway-watermark-ms": "soon" } }),
    reason: "undecodable",
  },
  {
    name: "a watermark with a key",
    record: at(null, { headers: { "spillway-watermark-ms": String(START_MS + 100 * HOUR_MS) } }),
    reason: "undecodable",
  },
  {
    name: "a type that the catalogue does not know",
    record: at(json(flight("unknown-type", 9, { type: "flight.vanished" }))),
    reason: "undecodable",
  },
  {
    name: "a key of another partition",
    record: at(json(flight("elsewhere", 9)), { partition: ELSEWHERE }),
    reason: "key-elsewhere",
  },
  {
    name: "time in 2099",
    record: at(json(flight("2099", 9, { time: "2099-01-01T00:00:00Z" }))),
    reason: "too-far-ahead",
  },
  { name: "no time", record: at(json(flight("no-time", 9, { time: undefined }))), reason: "missing-time" },
  {
    name: "a time that is none",
    record: at(json(flight("bad-time", 9, { time: "noon" }))),
    reason: "missing-time",
  },
  { name: "data of the wrong type", record: at(json(flight("text", "nine"))), reason: "invalid-event" },
  {
    name: "no data",
    record: at(json(flight("no-data", 9, { data: undefined }))),
    reason: "undecodable",
  },
  {
    name: "a key of 10 kB",
    record: at(json(flight("long", 9, { data: { origin: "A".repeat(10_000), delayMin: 9 } }))),
    reason: "key-too-large",
  },
];

/** Valid events, one before and one after each bad record, and some of them twice. */
const delays = Array.from({ length: bad.length + 1 }, (_, index) => index);
const valid = delays.map((delay) => at(json(flight(`valid-${delay}`, delay))));
const DUPLICATES = 3;
/** Without a Kafka key an event is at its partition by the producer's choice; what counts is its own key. */
const unkeyed = at(json(flight("unkeyed", 100)), { key: null });

it("dead-letters each bad record with its bytes, counts duplicates, and counts the rest exactly", async () => {
  const messages = delays.flatMap((index) => [valid[index]!, ...(bad[index] ? [bad[index].record] : [])]);
  const offsets = await produce([...messages, unkeyed, ...valid.slice(0, DUPLICATES)]);
  await flushWindows(running.kafka, TOPIC, START_MS + HOUR_MS);
  const counters = await taskCounters(running, GROUP, TOPIC);

  // Other pipelines read the topic too, and have dead letters of their own.
  const dead = (await read(DEAD_LETTERS_TOPIC)).filter((letter) => header(letter, "stage") === PIPELINE);
  expect(dead).toHaveLength(bad.length);
  for (const { name, record, reason } of bad) {
    const offset = offsets.get(record)!;
    const letter = dead.find((candidate) => originOf(candidate) === offset);
    expect(letter, name).toBeDefined();
    expect(letter!.value, name).toEqual(record.value);
    expect(letter!.key, name).toEqual(record.key === null ? null : Buffer.from(AIRPORT));
    expect(header(letter!, "reason"), name).toBe(reason);
    expect(header(letter!, "stage"), name).toBe(PIPELINE);
    expect(header(letter!, "content"), name).toBe("record");
    expect(header(letter!, "topic"), name).toBe(TOPIC);
    expect(header(letter!, "detail"), name).not.toBe("");
  }
  expect(counters).toMatchObject({
    counted: delays.length + 1,
    duplicate: DUPLICATES,
    dead: bad.length,
    late: 0,
  });
  const results = (await read(resultsTopic(PIPELINE))).map(
    ({ value }) => JSON.parse(value!.toString()) as ResultRecord,
  );
  const sum = delays.reduce((total, delay) => total + delay, 100);
  expect(results.map(({ key, value }) => ({ key, value }))).toEqual([
    {
      key: AIRPORT,
      value: {
        flights: delays.length + 1,
        meanDelayMin: sum / (delays.length + 1),
        maxDelayMin: 100,
        minDelayMin: 0,
        delayed: delays.filter((delay) => delay > 15).length + 1,
      },
    },
  ]);
});

/** Sends them in their order, one by one, and tells where each is, as `partition:offset`. */
async function produce(messages: readonly Message[]): Promise<Map<Message, string>> {
  const producer = running.kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const places = new Map<Message, string>();
  for (const message of messages) {
    const [answer] = await producer.send({ topic: TOPIC, messages: [message] });
    places.set(message, `${answer!.partition}:${answer!.baseOffset}`);
  }
  await producer.disconnect();
  return places;
}

async function read(topic: string): Promise<KafkaMessage[]> {
  const found: KafkaMessage[] = [];
  await readTopic(running.kafka, topic, ({ messages }) => found.push(...messages), running.platform.signal);
  return found;
}

const header = ({ headers }: KafkaMessage, name: keyof typeof deadLetterHeaders): string =>
  String(headers?.[deadLetterHeaders[name]]);

const originOf = (letter: KafkaMessage): string =>
  `${header(letter, "partition")}:${header(letter, "offset")}`;

it("passes the smoke test that every deployed environment gets", async () => {
  const folder = await mkdtemp(join(tmpdir(), "spillway-smoke-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const { control, services } = running.platform;
  await control.scale(services.find((name) => name.includes("fraudsignals"))!, 1);

  const args = ["smoke", "--env", "dev", "--control", control.url, "--out", folder, "--timeout", "90"];
  const child = spawn(process.execPath, [LAUNCHER, ...args], { stdio: "inherit" });
  const [exitCode] = await once(child, "exit");

  const [file] = await readdir(folder);
  expect(file).toMatch(/^smoke-dev-.*\.json$/);
  const record = JSON.parse(await readFile(join(folder, file!), "utf8"));
  const outcomes = record.checks.map(({ name, passed, detail }: Record<string, unknown>) => [
    name,
    passed || detail,
  ]);
  expect(outcomes).toEqual([
    ["events are accepted", true],
    ["an event of an unknown type is refused", true],
    ["the events are in a result", true],
    ["what failed for good comes to the archive", true],
  ]);
  expect(record).toMatchObject({
    environment: "dev",
    passed: true,
    versions: { node: expect.any(String) },
  });
  expect(exitCode).toBe(0);
});
