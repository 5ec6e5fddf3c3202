/**
 * The CloudEvents SDK, a client that knows nothing of Spillway, sends through the door of the running platform, and reads
 * the notices that come out of it; a collector is sent the traces of both.
 */
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { CloudEvent, emitterFor, HTTP, type Message as HttpMessage, Mode } from "cloudevents";
import type { KafkaMessage, Message } from "kafkajs";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { flushWindows } from "../../cli/demo/flush.ts";
import { GroupProgress } from "../../cli/demo/group.ts";
import { readTopic } from "../../cli/demo/topic-reader.ts";
import { environmentVariables, sinkConsumerGroup } from "../../contracts/environment.ts";
import { flightDeparted, paymentMade } from "../../contracts/events/catalogue.ts";
import { noticeType } from "../../contracts/notices.ts";
import { resultsTopic } from "../../contracts/topics.ts";
import { verified } from "../lambdas/webhook/example.ts";
import { type OtlpReceiver, startOtlpReceiver } from "../support/otlp-receiver.ts";
import { eventually } from "./eventually.ts";
import { type RunningPlatform, startPlatform } from "./running-platform.ts";

vi.setConfig({ testTimeout: 180_000 });

const HOUR_MS = 3_600_000;

let running: RunningPlatform;
let collector: OtlpReceiver;
beforeAll(async () => {
  collector = await startOtlpReceiver();
  vi.stubEnv(environmentVariables.otlpEndpoint, collector.url);
  running = await startPlatform(["airportdelays", "fraudsignals"]);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await running?.stop();
  await collector?.close();
});

const flight = (id: string) =>
  new CloudEvent({
    id,
    source: "urn:spillway:test:sdk",
    type: flightDeparted.type,
    time: "2001-01-01T12:00:00.000Z",
    subject: "JFK",
    partitionkey: "JFK",
    data: { origin: "JFK", destination: "LAX", delayMin: 12, distanceMi: 2475 },
  });

/** What the SDK calls a transport: how a message gets to its receiver. */
async function send({ headers, body }: HttpMessage): Promise<Response> {
  return fetch(`${running.platform.ingestUrl}/events`, {
    method: "POST",
    headers: headers as Record<string, string>,
    body: body as string,
  });
}

async function onTopic(): Promise<KafkaMessage[]> {
  const found: KafkaMessage[] = [];
  const { kafka, platform } = running;
  await readTopic(kafka, flightDeparted.topic, ({ messages }) => found.push(...messages), platform.signal);
  return found;
}

it("takes events of the SDK in both modes, and the SDK reads them back from the topic", async () => {
  const modes = [Mode.STRUCTURED, Mode.BINARY];
  const events = modes.map((mode) => flight(`sdk-${mode}`));
  for (const [index, mode] of modes.entries()) {
    const response = (await emitterFor(send, { binding: HTTP, mode })(events[index]!)) as Response;
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({ accepted: 1 });
  }

  const records = await onTopic();
  expect(records.map(({ key }) => key?.toString())).toEqual(["JFK", "JFK"]);
  const read = records.map(({ value }) => new CloudEvent(JSON.parse(value!.toString())));
  // In binary mode the content type is the request's; the SDK adds the character set to it.
  const types = [undefined, "application/json; charset=utf-8"];
  expect(read.map((event) => event.toJSON())).toEqual(
    events.map((event, index) => ({ ...event.toJSON(), datacontenttype: types[index] })),
  );
});

it("answers an event that the SDK takes and the catalogue does not with problem details", async () => {
  const emit = emitterFor(send, { binding: HTTP, mode: Mode.BINARY });

  const response = (await emit(flight("sdk-unknown").cloneWith({ type: "flight.vanished" }))) as Response;

  expect(response.status).toBe(422);
  expect(response.headers.get("content-type")).toMatch("application/problem+json");
});

/** A stranger's visit: a login from afar on a new device, a payment, and the user's own phone at home. */
function fraud(userId: string): CloudEvent<unknown>[] {
  const atMs = Date.now();
  const event = (type: string, data: object, index: number) =>
    new CloudEvent({
      id: `${userId}-${index}`,
      source: "urn:spillway:test:fraud",
      type,
      time: new Date(atMs + index).toISOString(),
      partitionkey: userId,
      data: { userId, ...data },
    });
  const place = { latitude: 52.5, longitude: 13.4 };
  return [
    event("login.succeeded", { deviceId: "d", newDevice: true, method: "password", place }, 0),
    event(paymentMade.type, { amountMinor: 4_200, currency: "EUR", merchantId: "m" }, 1),
    event("location.reported", { latitude: -33.9, longitude: 151.2, accuracyM: 5 }, 2),
  ];
}

interface Received {
  readonly headers: Record<string, string>;
  readonly body: string;
}

it("sends a signed notice of a fraud to the webhook, once, which the SDK reads and a receiver verifies", async () => {
  const { webhook, environment, secrets } = await running.control.state();
  const received = async () => (await (await fetch(webhook.url)).json()) as Received[];
  const emit = emitterFor(send, { binding: HTTP, mode: Mode.STRUCTURED });
  for (const userId of ["user-1", "user-2"]) {
    for (const event of fraud(userId)) expect(((await emit(event)) as Response).status).toBe(202);
  }
  // A signal is told once no earlier event can come; nobody waits for the clock here.
  await flushWindows(running.kafka, paymentMade.topic, Date.now() + HOUR_MS);

  const notices = await eventually(async () => {
    const found = await received();
    return found.length >= 2 ? found : undefined;
  });

  const client = new SecretsManagerClient({
    endpoint: environment.AWS_ENDPOINT_URL_SECRETS_MANAGER!,
    region: environment.AWS_REGION!,
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
  });
  const { SecretString } = await client.send(
    new GetSecretValueCommand({ SecretId: Object.values(secrets)[0]! }),
  );
  client.destroy();
  const read = notices.map(({ headers, body }) => HTTP.toEvent({ headers, body }) as CloudEvent<unknown>);
  expect(read.map(({ subject }) => subject).sort()).toEqual(["user-1", "user-2"]);
  for (const [index, { headers, body }] of notices.entries()) {
    const { id, type, subject, data } = read[index]!;
    expect(headers["webhook-id"]).toBe(id);
    expect(type).toBe(noticeType("fraud-signals"));
    expect(data).toMatchObject({ key: subject, value: { paymentId: `${subject}-1`, amountMinor: 4_200 } });
    expect(verified(SecretString!, new Headers(headers), body, Date.now())).toMatchObject({ id });
    expect(verified(SecretString!, new Headers(headers), `${body} `, Date.now())).toBeUndefined();
  }

  await deliverAgain("fraud-signals");
  expect(await received()).toEqual(notices);
});

it("has told the collector of the fraud's way as one trace: the door, the checkpoint, the sink", async () => {
  const named = (name: string) => collector.spans.filter((span) => span.name === name);
  // The processor sends what it has every five seconds, and each function when an invocation ends.
  const [door, checkpoint, stored] = await eventually(async () => {
    for (const sink of named("sink")) {
      const from = named("checkpoint fraud-signals").find(({ spanId }) => spanId === sink.parentSpanId);
      const request = named("POST /events").find(({ spanId }) => spanId === from?.parentSpanId);
      if (from && request) return [request, from, sink] as const;
    }
    return undefined;
  });

  const services = [door, checkpoint, stored].map(({ service }) => service);
  expect(services).toEqual(["spillway-ingest", "spillway-processor", "spillway-sink"]);
  expect(new Set([door, checkpoint, stored].map(({ traceId }) => traceId)).size).toBe(1);
  expect(door.parentSpanId ?? "").toBe("");
  expect(door.attributes).toMatchObject({
    "http.response.status_code": 202,
    "spillway.events.accepted": 1,
    "spillway.route": "kafka",
  });
  const doors = new Set(named("POST /events").map(({ spanId }) => spanId));
  for (const { spanId } of checkpoint.links!) expect(doors).toContain(spanId);
  expect(checkpoint.attributes).toMatchObject({ "spillway.stage": "fraud-signals" });
  expect(JSON.stringify(collector.spans)).not.toMatch(/user-1|user-2|merchantId|JFK/);
});

/** Writes the pipeline's results to their topic once more, as they are, and waits until the sink has taken them. */
async function deliverAgain(pipeline: string): Promise<void> {
  const { kafka, admin, platform } = running;
  const topic = resultsTopic(pipeline);
  const found: Message[] = [];
  await readTopic(
    kafka,
    topic,
    ({ messages, partition }) =>
      void found.push(...messages.map(({ key, value }) => ({ key, value, partition }))),
    platform.signal,
  );
  expect(found.length).toBeGreaterThan(0);
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  await producer.send({ topic, messages: found });
  await producer.disconnect();
  const progress = new GroupProgress(admin, sinkConsumerGroup("dev", pipeline), topic);
  await eventually(async () => (await progress.lag()) === 0 || undefined);
}
