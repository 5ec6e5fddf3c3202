/** What becomes of a shard's batch: in Kafka, among the dead letters, or back in the stream from a record on. */
import type { KinesisStreamEvent, KinesisStreamRecord } from "aws-lambda";
import { beforeEach, describe, expect, it } from "vitest";
import type { LoadSignal } from "../../../contracts/signals.ts";
import { packSpilled } from "../../../contracts/spillway-record.ts";
import { forward } from "../../../lambdas/forward/forward.ts";
import type { ShardOutcome } from "../../../lambdas/forward/shard.ts";
import { RecordPublisher } from "../../../runtime/publisher.ts";
import { nothingRecorded } from "../../../runtime/tracing.ts";
import { partitionCounts } from "../support/door.ts";
import { FakeKafka } from "../support/fake-kafka.ts";

const ARRIVAL_MS = 1_000_000;
const TIME_LIMIT_MS = 60_000;

let kafka: FakeKafka;
let nowMs: number;
let signals: (nowMs: number) => readonly LoadSignal[];
let slept: number[];
let holdAboveLoad: number;
beforeEach(() => {
  kafka = new FakeKafka();
  nowMs = ARRIVAL_MS + 5_000;
  signals = () => [];
  slept = [];
  holdAboveLoad = 0.9;
});

const eventOf = (value: string) => ({
  topic: "flights",
  key: Buffer.from("ATL"),
  value: Buffer.from(value),
});

function spilled(...values: string[]): Buffer {
  return packSpilled({ arrivalMs: ARRIVAL_MS, producer: "airline", events: values.map(eventOf) })[0]!;
}

function batchOf(...records: Buffer[]): KinesisStreamEvent {
  return {
    Records: records.map(
      (data, index) =>
        ({
          eventID: `shardId-000000000001:${index}`,
          eventSourceARN: "arn:aws:kinesis:eu-central-1:111111111111:stream/spillway",
          kinesis: {
            sequenceNumber: String(index),
            data: data.toString("base64"),
            approximateArrivalTimestamp: ARRIVAL_MS / 1_000,
          },
        }) as KinesisStreamRecord,
    ),
  };
}

function forwarded(event: KinesisStreamEvent, timeLimitMs = TIME_LIMIT_MS): Promise<ShardOutcome> {
  const startedMs = nowMs;
  return forward(event, {
    publisher: new RecordPublisher(kafka, new Map([...partitionCounts, ["dead-letters", 4]])),
    signals: async (at) => signals(at),
    holdAboveLoad,
    sleep: async (ms) => {
      slept.push(ms);
      nowMs += ms;
    },
    now: () => nowMs,
    remainingMs: () => timeLimitMs - (nowMs - startedMs),
    tracing: nothingRecorded,
  });
}

const values = () => kafka.messages.map(({ message }) => String(message.value));

it("writes every event of a batch in order, as it was accepted", async () => {
  const outcome = await forwarded(batchOf(spilled("1", "2"), spilled("3")));
  expect(outcome).toEqual({
    response: { batchItemFailures: [] },
    forwarded: 3,
    dead: 0,
    spilledMs: 5_000,
    waitingSinceMs: ARRIVAL_MS,
  });
  expect(values()).toEqual(["1", "2", "3"]);
  expect(kafka.messages[0]).toMatchObject({
    topic: "flights",
    message: {
      key: Buffer.from("ATL"),
      headers: {
        "content-type": /^application\/cloudevents\+json/,
        "spillway-producer": "airline",
      },
    },
  });
});

describe("a record that is none", () => {
  it.each([
    ["of another format", Buffer.from("poison")],
    [
      "with an event of no topic",
      packSpilled({
        arrivalMs: 1,
        producer: "airline",
        events: [{ topic: "x", key: Buffer.of(), value: Buffer.of() }],
      })[0]!,
    ],
  ])("%s is a dead letter with its bytes, and stops nothing", async (_, poison) => {
    const outcome = await forwarded(batchOf(spilled("1"), poison, spilled("2")));
    expect(outcome).toMatchObject({ response: { batchItemFailures: [] }, forwarded: 2, dead: 1 });
    expect(kafka.messages.map(({ topic }) => topic).toSorted()).toEqual([
      "dead-letters",
      "flights",
      "flights",
    ]);
    const dead = kafka.messages.find(({ topic }) => topic === "dead-letters")!.message;
    expect(dead.value).toEqual(poison);
    expect(dead.headers).toMatchObject({
      "spillway-reason": "undecodable",
      "spillway-stage": "forward",
      "spillway-stream": "spillway",
      "spillway-shard": "shardId-000000000001",
      "spillway-sequence": "1",
    });
  });
});

it("gives a batch back from the first record that Kafka did not take, before its time is over", async () => {
  // A write carries 1,000 events at most, so that what fits into the first counts.
  const thousand = spilled(...Array.from({ length: 1_000 }, (_, index) => String(index)));
  kafka.next.push(
    async (sent) => [{ topicName: sent.topicMessages![0]!.topic, partition: partitionOfAtl, errorCode: 0 }],
    () => new Promise(() => {}),
  );
  const later = packSpilled({
    arrivalMs: ARRIVAL_MS + 7,
    producer: "airline",
    events: [eventOf("x")],
  })[0]!;
  const outcome = await forwarded(batchOf(thousand, later), 2_050);
  expect(outcome).toMatchObject({
    response: { batchItemFailures: [{ itemIdentifier: "1" }] },
    forwarded: 1_000,
    postponed: "kafka-away",
    waitingSinceMs: ARRIVAL_MS + 7,
  });
});

const partitionOfAtl = 3;

describe("where what reads the events has enough to do", () => {
  const load = (value: number): LoadSignal[] => [
    { stage: "p", source: "0", topics: ["flights"], load: value, atMs: nowMs },
  ];

  it("waits until it has less", async () => {
    signals = (at) => load(at < ARRIVAL_MS + 11_000 ? 1.2 : 0.9);
    expect(await forwarded(batchOf(spilled("1")))).toMatchObject({ forwarded: 1 });
    expect(slept).toEqual([2_000, 2_000, 2_000]);
  });

  it("gives the batch back after a while", async () => {
    signals = () => load(1.2);
    expect(await forwarded(batchOf(spilled("1")))).toMatchObject({
      response: { batchItemFailures: [{ itemIdentifier: "0" }] },
      postponed: "overloaded",
    });
    expect(slept).toHaveLength(10);
    expect(kafka.messages).toEqual([]);
  });

  it("holds it from the load on that the environment states", async () => {
    holdAboveLoad = 0.5;
    signals = () => load(0.6);
    expect(await forwarded(batchOf(spilled("1")))).toMatchObject({ postponed: "overloaded" });
  });

  it("does not wait for longer than it has time", async () => {
    signals = () => load(1.2);
    expect(await forwarded(batchOf(spilled("1")), 5_000)).toMatchObject({ postponed: "overloaded" });
    expect(slept).toEqual([2_000]);
  });

  it("does not wait for what reads other topics", async () => {
    signals = () => [{ ...load(1.2)[0]!, topics: ["clickstream"] }];
    expect(await forwarded(batchOf(spilled("1")))).toMatchObject({ forwarded: 1 });
  });
});
