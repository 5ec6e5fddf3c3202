/** The way of a trace id: from the request or the event to Kafka, to a dead letter, to the archive. */
import type { KinesisStreamEvent, MSKRecord } from "aws-lambda";
import { describe, expect, it } from "vitest";
import { kafkaLetter } from "../../../lambdas/archive/kafka-letter.ts";
import { entryFrom } from "../../../lambdas/archive/letter.ts";
import { forward } from "../../../lambdas/forward/forward.ts";
import { RecordPublisher } from "../../../runtime/publisher.ts";
import { nothingRecorded } from "../../../runtime/tracing.ts";
import { letter, letterHeaders } from "../support/dead-letters.ts";
import { partitionCounts, send } from "../support/door.ts";
import { batch, flight, NOW_MS, structured } from "../support/events.ts";
import { FakeKafka } from "../support/fake-kafka.ts";
import { FakeStream } from "../support/fake-stream.ts";

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
