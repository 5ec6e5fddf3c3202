import { CloudEvent, emitterFor, type Message, Mode } from "cloudevents";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { LoadSignal } from "../../../contracts/signals.ts";
import { flight, structured, without } from "../support/events.ts";
import { FakeKafka } from "../support/fake-kafka.ts";
import { FakeStream } from "../support/fake-stream.ts";
import { contextWith, type Gateway, type HttpHandler, startGateway } from "../support/gateway.ts";

const kafka = new FakeKafka();
let clients = 0;
vi.mock("../../../runtime/kafka.ts", async (original) => ({
  ...(await original<typeof import("../../../runtime/kafka.ts")>()),
  createKafka: () => {
    clients += 1;
    return kafka;
  },
}));

const stream = new FakeStream();
vi.mock("../../../runtime/kinesis.ts", () => ({ createKinesisClient: () => stream }));

/** What other stages say, and what this one said. */
const signals: LoadSignal[] = [];
const told: LoadSignal[] = [];
vi.mock("../../../runtime/signals.ts", async (original) => ({
  ...(await original<typeof import("../../../runtime/signals.ts")>()),
  SignalsTable: class {
    read = async (): Promise<LoadSignal[]> => signals;
    write = async (signal: LoadSignal): Promise<void> => void told.push(signal);
  },
}));

let handler: HttpHandler;
let gateway: Gateway;
const lines: Record<string, unknown>[] = [];

beforeAll(async () => {
  vi.stubEnv("SPILLWAY_ENVIRONMENT", "test");
  // Powertools then writes to the console that is spied on here, and not to one of its own.
  vi.stubEnv("POWERTOOLS_DEV", "true");
  vi.stubEnv("POWERTOOLS_METRICS_DISABLED", "false");
  vi.stubEnv("SPILLWAY_BOOTSTRAP_SERVERS", "127.0.0.1:9092");
  vi.stubEnv("SPILLWAY_STREAM", "spillway");
  vi.stubEnv("SPILLWAY_HIGH_STREAM", "spillway-high");
  vi.stubEnv("SPILLWAY_SIGNALS_TABLE", "signals");
  for (const method of ["log", "warn", "error"] as const) {
    vi.spyOn(console, method).mockImplementation((line) => void lines.push(JSON.parse(String(line))));
  }
  handler = (await import("../../../lambdas/ingest/handler.ts")).handler as HttpHandler;
  gateway = await startGateway(handler);
});

beforeEach(() => {
  kafka.sends.length = 0;
  lines.length = 0;
});

afterAll(async () => {
  await gateway.close();
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const sdkEvent = (changes: Readonly<Record<string, unknown>> = {}): CloudEvent<unknown> =>
  new CloudEvent({ ...flight, ...changes });

async function post({ headers, body }: Message): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${gateway.url}/events`, {
    method: "POST",
    headers: headers as Record<string, string>,
    body: body as string,
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

describe("the CloudEvents SDK as a client", () => {
  it.each([Mode.STRUCTURED, Mode.BINARY])("sends an event in %s mode", async (mode) => {
    const answer = await emitterFor(post, { mode })(sdkEvent());
    expect(answer).toEqual({
      status: 202,
      body: { accepted: 1, results: [{ index: 0, id: "f-1", status: "accepted" }] },
    });
    const expected = without(JSON.parse(JSON.stringify(sdkEvent())), "time", "datacontenttype");
    expect(kafka.events).toMatchObject([expected]);
    expect(Date.parse(String(kafka.events[0]!.time))).toBe(Date.parse(String(flight.time)));
  });

  it("sends a batch", async () => {
    const events = Array.from({ length: 3 }, (_, index) => sdkEvent({ id: `f-${index}` }));
    const headers = { "content-type": "application/cloudevents-batch+json; charset=utf-8" };
    const answer = await post({ headers, body: JSON.stringify(events) });
    expect(answer).toMatchObject({ status: 202, body: { accepted: 3 } });
    expect(kafka.events.map(({ id }) => id)).toEqual(["f-0", "f-1", "f-2"]);
  });

  it.each([Mode.STRUCTURED, Mode.BINARY])("is refused in %s mode with a problem", async (mode) => {
    const answer = await emitterFor(post, { mode })(sdkEvent({ data: { origin: "ATL" } }));
    expect(answer).toMatchObject({ status: 422, body: { id: "f-1", index: 0, field: "/data/destination" } });
  });
});

describe("an execution environment", () => {
  it("makes the Kafka client and its producer once", async () => {
    for (let request = 0; request < 5; request += 1)
      await emitterFor(post, { mode: Mode.BINARY })(sdkEvent());
    expect(clients).toBe(1);
    expect(kafka.producers).toEqual([{ connects: 1, disconnects: 0 }]);
  });

  it("publishes one line of metrics an invocation, by environment and stage only", async () => {
    await post({ headers: { "content-type": "application/cloudevents+json" }, body: JSON.stringify(flight) });
    const published = lines.filter((line) => "_aws" in line);
    expect(published).toHaveLength(1);
    expect(published[0]).toMatchObject({
      environment: "test",
      stage: "ingest",
      EventsAccepted: 1,
      EventsRefused: 0,
      BytesAccepted: JSON.stringify(flight).length,
    });
    expect(published[0]).toHaveProperty("_aws.CloudWatchMetrics.0.Dimensions", [["environment", "stage"]]);
  });

  it("answers 202 within its remaining time where Kafka does not answer, and says in the log where the event is", async () => {
    kafka.next.push(() => new Promise(() => {}));
    const answer = await handler(structured(flight) as never, contextWith(1_020));
    expect(answer.statusCode).toBe(202);
    expect(stream.events).toHaveLength(1);
    expect(lines).toContainEqual(expect.objectContaining({ level: "WARN", service: "ingest" }));
    expect(lines).toContainEqual(expect.objectContaining({ KafkaUnavailable: 1, EventsSpilled: 1 }));
  });

  it("answers 503 where neither Kafka nor the stream does, and says so in the log", async () => {
    kafka.next.push(() => new Promise(() => {}));
    stream.always = () => Promise.reject(new Error("away"));
    const answer = await handler(structured(flight) as never, contextWith(1_020));
    stream.always = undefined;
    expect(answer.statusCode).toBe(503);
    expect(lines).toContainEqual(expect.objectContaining({ level: "ERROR", service: "ingest" }));
    expect(lines).toContainEqual(expect.objectContaining({ IngestUnavailable: 1 }));
  });

  it("tells the others once, when its breaker opens", async () => {
    for (let request = 0; request < 20 && told.length === 0; request += 1) {
      kafka.next.push(() => new Promise(() => {}));
      await handler(structured(flight) as never, contextWith(1_020));
    }
    await handler(structured(flight) as never, contextWith(1_020));
    expect(told).toMatchObject([{ stage: "ingest", source: "kafka", topics: [] }]);
  });

  it("tells every topic's load on GET /backpressure", async () => {
    const event = { requestContext: { http: { method: "GET" } } };
    const answer = await handler(event as never, contextWith(1_020));
    expect(answer).toMatchObject({
      statusCode: 200,
      headers: { backpressure: "0.00", "cache-control": "no-store" },
    });
    expect(JSON.parse(answer.body!)).toMatchObject({ backpressure: 0, topics: { flights: 0 } });
  });

  it("answers 500 to what it did not expect, without saying what that was", async () => {
    const answer = await handler({ headers: null } as never, contextWith(10_000));
    expect(answer).toMatchObject({
      statusCode: 500,
      headers: { "content-type": "application/problem+json" },
    });
    expect(JSON.parse(answer.body!)).toMatchObject({ type: "urn:spillway:problem:internal" });
    expect(answer.body).not.toContain("null");
  });
});
