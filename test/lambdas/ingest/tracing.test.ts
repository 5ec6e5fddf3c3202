/** The way of a trace: from the request or the event to Kafka, to a dead letter, to the archive; and its spans. */
import type { KinesisStreamEvent, MSKRecord } from "aws-lambda";
import { describe, expect, it } from "vitest";
import { packSpilled, unpackSpilled } from "../../../contracts/spillway-record.ts";
import { kafkaLetter } from "../../../lambdas/archive/kafka-letter.ts";
import { entryFrom } from "../../../lambdas/archive/letter.ts";
import { forward } from "../../../lambdas/forward/forward.ts";
import { producerOf } from "../../../lambdas/ingest/producer.ts";
import { RecordPublisher } from "../../../runtime/publisher.ts";
import { nothingRecorded, type Tracing } from "../../../runtime/tracing.ts";
import { letter, letterHeaders } from "../support/dead-letters.ts";
import { partitionCounts, send } from "../support/door.ts";
import { batch, flight, NOW_MS, structured } from "../support/events.ts";
import { FakeKafka } from "../support/fake-kafka.ts";
import { FakeStream } from "../support/fake-stream.ts";
import { SPAN_TRACEPARENT, spans } from "../support/spans.ts";

const ID = "0af7651916cd43dd8448eb211c80319c";
const OWN_ID = "11111111111111111111111111111111";
const traceparent = `00-${ID}-b7ad6b7169203331-01`;
const own = `00-${OWN_ID}-b7ad6b7169203331-01`;

const withHeader = (request: ReturnType<typeof structured>, value: string) => ({
  ...request,
  headers: { ...request.headers, traceparent: value },
});
const headersOf = (kafka: FakeKafka) => kafka.messages.map(({ message }) => message.headers);

/** What the archive tells of this record's dead letter, which keeps these headers of it. */
function archivedTrace(value: unknown, headers: Readonly<Record<string, string>>): string | undefined {
  const record: MSKRecord = letter(value, { ...letterHeaders, ...headers });
  return entryFrom(kafkaLetter(record), NOW_MS).traceId;
}

describe("a trace context", () => {
  it("of the request is its records', and of their dead letters", async () => {
    const kafka = new FakeKafka();
    await send(withHeader(batch([flight, { ...flight, id: "f-2" }]), traceparent), kafka);
    for (const headers of headersOf(kafka)) expect(headers).toMatchObject({ traceparent });
    expect(archivedTrace(flight, { traceparent })).toBe(ID);
  });

  it("of an event stays in it, and comes before the request's", async () => {
    const kafka = new FakeKafka();
    await send(withHeader(structured({ ...flight, traceparent: own }), traceparent), kafka);
    expect(kafka.events).toEqual([{ ...flight, traceparent: own }]);
    expect(archivedTrace({ ...flight, traceparent: own }, { traceparent })).toBe(OWN_ID);
    expect(archivedTrace({ ...flight, traceparent: "nonsense" }, { traceparent })).toBe(ID);
  });

  it.each(["nonsense", `00-${"0".repeat(32)}-b7ad6b7169203331-01`, ""])(
    "that is none (%j) refuses nothing, and is no header of a record",
    async (text) => {
      const kafka = new FakeKafka();
      const answer = await send(withHeader(structured({ ...flight, traceparent: text }), text), kafka);
      expect(answer.status).toBe(202);
      expect(headersOf(kafka)[0]).not.toHaveProperty("traceparent");
      expect(archivedTrace({ ...flight, traceparent: text }, {})).toBeUndefined();
    },
  );

  it("of the request comes back out of the spillway", async () => {
    const [kafka, stream] = [new FakeKafka(), new FakeStream()];
    kafka.next.push(() => Promise.reject(new Error("away")));
    await send(withHeader(structured(flight), traceparent), kafka, { stream, remainingMs: 1_050 });
    const Records = stream.taken.map(({ Data }, index) => ({
      eventID: `shardId-000000000001:${index}`,
      eventSourceARN: "arn:aws:kinesis:eu-central-1:111111111111:stream/spillway",
      kinesis: {
        sequenceNumber: String(index),
        data: Buffer.from(Data!).toString("base64"),
        approximateArrivalTimestamp: NOW_MS / 1_000,
      },
    }));
    const drained = new FakeKafka();
    await forward({ Records } as KinesisStreamEvent, {
      publisher: new RecordPublisher(drained, partitionCounts),
      signals: async () => [],
      holdAboveLoad: 0.9,
      tracing: nothingRecorded,
      sleep: async () => undefined,
      now: () => NOW_MS,
      remainingMs: () => 60_000,
    });
    expect(drained.events).toEqual([flight]);
    expect(headersOf(drained)[0]).toMatchObject({ traceparent, "spillway-producer": "test" });
  });
});

describe("a request that is recorded", () => {
  it("is the parent of its records; its span goes on with the caller's trace, and tells counts and the route", async () => {
    const [kafka, { tracing, told }] = [new FakeKafka(), spans()];
    const late = { ...flight, time: "3001-01-01T00:00:00Z" };
    await send(withHeader(batch([flight, late]), traceparent), kafka, { tracing });
    expect(headersOf(kafka)).toEqual([expect.objectContaining({ traceparent: SPAN_TRACEPARENT })]);
    expect(told).toEqual([
      {
        name: "POST /events",
        parent: { traceId: ID, spanId: "b7ad6b7169203331", sampled: true },
        attributes: {
          "http.request.method": "POST",
          "http.route": "/events",
          "http.response.status_code": 202,
          "spillway.events.accepted": 1,
          "spillway.events.refused": 1,
          "spillway.events.spilled": 0,
          "spillway.route": "kafka",
        },
      },
    ]);
  });

  it("of a caller that nobody has checked begins a trace of its own", async () => {
    const { tracing, told } = spans();
    const sender = producerOf({}, []);
    await send(withHeader(structured(flight), traceparent), new FakeKafka(), { tracing, sender });
    expect(told).toMatchObject([{ parent: undefined }]);
  });

  it("takes its span into the spillway, and is told where nothing takes its events", async () => {
    const { tracing, told } = spans();
    const kafka = new FakeKafka();
    kafka.next.push(() => Promise.reject(new Error("away")));
    const stream = new FakeStream();
    await send(structured(flight), kafka, { stream, tracing, remainingMs: 1_050 });
    expect(unpackSpilled(Buffer.from(stream.taken[0]!.Data!))).toMatchObject({
      traceparent: SPAN_TRACEPARENT,
    });
    expect(told[0]!.attributes).toMatchObject({ "spillway.route": "spillway", "spillway.events.spilled": 1 });
  });

  it("and refused as a whole tells its status", async () => {
    const { tracing, told } = spans();
    await send({ ...structured(flight), body: "{" }, new FakeKafka(), { tracing });
    expect(told[0]!.attributes).toMatchObject({ "http.response.status_code": 400, "spillway.route": "none" });
  });
});

describe("a request that is not recorded where others are", () => {
  it("passes its trace id on as not sampled, so that nobody records what comes of it", async () => {
    const kafka = new FakeKafka();
    await send(withHeader(structured(flight), traceparent), kafka, { tracing: spans(false).tracing });
    expect(headersOf(kafka)[0]).toMatchObject({ traceparent: `00-${ID}-b7ad6b7169203331-00` });
  });

  it("and has no trace context gives its records none", async () => {
    const kafka = new FakeKafka();
    await send(structured(flight), kafka, { tracing: spans(false).tracing });
    expect(headersOf(kafka)[0]).not.toHaveProperty("traceparent");
  });
});

describe("a batch of the spillway", () => {
  const drain = (traceparents: readonly (string | undefined)[], tracing: Tracing) => {
    const Records = traceparents.map((each, index) => {
      const events = [
        { topic: "flights", key: Buffer.from("JFK"), value: Buffer.from(JSON.stringify(flight)) },
      ];
      const [record] = packSpilled({ arrivalMs: NOW_MS, producer: "test", traceparent: each, events });
      const kinesis = { sequenceNumber: String(index), data: record!.toString("base64") };
      return { kinesis };
    });
    const kafka = new FakeKafka();
    const ports = {
      publisher: new RecordPublisher(kafka, partitionCounts),
      signals: async () => [],
      holdAboveLoad: 0.9,
      sleep: async () => undefined,
      now: () => NOW_MS,
      remainingMs: () => 60_000,
      tracing,
    };
    return forward({ Records } as unknown as KinesisStreamEvent, ports).then(() => kafka);
  };

  it("is one span that tells of the requests it carries; their records stay theirs", async () => {
    const { tracing, told } = spans();
    const kafka = await drain([traceparent, undefined, own], tracing);
    expect(told).toEqual([
      {
        name: "forward",
        traceparents: [traceparent, own],
        attributes: { "spillway.events.forwarded": 3, "spillway.events.dead": 0 },
      },
    ]);
    expect(headersOf(kafka).map((headers) => headers?.traceparent)).toEqual([traceparent, undefined, own]);
  });

  it("without any is none", async () => {
    const { tracing, told } = spans();
    await drain([undefined], tracing);
    expect(told).toEqual([]);
  });
});
