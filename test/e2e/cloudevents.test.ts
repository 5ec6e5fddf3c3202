/** The CloudEvents SDK, a client that knows nothing of Spillway, sends through the door of the running platform. */
import { CloudEvent, emitterFor, HTTP, type Message, Mode } from "cloudevents";
import type { KafkaMessage } from "kafkajs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readTopic } from "../../cli/demo/topic-reader.ts";
import { flightDeparted } from "../../contracts/events/catalogue.ts";
import { type RunningPlatform, startPlatform } from "./running-platform.ts";

let running: RunningPlatform;
beforeAll(async () => {
  running = await startPlatform();
});
afterAll(() => running?.stop());

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
async function send({ headers, body }: Message): Promise<Response> {
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
