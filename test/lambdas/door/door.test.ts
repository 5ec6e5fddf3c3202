/** A producer's stream: what the door takes goes to Kafka, what it refuses becomes a dead letter with its bytes. */
import type { KinesisStreamEvent, KinesisStreamRecord } from "aws-lambda";
import { describe, expect, it } from "vitest";
import { passDoor } from "../../../lambdas/door/door.ts";
import type { ShardOutcome } from "../../../lambdas/forward/shard.ts";
import { producer } from "../../../lambdas/ingest/producer.ts";
import { RecordPublisher } from "../../../runtime/publisher.ts";
import { nothingRecorded } from "../../../runtime/tracing.ts";
import { partitionCounts } from "../support/door.ts";
import { flight, NOW_MS } from "../support/events.ts";
import { FakeKafka } from "../support/fake-kafka.ts";

const partner = producer("partner", ["flight.departed"]);

function batchOf(records: readonly (string | Buffer)[]): KinesisStreamEvent {
  return {
    Records: records.map(
      (data, index) =>
        ({
          eventID: `shardId-000000000001:${index}`,
          eventSourceARN: "arn:aws:kinesis:eu-central-1:111111111111:stream/partner",
          kinesis: {
            sequenceNumber: String(index),
            data: Buffer.from(data).toString("base64"),
            approximateArrivalTimestamp: NOW_MS / 1_000,
          },
        }) as KinesisStreamRecord,
    ),
  };
}

async function pass(...records: (string | Buffer)[]): Promise<{ outcome: ShardOutcome; kafka: FakeKafka }> {
  const kafka = new FakeKafka();
  const outcome = await passDoor(batchOf(records), partner, {
    publisher: new RecordPublisher(kafka, new Map([...partitionCounts, ["dead-letters", 4]])),
    signals: async () => [],
    holdAboveLoad: 0.9,
    tracing: nothingRecorded,
    sleep: async () => undefined,
    now: () => NOW_MS,
    remainingMs: () => 60_000,
  });
  return { outcome, kafka };
}

const on = (kafka: FakeKafka, topic: string) =>
  kafka.messages.filter((sent) => sent.topic === topic).map(({ message }) => message);

it("takes single events as they are, and batches", async () => {
  const single = ` ${JSON.stringify(flight)}\n`;
  const batch = JSON.stringify([1, 2].map((id) => ({ ...flight, id: String(id) })));
  const { outcome, kafka } = await pass(single, batch);
  expect(outcome).toMatchObject({ response: { batchItemFailures: [] }, forwarded: 3, dead: 0 });
  expect(String(on(kafka, "flights")[0]!.value)).toBe(single);
  expect(kafka.events.map(({ id }) => id)).toEqual(["f-1", "1", "2"]);
  expect(on(kafka, "flights")[0]).toMatchObject({ key: Buffer.from("ATL") });
});

describe("a dead letter, and nothing stops,", () => {
  it.each([
    ["that is not JSON", Buffer.from("{"), /not valid JSON/],
    ["that is not UTF-8", Buffer.from([0x7b, 0xff]), /not valid UTF-8/],
    ["without bytes", Buffer.of(), /no body/],
    ["of an unknown type", JSON.stringify({ ...flight, type: "x" }), /^\/type: The event catalogue/],
    ["with bad data", JSON.stringify({ ...flight, data: {} }), /^\/data\/origin: /],
    ["of 2099", JSON.stringify({ ...flight, time: "2099-01-01T00:00:00Z" }), /^\/time: /],
    [
      "of a type that is not the producer's",
      JSON.stringify({
        ...flight,
        type: "page.viewed",
        partitionkey: "u",
        data: { userId: "u", path: "/", device: "mobile" },
      }),
      /^\/type: The event's sender/,
    ],
  ])("becomes of a record %s", async (_, data, detail) => {
    const { outcome, kafka } = await pass(JSON.stringify(flight), data, JSON.stringify(flight));
    expect(outcome).toMatchObject({ response: { batchItemFailures: [] }, forwarded: 2, dead: 1 });
    const [letter] = on(kafka, "dead-letters");
    expect(letter!.value).toEqual(Buffer.from(data));
    expect(letter!.headers).toMatchObject({
      "spillway-reason": "refused-at-door",
      "spillway-detail": detail,
      "spillway-stage": "door",
      "spillway-producer": "partner",
      "spillway-stream": "partner",
      "spillway-sequence": "1",
    });
  });

  it.each([
    [
      "nested more deeply than can be written",
      `[{"type":"x","data":${"[".repeat(8_000)}${"]".repeat(8_000)}}]`,
    ],
    ["that would grow", `[{"type":"x","data":[${"1e20,".repeat(5_000)}1e20]}]`],
  ])("becomes of the whole record, once, where an event of it is %s", async (_, data) => {
    const { outcome, kafka } = await pass(data, JSON.stringify(flight));
    expect(outcome).toMatchObject({ forwarded: 1, dead: 1, response: { batchItemFailures: [] } });
    expect(on(kafka, "dead-letters").map(({ value }) => String(value))).toEqual([data]);
  });

  it("becomes of the one bad event of a batch", async () => {
    const bad = { ...flight, id: "bad", data: {} };
    const { outcome, kafka } = await pass(JSON.stringify([flight, bad, flight]));
    expect(outcome).toMatchObject({ forwarded: 2, dead: 1 });
    expect(JSON.parse(String(on(kafka, "dead-letters")[0]!.value))).toEqual(bad);
  });
});
