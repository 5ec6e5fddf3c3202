/** An event may ask for a priority; its type's topic of that one takes it, now and when it is redriven. */
import { describe, expect, it, vi } from "vitest";
import type { LoadSignal } from "../../../contracts/signals.ts";
import { revalidate } from "../../../lambdas/redrive/revalidate.ts";
import { entryAt } from "../../support/archive-entries.ts";
import { send } from "../support/door.ts";
import { batch, flight, NOW_MS, request, structured } from "../support/events.ts";
import { FakeKafka } from "../support/fake-kafka.ts";
import { FakeStream } from "../support/fake-stream.ts";

/** Flights with a topic of high priority beside their own. */
vi.mock("../../../contracts/events/catalogue.ts", async (original) => {
  const real = await original<typeof import("../../../contracts/events/catalogue.ts")>();
  const topics = { high: "user-activity" } as const;
  const catalogue = real.catalogue.map((entry) =>
    entry.type === "flight.departed" ? { ...entry, topics } : entry,
  );
  return { ...real, catalogue };
});

const asking = (priority: unknown) => ({ ...flight, priority });

describe("an event of a type with several topics", () => {
  it.each([
    ["no priority", flight, "flights"],
    ["a priority of null, which is absent", asking(null), "flights"],
    ["its default topic's priority", asking("normal"), "flights"],
    ["another priority", asking("high"), "user-activity"],
  ])("with %s goes to the topic of that", async (_, event, topic) => {
    const kafka = new FakeKafka();
    expect(await send(structured(event), kafka)).toMatchObject({ status: 202 });
    expect(kafka.messages).toMatchObject([{ topic }]);
    expect(kafka.events).toEqual([event]);
  });

  it("may ask in a header of the binary mode", async () => {
    const kafka = new FakeKafka();
    const { headers, body } = request("application/json", flight.data);
    const attributes = ["specversion", "id", "source", "type", "time", "partitionkey"] as const;
    const named = Object.fromEntries(attributes.map((name) => [`ce-${name}`, String(flight[name])]));
    const binary = { headers: { ...headers, ...named, "ce-priority": "high" }, body, isBase64Encoded: false };
    expect(await send(binary, kafka)).toMatchObject({ status: 202 });
    expect(kafka.messages).toMatchObject([{ topic: "user-activity" }]);
  });

  it.each(["low", "urgent", "", 1, true])(
    "that asks for %j is refused, with what it may ask for",
    async (priority) => {
      expect(await send(structured(asking(priority)))).toMatchObject({
        status: 422,
        body: {
          type: "urn:spillway:problem:unknown-priority",
          field: "/priority",
          detail: "priority must be absent or, for an event of this type, normal or high.",
        },
      });
    },
  );

  it("is shed by the load and the priority of the topic that it asks for", async () => {
    const kafka = new FakeKafka();
    const stream = new FakeStream();
    const load = (topic: string): LoadSignal => ({
      stage: "p",
      source: topic,
      topics: [topic],
      load: 2,
      atMs: NOW_MS,
    });
    const answer = await send(batch([flight, asking("high")]), kafka, {
      stream,
      signals: [load("flights"), load("user-activity")],
    });
    expect(answer.body.results?.map(({ status }) => status)).toEqual(["refused", "accepted"]);
    expect(kafka.messages).toMatchObject([{ topic: "user-activity" }]);
  });

  it.each(["flights", "user-activity"])(
    "goes back to %s, which it came from, when it is redriven",
    (topic) => {
      const entry = entryAt(1, { source: { kind: "kafka", topic, partition: 0, offset: "0" } });
      const event = topic === "flights" ? flight : asking("high");
      const bytes = { key: Buffer.from("ATL"), value: Buffer.from(JSON.stringify(event)), headers: [] };
      expect(revalidate(entry, bytes, "r", NOW_MS, {})).toMatchObject({ kind: "ready", events: [{ topic }] });
    },
  );
});

it("an event of a type with one topic may ask for that one's priority only", async () => {
  const login = {
    ...flight,
    type: "login.succeeded",
    partitionkey: "u",
    data: { userId: "u", deviceId: "d", newDevice: false, method: "sso" },
  };
  expect(await send(structured({ ...login, priority: "high" }))).toMatchObject({ status: 202 });
  expect(await send(structured({ ...login, priority: "normal" }))).toMatchObject({
    body: { detail: "priority must be absent or, for an event of this type, high." },
  });
});
