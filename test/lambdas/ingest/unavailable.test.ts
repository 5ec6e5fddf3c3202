import { describe, expect, it } from "vitest";
import { CircuitBreaker } from "../../../flow/breaker.ts";
import { kafkaBreaker } from "../../../lambdas/ingest/delivery.ts";
import { send } from "../support/door.ts";
import { batch, flight, NOW_MS, structured } from "../support/events.ts";
import { FakeKafka } from "../support/fake-kafka.ts";
import { FakeStream } from "../support/fake-stream.ts";

/** Enough for one attempt, so that tests of the deadline end soon. */
const SHORT_MS = 20;

const never = (): Promise<never> => new Promise(() => {});

const away = (): Promise<never> => Promise.reject(new Error("The stream is away"));
const requests = [
  ["one event", structured(flight), 1],
  ["a batch with a refused event", batch([flight, { ...flight, type: "x" }]), 1],
] as const;

describe("the answer where Kafka is away", () => {
  it.each(requests)(
    "is 202 for %s, whose accepted events lie in the spillway",
    async (_, request, accepted) => {
      const kafka = new FakeKafka();
      kafka.next.push(never);
      const stream = new FakeStream();
      const answer = await send(request, kafka, { stream, remainingMs: 1_000 + SHORT_MS });
      expect(answer).toMatchObject({ status: 202, body: { accepted } });
      expect(stream.events).toEqual([
        { topic: "flights", key: Buffer.from("ATL"), value: Buffer.from(JSON.stringify(flight)) },
      ]);
    },
  );

  it("does not wait for Kafka while its breaker is open", async () => {
    const kafka = new FakeKafka();
    const stream = new FakeStream();
    const breaker = new CircuitBreaker(kafkaBreaker);
    breaker.trip(NOW_MS);
    expect((await send(structured(flight), kafka, { stream, breaker })).status).toBe(202);
    expect([kafka.sends.length, stream.events.length]).toEqual([0, 1]);
  });
});

describe("the answer where Kafka and the spillway are away", () => {
  it.each(requests)("is 503 with Retry-After for %s, and accepts nothing", async (_, request) => {
    const kafka = new FakeKafka();
    kafka.next.push(never);
    const stream = new FakeStream();
    stream.always = away;
    const answer = await send(request, kafka, { stream, remainingMs: 1_000 + SHORT_MS });
    expect(answer).toMatchObject({
      status: 503,
      headers: { "content-type": "application/problem+json", "retry-after": "5" },
      body: { type: "urn:spillway:problem:unavailable" },
    });
    expect(answer.body.accepted).toBeUndefined();
  });

  it("does not depend on Kafka where no event is accepted", async () => {
    const kafka = new FakeKafka();
    kafka.next.push(never);
    expect((await send(structured({ ...flight, type: "x" }), kafka)).status).toBe(422);
  });
});
