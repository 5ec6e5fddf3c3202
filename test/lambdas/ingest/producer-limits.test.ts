/** How much a producer may send: by execution environment, and by who it is known to be. */
import { describe, expect, it } from "vitest";
import { Sender } from "../../../clients/sender.ts";
import type { CloudEvent } from "../../../contracts/cloudevent.ts";
import { type Producer, producer, producerOf } from "../../../lambdas/ingest/producer.ts";
import { ProducerLimits } from "../../../lambdas/ingest/producer-limits.ts";
import { VirtualClock } from "../../clients/virtual-clock.ts";
import { type Answer, send } from "../support/door.ts";
import { batch, flight, NOW_MS, request } from "../support/events.ts";
import { FakeKafka } from "../support/fake-kafka.ts";

const airline = producer("airline", "any");
const flights = (count: number, prefix = "f") =>
  Array.from({ length: count }, (_, index) => ({ ...flight, id: `${prefix}-${index}` }));
/** 100 events/s at 4 environments: each lets 25 a second through, and 125 at once after a silence. */
const limited = () => new ProducerLimits({ eventsPerSecond: 100, environments: 4 });

const post = (
  limits: ProducerLimits,
  count: number,
  nowMs = NOW_MS,
  sender: Producer = airline,
): Promise<Answer> => send(batch(flights(count)), new FakeKafka(), { limits, nowMs, sender });

describe("a producer", () => {
  it("gets its share of the limit, and is told which limit it is, and when to come again", async () => {
    const limits = limited();
    expect((await post(limits, 100)).status).toBe(202);
    expect((await post(limits, 50)).status).toBe(202);
    const kafka = new FakeKafka();
    const answer = await send(batch(flights(1)), kafka, { limits, sender: airline });
    expect(answer).toMatchObject({
      status: 429,
      headers: { "retry-after": "2", backpressure: "0.00", "content-type": "application/problem+json" },
      body: { type: "urn:spillway:problem:rate-limited", status: 429 },
    });
    expect(answer.body.detail).toMatch(
      /about 100 events\/s \(ingest\.producerEventsPerSecond.* counts 25\.0/,
    );
    expect(kafka.sends).toEqual([]);
    expect((await post(limits, 1, NOW_MS + 1_039)).status).toBe(429);
    expect((await post(limits, 1, NOW_MS + 1_040)).status).toBe(202);
  });

  it("is let through at that rate in the long run, whatever the size of its batches", async () => {
    for (const size of [1, 7, 300]) {
      const limits = limited();
      let events = 0;
      for (let ms = 0; ms < 100_000; ms += 20) {
        if (limits.waitMs(airline, ms) > 0) continue;
        limits.take(airline, size, ms);
        events += size;
      }
      const rate = events / 100;
      expect(rate).toBeGreaterThanOrEqual(25 * 0.95);
      expect(rate).toBeLessThanOrEqual(25 + (125 + size) / 100);
    }
  });

  it("does not take from another, and is who the gateway says, not whom its events name", async () => {
    const limits = limited();
    const caller = (arn: string) => producerOf({ authorizer: { iam: { userArn: arn } } }, []);
    const greedy = caller("arn:aws:iam::1:user/greedy");
    await post(limits, 1_000, NOW_MS, greedy);
    const forged = flights(1).map((event) => ({
      ...event,
      source: "/other",
      producer: "arn:aws:iam::1:user/modest",
    }));
    const again = await send(batch(forged), new FakeKafka(), { limits, sender: greedy });
    expect(again.status).toBe(429);
    expect((await post(limits, 1, NOW_MS, caller("arn:aws:iam::1:user/modest"))).status).toBe(202);
  });

  it("pays for what is refused, and for what cannot be read", async () => {
    const limits = new ProducerLimits({ eventsPerSecond: 1, environments: 1 });
    const bad = flights(5).map((event) => ({ ...event, data: {} }));
    expect((await send(batch(bad), undefined, { limits, sender: airline })).status).toBe(422);
    expect((await post(limits, 1)).status).toBe(429);
    const other = new ProducerLimits({ eventsPerSecond: 1, environments: 1 });
    const garbage = request("application/cloudevents+json", "{");
    for (let index = 0; index < 5; index++) {
      expect((await send(garbage, undefined, { limits: other, sender: airline })).status).toBe(400);
    }
    expect((await send(garbage, undefined, { limits: other, sender: airline })).status).toBe(429);
  });

  it("may have a limit of its own", () => {
    const rules = [
      { principal: "arn:aws:iam::1:role/bulk", eventTypes: "any", eventsPerSecond: 4_000 },
    ] as const;
    const bulk = producerOf(
      { authorizer: { iam: { userArn: "arn:aws:sts::1:assumed-role/bulk/s" } } },
      rules,
    );
    expect(limited().limitOf(bulk)).toEqual({ eventsPerSecond: 4_000, share: 1_000 });
    expect(limited().limitOf(airline)).toEqual({ eventsPerSecond: 100, share: 25 });
  });

  it("may have a limit of its own by the subject of its tokens, and no other has it", async () => {
    const subjectLimits = [
      { subject: "bulk", eventsPerSecond: 4_000 },
      { subject: "slow", eventsPerSecond: 1 },
    ];
    const caller = (claims: Readonly<Record<string, string>>) =>
      producerOf({ authorizer: { jwt: { claims: { scope: "events:*", ...claims } } } }, [], subjectLimits);
    expect(limited().limitOf(caller({ sub: "bulk" }))).toEqual({ eventsPerSecond: 4_000, share: 1_000 });
    // A token of a service alone may have no subject.
    expect(limited().limitOf(caller({ client_id: "bulk" }))).toEqual({
      eventsPerSecond: 4_000,
      share: 1_000,
    });
    expect(limited().limitOf(caller({ sub: "airline" }))).toEqual({ eventsPerSecond: 100, share: 25 });
    const limits = limited();
    expect((await post(limits, 10, NOW_MS, caller({ sub: "slow" }))).status).toBe(202);
    expect((await post(limits, 1, NOW_MS, caller({ sub: "slow" }))).status).toBe(429);
    expect((await post(limits, 10, NOW_MS, caller({ sub: "airline" }))).status).toBe(202);
    // What signs is no subject, whatever it is called.
    const signed = producerOf({ authorizer: { iam: { userArn: "slow" } } }, [], subjectLimits);
    expect(limited().limitOf(signed)).toEqual({ eventsPerSecond: 100, share: 25 });
  });
});

it("is remembered of a bounded number of producers", () => {
  const limits = limited();
  for (let index = 0; index < 10_000; index++) limits.take(producer(`p-${index}`, "any"), 1, 0);
  expect(limits.size).toBe(2_000);
});

it("a sender that is too fast waits as it is told, and loses nothing", async () => {
  const clock = new VirtualClock();
  const limits = limited();
  const kafka = new FakeKafka();
  const statuses: number[] = [];
  const delivered: string[] = [];
  const sender = new Sender({
    url: "https://door.test/events",
    maxBatchEvents: 100,
    onDelivered: (events) => delivered.push(...events.map(({ id }) => id)),
    onGivenUp: ({ id }, { reason }) => delivered.push(`${id} ${reason}`),
    ports: {
      clock,
      random: () => 0,
      fetch: (async (_url: string, init: RequestInit) => {
        const nowMs = NOW_MS + clock.nowMs();
        const surroundings = { limits, nowMs, sender: airline };
        const answer = await send(batch(init.body), kafka, surroundings);
        statuses.push(answer.status);
        return new Response(JSON.stringify(answer.body), {
          status: answer.status,
          headers: answer.headers as Record<string, string>,
        });
      }) as typeof fetch,
    },
  });
  const ids = flights(1_000).map(({ id }) => id);
  for (const event of flights(1_000)) await clock.until(sender.send(event as unknown as CloudEvent));
  await clock.until(sender.close(3_600_000));
  expect(delivered).toEqual(ids);
  expect(kafka.events.map(({ id }) => id)).toEqual(ids);
  expect(statuses).toContain(429);
});
