/**
 * The way of bad records: dead letters, the archive, and back to their topic; what a producer's stream brings, and what a
 * mapping dropped or gave up for its age.
 */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import {
  KinesisClient,
  ListStreamsCommand,
  PutRecordsCommand,
  type PutRecordsCommandOutput,
} from "@aws-sdk/client-kinesis";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { GetQueueUrlCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import type { Message } from "kafkajs";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { flushWindows } from "../../cli/demo/flush.ts";
import { readTopic } from "../../cli/demo/topic-reader.ts";
import type { CloudEvent } from "../../contracts/cloudevent.ts";
import { consumerGroup } from "../../contracts/environment.ts";
import { flightDeparted } from "../../contracts/events/catalogue.ts";
import { partitionOf } from "../../contracts/partitioning.ts";
import type { ResultRecord } from "../../contracts/results.ts";
import { packSpilled } from "../../contracts/spillway-record.ts";
import { resultsTopic, topics } from "../../contracts/topics.ts";
import { eventually } from "./eventually.ts";
import { type RunningPlatform, startPlatform } from "./running-platform.ts";
import { taskCounters } from "./task-counters.ts";

vi.setConfig({ testTimeout: 300_000 });

const TOPIC = flightDeparted.topic;
const PIPELINE = "airport-delays";
const GROUP = consumerGroup("dev", PIPELINE);
const AIRPORT = "JFK";
const PARTITION = partitionOf(Buffer.from(AIRPORT), topics[TOPIC].partitions);
const ELSEWHERE = (PARTITION + 1) % topics[TOPIC].partitions;
const START_MS = Date.UTC(2001, 0, 1, 12);
const HOUR_MS = 3_600_000;
const LAUNCHER = fileURLToPath(new URL("../../cli/spillway.mjs", import.meta.url));

let running: RunningPlatform;
beforeAll(async () => {
  running = await startPlatform(["airportdelays"], "test/lib/app-with-door.ts");
});
afterAll(() => running?.stop());

const flight = (id: string, delayMin: unknown, timeMs = START_MS): CloudEvent => ({
  specversion: "1.0",
  id,
  source: "urn:spillway:test:redrive",
  type: flightDeparted.type,
  time: new Date(timeMs).toISOString(),
  partitionkey: AIRPORT,
  data: { origin: AIRPORT, destination: "LAX", delayMin, distanceMi: 2475 },
});

const record = (event: CloudEvent, partition = PARTITION): Message => ({
  key: AIRPORT,
  partition,
  value: JSON.stringify(event),
});

it("redrives what was dead-lettered, which is counted once, also when it is redriven twice", async () => {
  const misplaced = flight("misplaced", 30);
  await produce([
    record(flight("valid", 10)),
    record(misplaced, ELSEWHERE),
    record(flight("text", "ten")),
    { key: AIRPORT, partition: PARTITION, value: Buffer.from([0x7b, 0xff]) },
  ]);
  expect(await taskCounters(running, GROUP, TOPIC)).toMatchObject({ counted: 1, dead: 3, duplicate: 0 });
  const lines = await eventually(async () => {
    const listed = await deadLetters("list", "--pipeline", PIPELINE);
    return listed.length === 3 ? listed : undefined;
  });
  expect(lines.join("\n")).toMatch(/key-elsewhere .* flight\.departed .* flights/);
  const id = lines.find((line) => line.includes("key-elsewhere"))!.split(" ")[0]!;
  expect((await deadLetters("show", id)).at(-1)).toBe(JSON.stringify(misplaced));

  const dry = await deadLetters("redrive", "--pipeline", PIPELINE);
  expect(dry).toEqual([
    expect.stringMatching(/^ *1 would be sent again$/),
    expect.stringMatching(/^ *2 are refused by today's rules$/),
    "refused:",
    expect.stringMatching(/^ *1 × .*undecodable|\/data\/delayMin/),
    expect.stringMatching(/^ *1 × .*undecodable|\/data\/delayMin/),
  ]);
  expect(await taskCounters(running, GROUP, TOPIC)).toMatchObject({ counted: 1, dead: 3 });

  const redriven = await deadLetters("redrive", "--pipeline", PIPELINE, "--execute");
  expect(redriven[0]).toMatch(/^ *1 were sent again$/);
  expect(await taskCounters(running, GROUP, TOPIC)).toMatchObject({ counted: 2, dead: 3, duplicate: 0 });
  const again = await deadLetters("redrive", "--pipeline", PIPELINE, "--execute");
  expect(again[0]).toMatch(/^ *2 are refused/);
  const twice = await deadLetters("redrive", "--id", id, "--state", "redriven", "--execute");
  expect(twice[0]).toMatch(/^ *1 were sent again$/);
  expect(await taskCounters(running, GROUP, TOPIC)).toMatchObject({ counted: 2, dead: 3, duplicate: 1 });

  const onTopic = (await values(TOPIC)).filter(({ id }) => id === misplaced.id);
  const sentAgain = onTopic
    .filter((event) => "redriveid" in event)
    .sort((a, b) => Number(a.redrivecount) - Number(b.redrivecount));
  expect(onTopic).toHaveLength(3);
  expect(sentAgain).toEqual([
    { ...misplaced, redrivecount: 1, redriveid: expect.any(String) },
    { ...misplaced, redrivecount: 2, redriveid: expect.any(String) },
  ]);
  await flushWindows(running.kafka, TOPIC, START_MS + HOUR_MS);
  await taskCounters(running, GROUP, TOPIC);
  const results = (await values(resultsTopic(PIPELINE))) as unknown as ResultRecord[];
  expect(results).toMatchObject([{ key: AIRPORT, value: { flights: 2, maxDelayMin: 30 } }]);

  expect(await deadLetters("discard", "--reason", "undecodable", "--execute")).toEqual([
    "1 of 1 entries are discarded",
  ]);
  const stats = (await deadLetters("stats", "--pipeline", PIPELINE)).join("\n");
  expect(stats).toMatch(/1 +redriven +key-elsewhere/);
  expect(stats).toMatch(/1 +discarded +undecodable/);
  expect(stats).toMatch(/1 +archived +invalid-event/);
});

it("takes what a producer's stream brings, files what its door refuses, and redrives what aged out", async () => {
  const { environment, buckets } = running.platform;
  const timeMs = START_MS + 3 * HOUR_MS;
  const before = await taskCounters(running, GROUP, TOPIC);
  const bad = flight("by-stream-bad", "ten", timeMs);
  const { FailedRecordCount } = await putRecords("KinesisDoorpartner", [
    JSON.stringify(flight("by-stream-1", 10, timeMs)),
    JSON.stringify([flight("by-stream-2", 20, timeMs), bad]),
    JSON.stringify({ ...flight("by-stream-3", 30, timeMs), type: "page.viewed" }),
  ]);
  expect(FailedRecordCount).toBe(0);
  const refused = await eventually(async () => {
    const listed = await deadLetters("list", "--reason", "refused-at-door");
    return listed.length === 2 ? listed : undefined;
  });
  expect(refused.join("\n")).toMatch(/ door {2}flight\.departed .*shardId-/);
  const dry = await deadLetters("redrive", "--reason", "refused-at-door");
  expect(dry[0]).toMatch(/^ *2 are refused by today's rules$/);

  const spilled = packSpilled({
    arrivalMs: timeMs,
    producer: "jwt:airline",
    events: ["by-stream-2", "aged-out"].map((id) => ({
      topic: TOPIC,
      key: Buffer.from(AIRPORT),
      value: Buffer.from(JSON.stringify(flight(id, 20, timeMs))),
    })),
  });
  const bucket = Object.entries(buckets).find(([logicalId]) => logicalId.startsWith("AgedOutforward"))![1];
  const s3 = new S3Client({ ...clientOf(environment, "S3"), forcePathStyle: true });
  await s3.send(
    new PutObjectCommand({
      Bucket: bucket,
      Key: "aws/lambda/mapping/shardId-000000000000/2001/01/01/2001-01-01T12.00.00-1",
      Body: JSON.stringify({ payload: JSON.stringify({ Records: spilled.map(streamRecord) }) }),
    }),
  );
  s3.destroy();
  const aged = /^ *1 {2}batches of forward aged out, the first at /m;
  expect((await deadLetters("stats")).join("\n")).toMatch(aged);
  expect((await deadLetters("list")).join("\n")).toMatch(aged);
  const dryAgedOut = await deadLetters("redrive", "--aged-out");
  expect(dryAgedOut).toEqual([expect.stringMatching(/^ *2 events of 1 batches would be sent again$/)]);
  const agedOut = await deadLetters("redrive", "--aged-out", "--execute");
  expect(agedOut).toEqual([expect.stringMatching(/^ *2 events of 1 batches were sent again$/)]);
  const again = await deadLetters("redrive", "--aged-out", "--execute");
  expect(again).toEqual([expect.stringMatching(/^ *0 events of 0 batches/)]);

  // The one that had come by the other stream already is a duplicate.
  expect(await taskCounters(running, GROUP, TOPIC)).toMatchObject({
    counted: before.counted! + 3,
    dead: before.dead,
    late: before.late,
    duplicate: before.duplicate! + 1,
  });
  await flushWindows(running.kafka, TOPIC, timeMs + HOUR_MS);
  await taskCounters(running, GROUP, TOPIC);
  const results = (await values(resultsTopic(PIPELINE))) as unknown as ResultRecord[];
  expect(results.at(-1)).toMatchObject({ key: AIRPORT, value: { flights: 3, maxDelayMin: 20 } });
});

it("archives what Lambda tells of a batch that a stream's mapping dropped", async () => {
  const sequences = {
    startSequenceNumber: "4959033827149025660855969254",
    endSequenceNumber: "4959033827149025660855969259",
  };
  await sendToQueue({
    requestContext: {
      requestId: "c9b8fa9f-5a7f-xmpl-af9c-0c604cde93a5",
      functionArn: "arn:aws:lambda:us-east-2:123456789012:function:forward",
      condition: "RetryAttemptsExhausted",
      approximateInvokeCount: 3,
    },
    responseContext: { statusCode: 200, executedVersion: "$LATEST", functionError: "Unhandled" },
    version: "1.0",
    timestamp: new Date().toISOString(),
    KinesisBatchInfo: {
      ...sequences,
      shardId: "shardId-000000000001",
      approximateArrivalOfFirstRecord: new Date().toISOString(),
      approximateArrivalOfLastRecord: new Date().toISOString(),
      batchSize: 6,
      streamArn: "arn:aws:kinesis:us-east-2:123456789012:stream/spillway",
    },
  });
  const [line] = await eventually(async () => {
    const listed = await deadLetters("list", "--reason", "batch-dropped");
    return listed[0]?.includes("batch-dropped") ? listed : undefined;
  });
  expect(line).toContain("forward");
  expect(line).toContain(
    `spillway/shardId-000000000001@${sequences.startSequenceNumber}-${sequences.endSequenceNumber} (6 records)`,
  );
});

/** The lines that the command prints. */
async function deadLetters(...args: readonly string[]): Promise<string[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    LAUNCHER,
    "dead-letters",
    ...args,
    "--control",
    running.platform.control.url,
  ]);
  return stdout.trimEnd().split("\n");
}

async function produce(messages: readonly Message[]): Promise<void> {
  const producer = running.kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  for (const message of messages) await producer.send({ topic: TOPIC, messages: [message] });
  await producer.disconnect();
}

/** Values of a topic's records that are JSON. */
async function values(topic: string): Promise<Readonly<Record<string, unknown>>[]> {
  const found: Readonly<Record<string, unknown>>[] = [];
  await readTopic(
    running.kafka,
    topic,
    ({ messages }) => {
      for (const { value } of messages) {
        if (value?.toString().endsWith("}")) found.push(JSON.parse(value.toString()));
      }
    },
    running.platform.signal,
  );
  return found;
}

const clientOf = (environment: Readonly<Record<string, string>>, service: string) => ({
  endpoint: environment[`AWS_ENDPOINT_URL_${service}`]!,
  region: environment.AWS_REGION!,
  credentials: { accessKeyId: "local", secretAccessKey: "local" },
});

/** Puts records on the stream whose logical id begins so. */
async function putRecords(stream: string, records: readonly string[]): Promise<PutRecordsCommandOutput> {
  const { environment } = running.platform;
  const client = new KinesisClient(clientOf(environment, "KINESIS"));
  const { StreamNames = [] } = await client.send(new ListStreamsCommand({}));
  const StreamName = StreamNames.find((name) => name.includes(stream))!;
  const Records = records.map((text) => ({ Data: Buffer.from(text), PartitionKey: "1" }));
  const answer = await client.send(new PutRecordsCommand({ StreamName, Records }));
  client.destroy();
  return answer;
}

/** As the mapping of a stream gives it to its function. */
const streamRecord = (data: Buffer, index: number) => ({
  eventID: `shardId-000000000000:${index}`,
  eventSourceARN: "arn:aws:kinesis:eu-central-1:000000000000:stream/spillway",
  kinesis: {
    sequenceNumber: String(index),
    data: data.toString("base64"),
    approximateArrivalTimestamp: START_MS / 1_000,
  },
});

async function sendToQueue(body: object): Promise<void> {
  const { queues, environment } = await running.control.state();
  const client = new SQSClient(clientOf(environment, "SQS"));
  const QueueName = Object.entries(queues).find(([logicalId]) => logicalId.startsWith("Queue"))![1];
  const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName }));
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(body) }));
  client.destroy();
}
