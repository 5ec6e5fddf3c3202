/** What senders, clocks and tables may do to the door. */
import { describe, expect, it } from "vitest";
import type { LoadSignal } from "../../../contracts/signals.ts";
import { topics } from "../../../contracts/topics.ts";
import { producer, producerOf } from "../../../lambdas/ingest/producer.ts";
import { send } from "../support/door.ts";
import { batch, flight, NOW_MS, structured } from "../support/events.ts";
import { FakeKafka } from "../support/fake-kafka.ts";
import { FakeStream } from "../support/fake-stream.ts";

const HOUR_MS = 3_600_000;
const iso = (ms: number): string => new Date(ms).toISOString();
const flights = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ ...flight, id: `f-${index}` }));
const view = {
  specversion: "1.0",
  id: "v-1",
  source: "/web",
  type: "page.viewed",
  partitionkey: "u",
  data: { userId: "u", path: "/", device: "mobile" },
};

describe("events of one key only", () => {
  it("go to one partition, in their order", async () => {
    const kafka = new FakeKafka();
    expect((await send(batch(flights(1_000)), kafka)).body.accepted).toBe(1_000);
    expect(kafka.events.map(({ id }) => id)).toEqual(flights(1_000).map(({ id }) => id));
    expect(new Set(kafka.messages.map(({ message }) => message.partition)).size).toBe(1);
  });

  it("keep their order in the spillway, too", async () => {
    const stream = new FakeStream();
    const kafka = new FakeKafka();
    kafka.next.push(() => Promise.reject(new Error("away")));
    await send(batch(flights(1_000)), kafka, { stream, remainingMs: 1_050 });
    expect(stream.events.map(({ value }) => JSON.parse(String(value)).id)).toEqual(
      flights(1_000).map(({ id }) => id),
    );
    expect(new Set(stream.taken.map(({ PartitionKey }) => PartitionKey)).size).toBe(1);
  });
});

it("events of which PutRecords takes none, while Kafka is away, are answered 503 and stay the sender's", async () => {
  const stream = new FakeStream();
  stream.always = (records) => records.map((_, index) => index);
  const kafka = new FakeKafka();
  kafka.next.push(() => Promise.reject(new Error("away")));
  const answer = await send(batch(flights(10)), kafka, { stream, remainingMs: 1_050 });
  expect(answer).toMatchObject({ status: 503, headers: { "retry-after": "5" } });
  expect(answer.body.detail).toMatch(/^10 events could not be stored/);
  expect(stream.taken).toEqual([]);
});

describe("what a sender forges", () => {
  it("as backpressure changes nothing: the answer tells the platform's own", async () => {
    const request = structured({ ...flight, backpressure: "9.99" });
    const forged = { ...request, headers: { ...request.headers, backpressure: "9.99" } };
    const answer = await send(forged);
    expect(answer).toMatchObject({ status: 202, headers: { backpressure: "0.00" } });
  });

  it("as its identity, in headers or attributes, is not looked at", async () => {
    const headers = {
      authorizer: "x",
      "x-amzn-iam-userarn": "arn:aws:iam::1:role/admin",
      "ce-producer": "admin",
    };
    const request = structured({ ...flight, spillwayproducer: "admin" });
    const kafka = new FakeKafka();
    const sender = producerOf({ authorizer: { iam: { userArn: "arn:aws:iam::1:user/ann" } } }, []);
    await send({ ...request, headers: { ...request.headers, ...headers } }, kafka, { sender });
    expect(kafka.messages[0]!.message.headers).toEqual({
      "content-type": expect.any(String),
      "spillway-producer": "arn:aws:iam::1:user/ann",
    });
  });

  it("as the provenance of a redrive is an attribute like any other, and none of the record's headers", async () => {
    const kafka = new FakeKafka();
    const event = { ...flight, redrivecount: 3, redriveid: "0b8f7c1e-0000-4000-8000-000000000001" };
    await send(structured(event), kafka, { sender: producer("airline", "any") });
    expect(kafka.events).toEqual([event]);
    expect(Object.keys(kafka.messages[0]!.message.headers!).toSorted()).toEqual([
      "content-type",
      "spillway-producer",
    ]);
  });
});

describe("a clock that is an hour off", () => {
  it("behind, of a sender: its events are taken, as late is for pipelines to judge", async () => {
    const answer = await send(structured({ ...view, time: iso(NOW_MS - HOUR_MS) }));
    expect(answer.status).toBe(202);
  });

  it("ahead, of a sender: its events are refused beyond the type's bound, and stop no other", async () => {
    const events = [
      { ...view, time: iso(NOW_MS + HOUR_MS) },
      { ...view, time: iso(NOW_MS) },
      { ...flight, time: iso(NOW_MS + HOUR_MS) },
    ];
    const { status, body } = await send(batch(events));
    expect([status, body.accepted]).toEqual([202, 2]);
    expect(body.results![0]).toMatchObject({ problem: { field: "/time", status: 422 } });
  });

  it.each([-HOUR_MS, HOUR_MS])(
    "(%i ms) of a stage: its signal counts as none, and nothing is refused",
    async (offMs) => {
      const signal = (atMs: number): LoadSignal => ({
        stage: "airport-delays",
        source: "0",
        topics: Object.keys(topics),
        load: 9,
        atMs,
      });
      const request = structured({ ...view, time: iso(NOW_MS) });
      expect((await send(request, undefined, { signals: [signal(NOW_MS)] })).status).toBe(429);
      expect(await send(request, undefined, { signals: [signal(NOW_MS + offMs)] })).toMatchObject({
        status: 202,
        headers: { backpressure: "0.00" },
      });
    },
  );
});

it("events of 2099 are refused one by one, and a batch's others are taken", async () => {
  const { body } = await send(
    batch([flight, { ...flight, id: "far", time: "2099-01-01T00:00:00Z" }, flight]),
  );
  expect(body.results!.map(({ status }) => status)).toEqual(["accepted", "refused", "accepted"]);
});
