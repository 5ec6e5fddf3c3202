import { describe, expect, it } from "vitest";
import { send } from "../support/door.ts";
import { batch, flight, structured } from "../support/events.ts";
import { FakeKafka } from "../support/fake-kafka.ts";

/** Enough for one attempt, so that tests of the deadline end soon. */
const SHORT_MS = 20;

const never = (): Promise<never> => new Promise(() => {});

describe("the answer where Kafka is away", () => {
  it.each([
    ["one event", structured(flight)],
    ["a batch with a refused event", batch([flight, { ...flight, type: "x" }])],
  ])("is 503 with Retry-After for %s, and accepts nothing", async (_, request) => {
    const kafka = new FakeKafka();
    kafka.next.push(never);
    const answer = await send(request, kafka, 1_000 + SHORT_MS);
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
