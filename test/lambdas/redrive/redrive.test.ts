import { afterAll, beforeEach, describe, expect, it } from "vitest";
import {
  type ArchiveEntry,
  MAX_REDRIVES,
  type RedriveAnswer,
  type RedriveRequest,
} from "../../../contracts/dead-letter-archive.ts";
import { PRODUCER_HEADER } from "../../../contracts/producers.ts";
import { type RedrivePorts, redrive } from "../../../lambdas/redrive/redrive.ts";
import { readRequest } from "../../../lambdas/redrive/request.ts";
import { RecordPublisher } from "../../../runtime/publisher.ts";
import { entryAt } from "../../support/archive-entries.ts";
import { startArchive, type TestArchive } from "../../support/archive-storage.ts";
import { partitionCounts } from "../support/door.ts";
import { flight, NOW_MS } from "../support/events.ts";
import { FakeKafka } from "../support/fake-kafka.ts";

const REDRIVE = "0b8f7c1e-0000-4000-8000-000000000001";
const LONG_MS = 1_000_000;

let test: TestArchive | undefined;
let kafka: FakeKafka;
let slept: number[];
beforeEach(async () => {
  await test?.close();
  test = await startArchive();
  kafka = new FakeKafka();
  slept = [];
});
afterAll(() => test?.close());

const ports = (changes: Partial<RedrivePorts> = {}): RedrivePorts => ({
  index: test!.index,
  objects: test!.objects,
  doors: { partner: ["flight.departed"] },
  publisher: new RecordPublisher(kafka, partitionCounts),
  now: () => NOW_MS,
  sleep: async (ms) => void slept.push(ms),
  ...changes,
});

const request = (changes: Partial<RedriveRequest> = {}): RedriveRequest => ({
  redriveId: REDRIVE,
  execute: true,
  selection: { state: "archived" },
  ratePerSecond: 100,
  maxFailureShare: 1,
  ...changes,
});

const run = (
  changes: Partial<RedriveRequest> = {},
  others: Partial<RedrivePorts> = {},
): Promise<RedriveAnswer> => redrive(request(changes), () => LONG_MS, ports(others));

/** Puts the nth entry in, whose event is this. */
async function archived(
  n: number,
  event: unknown,
  changes: Partial<ArchiveEntry> = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<ArchiveEntry> {
  const entry = entryAt(n, changes);
  const value = Buffer.isBuffer(event) ? event : Buffer.from(JSON.stringify(event));
  await test!.objects.put(entry, { key: Buffer.from("any"), value, headers: bytesOf(headers) });
  await test!.index.file(entry);
  return entry;
}

const bytesOf = (headers: Readonly<Record<string, string>>) =>
  Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)] as const);

const stateOf = async ({ id }: ArchiveEntry) => (await test!.index.get(id))!.state;
const bad = { ...flight, data: {} };

describe("a redrive", () => {
  it("sends the event to its topic under its key, with its provenance and unchanged but for that", async () => {
    const entry = await archived(1, flight);
    const answer = await run();
    expect(answer).toMatchObject({ end: "done", progress: { counts: { redriven: 1 } } });
    expect(kafka.messages).toHaveLength(1);
    const { topic, message } = kafka.messages[0]!;
    expect([topic, String(message.key)]).toEqual(["flights", "ATL"]);
    expect(message.headers).toMatchObject({ [PRODUCER_HEADER]: "redrive" });
    expect(kafka.events).toEqual([{ ...flight, redrivecount: 1, redriveid: REDRIVE }]);
    expect(await test!.index.get(entry.id)).toMatchObject({
      state: "redriven",
      redriveCount: 1,
      redriveId: REDRIVE,
    });
  });

  it("is told apart from the redrive before it, and counts on", async () => {
    await archived(1, { ...flight, redrivecount: 1, redriveid: "before" }, { redriveCount: 1 });
    await run();
    expect(kafka.events).toEqual([{ ...flight, redrivecount: 2, redriveid: REDRIVE }]);
  });

  it("finds nothing the second time, unless it is asked for what was redriven", async () => {
    await archived(1, flight);
    await run();
    expect((await run()).progress.counts.redriven).toBe(0);
    expect((await run({ selection: { state: "redriven" } })).progress.counts.redriven).toBe(1);
    expect(kafka.events.map(({ redrivecount }) => redrivecount)).toEqual([1, 2]);
  });

  it("leaves an event that was redriven as often as may be where it is", async () => {
    const entry = await archived(1, flight, { redriveCount: MAX_REDRIVES });
    expect((await run()).progress.counts).toMatchObject({ exhausted: 1, redriven: 0 });
    expect(await stateOf(entry)).toBe("archived");
    expect(kafka.messages).toEqual([]);
  });

  it("keeps what today's rules refuse, and says why", async () => {
    const entries = [
      await archived(1, bad),
      await archived(2, { ...flight, time: "2099-01-01T00:00:00Z" }),
      await archived(3, { ...flight, partitionkey: "ORD" }),
      await archived(4, Buffer.from([0xff])),
      await archived(5, { ...flight, type: "flight.vanished" }),
    ];
    const { counts, problems } = (await run()).progress;
    expect(counts).toMatchObject({ refused: 5, redriven: 0 });
    expect(Object.keys(problems).toSorted()).toEqual([
      expect.stringMatching(/data is invalid \/data\/origin/),
      expect.stringMatching(/key is invalid \/partitionkey/),
      expect.stringMatching(/time is too far ahead \/time/),
      expect.stringMatching(/Unknown event type \/type/),
      expect.stringMatching(/undecodable/),
    ]);
    for (const entry of entries) expect(await stateOf(entry)).toBe("archived");
  });

  it.each<[string, Partial<ArchiveEntry>]>([
    ["a pane", { kind: "pane" }],
    ["an excerpt", { kind: "excerpt" }],
    ["a result", { source: { kind: "kafka", topic: "airport-delays.results", partition: 0, offset: "1" } }],
    [
      "a record that the forward function could not read",
      { reason: "undecodable", source: { kind: "kinesis", stream: "s", shard: "0", sequence: "1" } },
    ],
  ])("does not touch %s", async (_, changes) => {
    const entry = await archived(1, flight, changes);
    expect((await run()).progress.counts).toMatchObject({ notAnEvent: 1 });
    expect(await stateOf(entry)).toBe("archived");
  });

  it("tells of bytes that have expired", async () => {
    await test!.index.file(entryAt(1));
    expect((await run()).progress.counts).toMatchObject({ gone: 1 });
  });

  it("does not send what someone else has moved meanwhile", async () => {
    const entry = await archived(1, flight);
    const get: RedrivePorts["objects"]["get"] = async (id) => {
      await test!.index.discard(entry, NOW_MS);
      return test!.objects.get(id);
    };
    expect((await run({}, { objects: { get } })).progress.counts).toMatchObject({
      contended: 1,
      redriven: 0,
    });
    expect(kafka.messages).toEqual([]);
  });

  it("changes nothing in a dry run", async () => {
    const entries = [await archived(1, flight), await archived(2, bad)];
    const { counts } = (await run({ execute: false })).progress;
    expect(counts).toMatchObject({ ready: 1, refused: 1, redriven: 0 });
    expect(kafka.messages).toEqual([]);
    for (const entry of entries) expect(await test!.index.get(entry.id)).toEqual(entry);
  });

  it("sends at most as many as it was told", async () => {
    for (let n = 0; n < 5; n++) await archived(n, { ...flight, id: `f-${n}` });
    await run({ maxEntries: 2 });
    expect(kafka.events.map(({ id }) => id)).toEqual(["f-0", "f-1"]);
  });
});

describe("what the door of a producer's stream refused", () => {
  const refused = {
    reason: "refused-at-door",
    stage: "door",
    source: { kind: "kinesis", stream: "s", shard: "0", sequence: "1" },
  } as const;
  const partner = { [PRODUCER_HEADER]: "partner" };
  const view = {
    ...flight,
    type: "page.viewed",
    partitionkey: "u",
    data: { userId: "u", path: "/", device: "mobile" },
  };

  it("goes back by today's rules, in its producer's name", async () => {
    const entry = await archived(1, flight, refused, partner);
    expect((await run({ execute: false })).progress.counts).toMatchObject({ ready: 1 });
    expect((await run()).progress.counts).toMatchObject({ redriven: 1 });
    expect(kafka.events).toEqual([{ ...flight, redrivecount: 1, redriveid: REDRIVE }]);
    expect(kafka.messages[0]!.message.headers).toMatchObject(partner);
    expect(await stateOf(entry)).toBe("redriven");
  });

  it("goes back as all events of a record that was refused as a whole", async () => {
    await archived(1, [flight, { ...flight, id: "f-2" }], refused, partner);
    expect((await run()).progress.counts).toMatchObject({ redriven: 1 });
    expect(kafka.events.map(({ id, redriveid }) => [id, redriveid])).toEqual([
      ["f-1", REDRIVE],
      ["f-2", REDRIVE],
    ]);
  });

  it.each<[string, unknown, Record<string, string>, RegExp]>([
    ["is still refused", bad, partner, /data is invalid/],
    ["is no JSON", Buffer.from("{"), partner, /not valid JSON/],
    ["holds one that is refused beside others", [flight, bad], partner, /data is invalid/],
    ["is of a type that is not its producer's", view, partner, /may not send this type/],
    ["is of a door that is no more", flight, { [PRODUCER_HEADER]: "gone" }, /no door/],
    ["does not tell whose it is", flight, {}, /no door/],
    ["claims to be of a door in an attribute", { ...flight, [PRODUCER_HEADER]: "partner" }, {}, /no door/],
  ])("stays where it %s", async (_, event, headers, problem) => {
    const entry = await archived(1, event, refused, headers);
    const { counts, problems } = (await run()).progress;
    expect(counts).toMatchObject({ refused: 1, redriven: 0 });
    expect(Object.keys(problems)).toEqual([expect.stringMatching(problem)]);
    expect(await stateOf(entry)).toBe("archived");
    expect(kafka.messages).toEqual([]);
  });
});

describe("the record of an event that goes back", () => {
  it("says who sent it, and has its trace context, where its dead letter does", async () => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    await archived(1, flight, {}, { [PRODUCER_HEADER]: "jwt:airline", traceparent });
    await archived(2, { ...flight, traceparent }, {}, { traceparent: "nonsense" });
    await run();
    const [first, second] = kafka.messages.map(({ message }) => message.headers);
    expect(first).toMatchObject({ [PRODUCER_HEADER]: "jwt:airline", traceparent });
    expect(second).not.toHaveProperty("traceparent");
    expect(kafka.events[1]).toMatchObject({ traceparent });
  });
});

describe("its pace", () => {
  it("is the rate: a chunk that took no time is followed by what is left of its share of a second", async () => {
    for (let n = 0; n < 7; n++) await archived(n, { ...flight, id: `f-${n}` });
    await run({ ratePerSecond: 3 });
    expect(kafka.events.map(({ id }) => id)).toEqual(["f-0", "f-1", "f-2", "f-3", "f-4", "f-5", "f-6"]);
    expect(slept).toEqual([1_000, 1_000, expect.closeTo(1_000 / 3)]);
  });
});

describe("a call whose time is over", () => {
  it("is gone on with where it ended, and each event is sent once", async () => {
    for (let n = 0; n < 5; n++) await archived(n, { ...flight, id: `f-${n}` });
    let answer = await redrive(request({ ratePerSecond: 2 }), () => 0, ports());
    const ends = [answer.end];
    while (answer.end === "more") {
      answer = await redrive(request({ ratePerSecond: 2, progress: answer.progress }), () => 0, ports());
      ends.push(answer.end);
    }
    expect(ends).toEqual(["more", "more", "more", "done"]);
    expect(answer.progress.counts.redriven).toBe(5);
    expect(kafka.events.map(({ id }) => id)).toEqual(["f-0", "f-1", "f-2", "f-3", "f-4"]);
  });
});

describe("it stops by itself", () => {
  it("once more than the given share is refused", async () => {
    for (let n = 0; n < 60; n++) await archived(n, n % 2 === 0 ? bad : { ...flight, id: `f-${n}` });
    const answer = await run({ ratePerSecond: 20, maxFailureShare: 0.4 });
    expect(answer).toMatchObject({
      end: "stopped",
      reason: expect.stringMatching(/^10 of 20 events failed/),
    });
    expect(answer.progress.counts).toMatchObject({ redriven: 10, refused: 10 });
    expect((await run({ ratePerSecond: 20, maxFailureShare: 0.9 })).end).toBe("done");
  });

  it("once more than the given share of what it sent is in the archive again", async () => {
    for (let n = 0; n < 60; n++) await archived(n, { ...flight, id: `f-${n}` });
    for (let n = 100; n < 106; n++) await archived(n, flight, { state: "discarded", cameBackFrom: REDRIVE });
    const answer = await run({ ratePerSecond: 20, maxFailureShare: 0.2 });
    expect(answer).toMatchObject({ end: "stopped", reason: expect.stringMatching(/^6 of 20 events failed/) });
  });

  it("where Kafka is away, and gives back what it has claimed", async () => {
    const entry = await archived(1, flight);
    kafka.connectErrors.push(new Error("refused"));
    const publisher = new RecordPublisher(kafka, partitionCounts);
    const publish: RedrivePorts["publisher"]["publish"] = (records) => publisher.publish(records, 1);
    const answer = await run({}, { publisher: { publish } });
    expect(answer).toMatchObject({ end: "stopped", reason: expect.stringMatching(/did not acknowledge 1/) });
    expect(await test!.index.get(entry.id)).toMatchObject({ state: "archived", redriveCount: 0 });
  });
});

describe("one that dies", () => {
  it("between its claim and the end leaves the entry claimed; who takes it over sends it again", async () => {
    const entry = await archived(1, flight);
    const index = new Proxy(test!.index, {
      get: (target, name: keyof RedrivePorts["index"]) =>
        name === "finish" ? () => Promise.reject(new Error("killed")) : target[name].bind(target),
    });
    await expect(run({}, { index })).rejects.toThrow("killed");
    expect(await stateOf(entry)).toBe("redriving");
    expect((await run()).progress.counts.redriven).toBe(0);
    const later = { now: () => NOW_MS + LONG_MS };
    const selection = { state: "redriving" } as const;
    expect((await run({ selection }, later)).progress.counts.redriven).toBe(1);
    expect(kafka.events.map(({ id }) => id)).toEqual([flight.id, flight.id]);
  });
});

describe("a request", () => {
  it.each<[string, object]>([
    ["an id that is no UUID", { redriveId: "r" }],
    ["no rate", { ratePerSecond: undefined }],
    ["a rate of 0", { ratePerSecond: 0 }],
    ["a share above 1", { maxFailureShare: 20 }],
    ["execute as text", { execute: "false" }],
    ["no selection", { selection: undefined }],
    ["an unknown state", { selection: { state: "new" } }],
    ["an unknown condition", { selection: { state: "archived", pipelines: "x" } }],
    ["a time as text", { selection: { state: "archived", sinceMs: "2026-01-31" } }],
    ["an unknown reason", { selection: { state: "archived", reason: "bad-luck" } }],
  ])("with %s is refused", (_, changes) => {
    expect(() => readRequest({ ...request(), ...changes } as RedriveRequest)).toThrow(/must/);
    expect(readRequest(request())).toEqual(request());
  });
});
