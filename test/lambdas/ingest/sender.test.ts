/** The sender in clients/ against the door's own logic, over HTTP. */
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { type Clock, systemClock } from "../../../clients/clock.ts";
import { type GivenUp, Sender } from "../../../clients/sender.ts";
import type { CloudEvent } from "../../../contracts/cloudevent.ts";
import { maxEventBytes } from "../../../contracts/limits.ts";
import { defaultShedding, type LoadSignal } from "../../../contracts/signals.ts";
import { CircuitBreaker } from "../../../flow/breaker.ts";
import { kafkaBreaker } from "../../../lambdas/ingest/delivery.ts";
import { ingest } from "../../../lambdas/ingest/ingest.ts";
import { type Producer, producer } from "../../../lambdas/ingest/producer.ts";
import { Spillway } from "../../../lambdas/ingest/spillway.ts";
import { KafkaUnavailableError, SpillwayUnavailableError } from "../../../runtime/errors.ts";
import { RecordPublisher } from "../../../runtime/publisher.ts";
import { partitionCounts } from "../support/door.ts";
import { flight, NOW_MS } from "../support/events.ts";
import { FakeKafka } from "../support/fake-kafka.ts";
import { FakeStream } from "../support/fake-stream.ts";
import { type Gateway, startGateway } from "../support/gateway.ts";

/** The door asks for ten seconds and more; here they are a hundredth of that. */
const HURRY = 100;
const hurriedClock: Clock = {
  nowMs: () => systemClock.nowMs() * HURRY,
  epochMs: systemClock.epochMs,
  sleep: (ms, signal) => systemClock.sleep(ms / HURRY, signal),
};

let gateway: Gateway;
let kafka: FakeKafka;
let sender: Producer;
/** The signals that each request finds; the last ones stay. */
let signals: (readonly LoadSignal[])[];
let requests: number;
/** For so many requests everything behind the door is away. */
let failing: number;
let delivered: CloudEvent[];
let givenUp: Map<string, GivenUp>;

const away = {
  publisher: { publish: () => Promise.reject(new KafkaUnavailableError("No broker answers.", "Wait.")) },
  spillway: { put: () => Promise.reject(new SpillwayUnavailableError("No stream answers.", "Wait.")) },
};

beforeAll(async () => {
  gateway = await startGateway(async (request) => {
    requests += 1;
    const found = (signals.length > 1 ? signals.shift() : signals[0]) ?? [];
    const { response } = await ingest(request, sender, 10_000, found, {
      publisher: new RecordPublisher(kafka, partitionCounts),
      spillway: new Spillway({ client: new FakeStream(), streamName: "spillway", random: () => 0 }),
      ...(requests <= failing && away),
      firstConnection: { isDue: () => true },
      breaker: new CircuitBreaker(kafkaBreaker),
      shedding: defaultShedding,
      now: () => NOW_MS,
    });
    return response;
  });
});

afterAll(() => gateway.close());

beforeEach(() => {
  kafka = new FakeKafka();
  sender = producer("test", "any");
  signals = [];
  requests = 0;
  failing = 0;
  delivered = [];
  givenUp = new Map();
});

async function sendAll(events: readonly unknown[]): Promise<void> {
  const client = new Sender({
    url: `${gateway.url}/events`,
    onDelivered: (of) => delivered.push(...of),
    onGivenUp: (event, outcome) => givenUp.set(event.id, outcome),
    // A batch is what fills one, or what is there when it is closed.
    lingerMs: 60_000,
    requestTimeoutMs: 15 * 60_000,
    ports: { clock: hurriedClock },
  });
  for (const event of events) await client.send(event as CloudEvent);
  await client.close(24 * 3_600_000);
}

const flights = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ ...flight, id: `f-${index}` }));

const view = {
  specversion: "1.0",
  id: "v-1",
  source: "/web",
  type: "page.viewed",
  time: "2026-01-31T11:59:59Z",
  partitionkey: "u",
  data: { userId: "u", path: "/", device: "mobile" },
};

const overloaded: LoadSignal = {
  stage: "user-sessions",
  source: "0",
  topics: ["clickstream"],
  load: 1.35,
  atMs: NOW_MS,
};

it("delivers what the catalogue takes, and tells why it gives up the rest", async () => {
  const unknown = { ...flight, id: "unknown", type: "flight.lost" };
  const invalid = { ...flight, id: "invalid", data: { origin: "ATL" } };
  await sendAll([...flights(2_500), unknown, invalid]);

  expect(delivered.map(({ id }) => id)).toEqual(flights(2_500).map(({ id }) => id));
  expect(kafka.events).toEqual(delivered);
  expect(Object.fromEntries(givenUp)).toMatchObject({
    unknown: { reason: "refused", problem: { type: "urn:spillway:problem:unknown-type", field: "/type" } },
    invalid: { reason: "refused", problem: { type: "urn:spillway:problem:invalid-data", status: 422 } },
  });
  expect(requests).toBe(3);
});

it("sends again only what is refused for the load, until that is over", async () => {
  signals = [[overloaded], [overloaded], []];
  await sendAll([view, ...flights(3)]);

  expect(delivered.map(({ id }) => id)).toEqual(["f-0", "f-1", "f-2", "v-1"]);
  expect(kafka.events).toHaveLength(4);
  expect(requests).toBe(3);
});

it("tells what its sender may not send, and still sends again what else the answer 403 says", async () => {
  sender = producer("test", ["page.viewed"]);
  signals = [[overloaded], [overloaded], []];
  await sendAll([...flights(2), view]);

  expect(delivered.map(({ id }) => id)).toEqual(["v-1"]);
  const problem = { type: "urn:spillway:problem:forbidden-type", status: 403 };
  expect([...givenUp]).toMatchObject([
    ["f-0", { reason: "refused", problem, mayBeStored: false }],
    ["f-1", { reason: "refused", problem, mayBeStored: false }],
  ]);
});

it("sends no more bytes at once than the door takes", async () => {
  const data = { ...(flight.data as object), note: "x".repeat(maxEventBytes - 1_000) };
  const large = Array.from({ length: 30 }, (_, index) => ({ ...flight, id: `l-${index}`, data }));
  await sendAll(large);

  expect(delivered).toHaveLength(30);
  expect(givenUp.size).toBe(0);
});

it("outlasts an outage of both Kafka and the spillway", async () => {
  failing = 3;
  await sendAll(flights(10));

  expect(delivered).toEqual(flights(10));
  expect(kafka.events).toEqual(flights(10));
  expect(requests).toBe(4);
});
