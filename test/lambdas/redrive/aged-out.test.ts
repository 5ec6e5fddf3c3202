/** Batches that a stream's mapping gave up for their age, from their buckets back to their topics. */
import { CreateBucketCommand, ListObjectsV2Command, PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  type AgedOutRequest,
  agedOutPrefixes,
  formatAgedOut,
  parseAgedOut,
} from "../../../contracts/aged-out.ts";
import { PRODUCER_HEADER } from "../../../contracts/producers.ts";
import { packSpilled } from "../../../contracts/spillway-record.ts";
import { type AgedOutPorts, redriveAgedOut } from "../../../lambdas/redrive/aged-out.ts";
import { readAgedOutRequest } from "../../../lambdas/redrive/request.ts";
import { AgedOutObjects } from "../../../runtime/archive/aged-out-objects.ts";
import { RecordPublisher } from "../../../runtime/publisher.ts";
import { startCheckpointStorage, type TestStorage } from "../../support/checkpoint-storage.ts";
import { partitionCounts } from "../support/door.ts";
import { flight, NOW_MS } from "../support/events.ts";
import { FakeKafka } from "../support/fake-kafka.ts";

const LONG_MS = 1_000_000;
const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

let storage: TestStorage;
beforeAll(async () => {
  storage = await startCheckpointStorage();
});
afterAll(() => storage.close());

let kafka: FakeKafka;
let slept: number[];
let buckets: { readonly mapping: string; readonly bucket: string }[];
let made = 0;
beforeEach(async () => {
  kafka = new FakeKafka();
  slept = [];
  made += 1;
  buckets = ["forward", "door-partner", "door-gone"].map((mapping) => ({
    mapping,
    bucket: `${mapping}-${made}`,
  }));
  for (const { bucket } of buckets) await storage.s3.send(new CreateBucketCommand({ Bucket: bucket }));
});

const ports = (changes: Partial<AgedOutPorts> = {}): AgedOutPorts => ({
  objects: new AgedOutObjects(storage.s3),
  buckets,
  doors: { partner: ["flight.departed"] },
  publisher: new RecordPublisher(kafka, new Map([...partitionCounts, ["dead-letters", 4]])),
  sleep: async (ms) => void slept.push(ms),
  ...changes,
});

const request = (changes: Partial<AgedOutRequest> = {}): AgedOutRequest => ({
  agedOut: true,
  execute: true,
  eventsPerSecond: 100,
  ...changes,
});

const run = (changes: Partial<AgedOutRequest> = {}, others: Partial<AgedOutPorts> = {}) =>
  redriveAgedOut(request(changes), () => LONG_MS, ports(others));

/** Files a batch as Lambda does: an invocation record, with the function's event as text. */
async function filed(mapping: string, name: string, records: readonly (Buffer | string)[]): Promise<void> {
  const Records = records.map((data, index) => ({
    eventID: `shardId-000000000001:${index}`,
    eventSourceARN: "arn:aws:kinesis:eu-central-1:111111111111:stream/some",
    kinesis: {
      sequenceNumber: String(index),
      data: Buffer.from(data).toString("base64"),
      approximateArrivalTimestamp: NOW_MS / 1_000,
    },
  }));
  const condition = "RecordAgeExceeded";
  await put(mapping, name, { requestContext: { condition }, payload: JSON.stringify({ Records }) });
}

async function put(mapping: string, name: string, body: unknown): Promise<void> {
  const { bucket } = buckets.find((one) => one.mapping === mapping)!;
  const Key = `${agedOutPrefixes.filed}uuid/shardId-000000000001/2026/01/31/${name}`;
  await storage.s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: JSON.stringify(body) }));
}

async function keysIn(mapping: string): Promise<string[]> {
  const { bucket } = buckets.find((one) => one.mapping === mapping)!;
  const { Contents = [] } = await storage.s3.send(new ListObjectsV2Command({ Bucket: bucket }));
  return Contents.map(({ Key }) => `${Key!.split("/")[0]}/…/${Key!.split("/").at(-1)}`);
}

const event = (id: string) => ({ ...flight, id });
const spilled = (...ids: string[]): Buffer =>
  packSpilled({
    arrivalMs: NOW_MS,
    producer: "jwt:airline",
    traceparent,
    events: ids.map((id) => ({
      topic: "flights",
      key: Buffer.from("ATL"),
      value: Buffer.from(JSON.stringify(event(id))),
    })),
  })[0]!;
const on = (topic: string) =>
  kafka.messages.filter((sent) => sent.topic === topic).map(({ message }) => message);

describe("what was spilled", () => {
  it("goes to its topic as it was accepted, in the name of whoever sent it, and is found once", async () => {
    await filed("forward", "b", [spilled("3")]);
    await filed("forward", "a", [spilled("1", "2"), "poison"]);
    expect(await run()).toEqual({
      end: "done",
      progress: { objects: 2, events: 3, dead: 1, kept: 0, after: expect.anything() },
    });
    expect(on("flights").map(({ value }) => JSON.parse(String(value)))).toEqual(["1", "2", "3"].map(event));
    expect(on("flights")[0]!.headers).toMatchObject({ [PRODUCER_HEADER]: "jwt:airline", traceparent });
    expect(on("dead-letters").map(({ value }) => String(value))).toEqual(["poison"]);
    expect(await keysIn("forward")).toEqual(["redriven/…/a", "redriven/…/b"]);
    expect((await run()).progress).toEqual({ objects: 0, events: 0, dead: 0, kept: 0 });
    expect(slept).toEqual([30, 10]);
  });
});

describe("what a producer's stream held", () => {
  it("passes its door of today: what that refuses is a dead letter", async () => {
    const records = [JSON.stringify(event("1")), JSON.stringify([event("2"), { ...event("3"), data: {} }])];
    await filed("door-partner", "a", records);
    expect((await run()).progress).toMatchObject({ objects: 1, events: 2, dead: 1 });
    expect(on("flights").map(({ value }) => JSON.parse(String(value)).id)).toEqual(["1", "2"]);
    expect(on("flights")[0]!.headers).toMatchObject({ [PRODUCER_HEADER]: "partner" });
    expect(on("dead-letters")[0]!.headers).toMatchObject({ "spillway-reason": "refused-at-door" });
  });

  it("is never read as spilled, whatever its bytes say", async () => {
    await filed("door-partner", "a", [spilled("forged")]);
    expect((await run()).progress).toMatchObject({ events: 0, dead: 1 });
    expect(on("flights")).toEqual([]);
  });

  it("stays where its door is no more", async () => {
    await filed("door-gone", "a", [JSON.stringify(event("1"))]);
    expect((await run()).progress).toMatchObject({ objects: 0, kept: 1 });
    expect(await keysIn("door-gone")).toEqual(["aws/…/a"]);
  });
});

it("an object that is no batch stays, and stops no other", async () => {
  await put("forward", "a", { payload: "{" });
  await put("forward", "b", { nothing: true });
  await filed("forward", "c", [spilled("1")]);
  expect((await run()).progress).toMatchObject({ objects: 1, events: 1, kept: 2 });
  expect(await keysIn("forward")).toEqual(["aws/…/a", "aws/…/b", "redriven/…/c"]);
});

it("a dry run counts, and changes nothing", async () => {
  await filed("forward", "a", [spilled("1", "2")]);
  await filed("door-partner", "a", [JSON.stringify({ ...event("3"), type: "x" })]);
  expect((await run({ execute: false })).progress).toMatchObject({ objects: 2, events: 2, dead: 1 });
  expect(kafka.messages).toEqual([]);
  expect([await keysIn("forward"), await keysIn("door-partner")]).toEqual([["aws/…/a"], ["aws/…/a"]]);
});

describe("a call whose time is over", () => {
  /** Calls until the end, each with time for one object; returns how each ended. */
  async function inCalls(execute: boolean) {
    const ends: string[] = [];
    let progress: AgedOutRequest["progress"];
    do {
      let looked = 0;
      const objects = new AgedOutObjects(storage.s3);
      const counting = {
        keys: (bucket: string, after?: string) => objects.keys(bucket, after),
        get: (bucket: string, key: string) => {
          looked += 1;
          return objects.get(bucket, key);
        },
        moveAway: (bucket: string, key: string, text: string) => objects.moveAway(bucket, key, text),
      };
      const remainingMs = () => (looked > 0 ? 0 : LONG_MS);
      const again = request({ execute, ...(progress && { progress }) });
      const answer = await redriveAgedOut(again, remainingMs, ports({ objects: counting }));
      ({ progress } = answer);
      ends.push(answer.end);
    } while (ends.at(-1) === "more");
    return { ends, progress };
  }

  it.each([false, true])(
    "is gone on with where it ended, over all buckets (execute: %s)",
    async (execute) => {
      for (const name of ["a", "b", "c"]) await filed("forward", name, [spilled(name)]);
      for (const name of ["d", "e"]) await filed("door-partner", name, [JSON.stringify(event(name))]);
      const { ends, progress } = await inCalls(execute);
      expect(ends).toEqual(["more", "more", "more", "more", "done"]);
      expect(progress).toMatchObject({ objects: 5, events: 5 });
      expect(kafka.events.map(({ id }) => id)).toEqual(execute ? ["a", "b", "c", "d", "e"] : []);
    },
  );
});

it("at most as many batches go as it was told", async () => {
  for (const name of ["a", "b", "c"]) await filed("forward", name, [spilled(name)]);
  expect((await run({ maxObjects: 2 })).progress).toMatchObject({ objects: 2 });
  expect(kafka.events.map(({ id }) => id)).toEqual(["a", "b"]);
});

it("where Kafka is away it stops, and the object stays where it is", async () => {
  await filed("forward", "a", [spilled("1")]);
  kafka.connectErrors.push(new Error("refused"));
  const publisher = new RecordPublisher(kafka, partitionCounts);
  const answer = await run({}, { publisher: { publish: (records) => publisher.publish(records, 1) } });
  expect(answer).toMatchObject({ end: "stopped", reason: expect.stringMatching(/did not acknowledge 1/) });
  expect(await keysIn("forward")).toEqual(["aws/…/a"]);
});

it("one that dies before it has moved an object sends it once more the next time", async () => {
  await filed("forward", "a", [spilled("1")]);
  const objects = new AgedOutObjects(storage.s3);
  const dying = {
    keys: (bucket: string) => objects.keys(bucket),
    get: (bucket: string, key: string) => objects.get(bucket, key),
    moveAway: () => Promise.reject(new Error("killed")),
  };
  await expect(run({}, { objects: dying })).rejects.toThrow("killed");
  await run();
  expect(kafka.events).toEqual([event("1"), event("1")]);
});

it("names of buckets come out of their variable as they went in", () => {
  expect(parseAgedOut(formatAgedOut(buckets))).toEqual(buckets);
});

it.each<[string, object]>([
  ["execute as text", { execute: "false" }],
  ["no rate", { eventsPerSecond: undefined }],
  ["a limit of 0", { maxObjects: 0 }],
])("a request with %s is refused", (_, changes) => {
  expect(() => readAgedOutRequest({ ...request(), ...changes } as AgedOutRequest)).toThrow(/must/);
  expect(readAgedOutRequest(request())).toEqual(request());
});
