/** Under load the door sheds by priority, and says so to those that send. */
import { expect, it } from "vitest";
import type { LoadSignal } from "../../../contracts/signals.ts";
import { CircuitBreaker } from "../../../flow/breaker.ts";
import { kafkaBreaker } from "../../../lambdas/ingest/delivery.ts";
import { send } from "../support/door.ts";
import { batch, flight, NOW_MS, structured, type TestEvent } from "../support/events.ts";
import { FakeKafka } from "../support/fake-kafka.ts";
import { FakeStream } from "../support/fake-stream.ts";

const load = (topic: string, value: number): LoadSignal => ({
  stage: "a-pipeline",
  source: "0",
  topics: [topic],
  load: value,
  atMs: NOW_MS,
});

const page: TestEvent = {
  specversion: "1.0",
  id: "p-1",
  source: "/shop/test",
  type: "page.viewed",
  time: "2026-01-31T11:59:59Z",
  partitionkey: "u-1",
  data: { userId: "u-1", path: "/", device: "mobile" },
};

it.each([
  [0.5, 202, "0.50", 1, 0],
  [1.2, 202, "1.20", 0, 1],
  [1.6, 429, "1.60", 0, 0],
])(
  "under a load of %d a normal event is answered %d",
  async (value, status, backpressure, inKafka, spilled) => {
    const kafka = new FakeKafka();
    const stream = new FakeStream();
    const answer = await send(structured(flight), kafka, { stream, signals: [load("flights", value)] });
    expect(answer).toMatchObject({ status, headers: { backpressure } });
    expect([kafka.messages.length, stream.events.length]).toEqual([inKafka, spilled]);
  },
);

it("refuses nothing for the load of stages that cannot get on, as Kafka is away: the spillway takes it", async () => {
  const [kafka, stream, breaker] = [new FakeKafka(), new FakeStream(), new CircuitBreaker(kafkaBreaker)];
  const surroundings = { stream, breaker, signals: [load("flights", 99), load("clickstream", 99)] };
  expect((await send(batch([flight, page]), kafka, surroundings)).status).toBe(429);

  breaker.trip(NOW_MS);
  expect(await send(batch([flight, page]), kafka, surroundings)).toMatchObject({
    status: 202,
    body: { accepted: 2 },
    headers: { backpressure: "0.00" },
  });
  expect([kafka.messages.length, stream.events.length]).toEqual([0, 2]);
});

it("sheds by the environment's own thresholds", async () => {
  const shedding = { spillLow: 0.2, refuseLow: 0.4, refuseNormal: 0.6 };
  const stream = new FakeStream();
  const under = (value: number) =>
    send(structured(flight), new FakeKafka(), { stream, shedding, signals: [load("flights", value)] });
  expect((await under(0.5)).status).toBe(202);
  expect(stream.events).toHaveLength(1);
  expect((await under(0.7)).status).toBe(429);
});

it("tells which events of a batch came at the wrong time, and takes the others", async () => {
  const kafka = new FakeKafka();
  const answer = await send(batch([page, flight, { ...flight, type: "x" }]), kafka, {
    signals: [load("clickstream", 1.1), load("user-activity", 7)],
  });
  expect(answer).toMatchObject({
    status: 202,
    headers: { "retry-after": "10", backpressure: "1.10" },
    body: {
      accepted: 1,
      results: [
        {
          status: "refused",
          problem: { type: "urn:spillway:problem:overloaded", status: 429, id: "p-1", index: 0 },
        },
        { status: "accepted" },
        { status: "refused", problem: { type: "urn:spillway:problem:unknown-type" } },
      ],
    },
  });
  expect(kafka.events.map(({ id }) => id)).toEqual(["f-1"]);
});

it("answers 429 with Retry-After where every event came at the wrong time", async () => {
  const answer = await send(structured(page), new FakeKafka(), { signals: [load("clickstream", 1.1)] });
  expect(answer).toMatchObject({ status: 429, headers: { "retry-after": "10" }, body: { status: 429 } });
});

it("tells the highest load to those whose request could not be read", async () => {
  const answer = await send(structured("{"), new FakeKafka(), { signals: [load("clickstream", 1.1)] });
  expect(answer).toMatchObject({ status: 400, headers: { backpressure: "1.10" } });
});

it("takes no backpressure from a sender", async () => {
  const request = structured(flight);
  const forged = { ...request, headers: { ...request.headers, backpressure: "9.00" } };
  expect((await send(forged)).headers.backpressure).toBe("0.00");
});
