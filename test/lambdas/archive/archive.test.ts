import type { MSKRecord } from "aws-lambda";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deadLetterHeaders } from "../../../contracts/dead-letter.ts";
import type { ArchiveEntry } from "../../../contracts/dead-letter-archive.ts";
import { maxEnvelopeMessageBytes } from "../../../contracts/limits.ts";
import { archiveMessages, archiveRecords, batchResponse } from "../../../lambdas/archive/archive.ts";
import { kafkaLetter } from "../../../lambdas/archive/kafka-letter.ts";
import { entryFrom } from "../../../lambdas/archive/letter.ts";
import { all, startArchive, type TestArchive } from "../../support/archive-storage.ts";
import { delivery, letter, letterHeaders, message, messages } from "../support/dead-letters.ts";
import { flight, NOW_MS } from "../support/events.ts";

let test: TestArchive;
beforeAll(async () => {
  test = await startArchive();
});
afterAll(() => test.close());

const ports = () => ({ ...test, now: () => NOW_MS });
const archive = (...records: MSKRecord[]) => archiveRecords(delivery(...records), ports());
const filed = async (record: MSKRecord): Promise<ArchiveEntry> =>
  (await test.index.get(entryFrom(kafkaLetter(record), NOW_MS).id))!;

describe("a dead letter", () => {
  it("is filed with where it was, why, and its bytes", async () => {
    const event = {
      ...flight,
      dataschema: "https://schemas.test/flight/2",
      traceparent: `00-${"ab".repeat(16)}-${"cd".repeat(8)}-01`,
    };
    const record = letter(event);
    expect(await archive(record)).toEqual({ archived: 1, repeated: 0, failed: [] });
    const entry = await filed(record);
    expect(entry).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      kind: "record",
      reason: "user-code-failed",
      stage: "airport-delays",
      source: { kind: "kafka", topic: "flights", partition: 2, offset: "9007199254740993" },
      detail: "map threw: no such airport",
      firstAtMs: NOW_MS - 1_000,
      lastAtMs: NOW_MS - 1_000,
      valueBytes: Buffer.byteLength(JSON.stringify(event)),
      type: flight.type,
      dataSchema: event.dataschema,
      traceId: "ab".repeat(16),
      state: "archived",
      stateAtMs: NOW_MS,
      redriveCount: 0,
    });
    const bytes = (await test.objects.get(entry.id))!;
    expect(bytes.value).toEqual(Buffer.from(JSON.stringify(event)));
    expect(bytes.key).toEqual(Buffer.from("ATL"));
    expect(bytes.headers.map(([name, value]) => [name, String(value)])).toEqual(
      Object.entries(letterHeaders),
    );
  });

  it("is one entry, however often and from wherever in its topic it comes; its last time is kept", async () => {
    const value = { ...flight, id: "again" };
    const record = letter(value);
    const copy = letter(value, letterHeaders, { partition: 3, offset: 77, timestamp: NOW_MS - 10 });
    await archive(record);
    expect(await archive(record, copy)).toMatchObject({ archived: 0, repeated: 2 });
    expect(await archive(record)).toMatchObject({ archived: 0, repeated: 1 });
    expect(await filed(record)).toMatchObject({ firstAtMs: NOW_MS - 1_000, lastAtMs: NOW_MS - 10 });
  });

  it("is another one of another stage, another offset, or of a topic that was made anew", async () => {
    const value = { ...flight, id: "others" };
    const others = [
      letter(value, { ...letterHeaders, [deadLetterHeaders.stage]: "airport-delays-rolling" }),
      letter(value, { ...letterHeaders, [deadLetterHeaders.offset]: "1" }),
      letter({ ...value, id: "other bytes" }),
    ];
    expect(await archive(letter(value), ...others)).toMatchObject({ archived: 4, repeated: 0 });
  });

  it("keeps its state when it comes again", async () => {
    const record = letter({ ...flight, id: "discarded" });
    await archive(record);
    expect(await test.index.discard(await filed(record), NOW_MS)).toBe(true);
    await archive(record);
    expect(await filed(record)).toMatchObject({ state: "discarded" });
  });

  it.each([
    ["no JSON", Buffer.from([0x7b, 0xff, 0x00])],
    ["JSON that is no object", Buffer.from("[1]")],
    ["an event with attributes of other types", Buffer.from('{"type":7,"redrivecount":"x","redriveid":{}}')],
    ["nothing", Buffer.from("")],
  ])("of %s is kept as its bytes", async (_, value) => {
    const record = letter(value);
    await archive(record);
    const entry = await filed(record);
    expect(entry).not.toHaveProperty("type");
    expect(entry).toMatchObject({ redriveCount: 0, valueBytes: value.length });
    expect((await test.objects.get(entry.id))!.value).toEqual(value);
  });

  it("as large as its topic takes is kept whole", async () => {
    const value = Buffer.alloc(maxEnvelopeMessageBytes, 0xff);
    const record = letter(value);
    await archive(record);
    const bytes = await test.objects.get((await filed(record)).id);
    expect(value.equals(bytes!.value!)).toBe(true);
  });

  it("without key and value is filed", async () => {
    const { key: _, value: __, ...record } = letter("");
    await archive(record as MSKRecord);
    const entry = await filed(record as MSKRecord);
    expect(await test.objects.get(entry.id)).toMatchObject({ key: null, value: null });
  });

  it("of a record of a stream points there", async () => {
    const headers = {
      [deadLetterHeaders.reason]: "undecodable",
      [deadLetterHeaders.stage]: "forward",
      [deadLetterHeaders.stream]: "spillway",
      [deadLetterHeaders.shard]: "shardId-000000000003",
      [deadLetterHeaders.sequence]: "49590338271490256608559692540925702759324208523137515618",
      [deadLetterHeaders.content]: "record",
    };
    const record = letter(Buffer.from("packed"), headers);
    await archive(record);
    expect((await filed(record)).source).toEqual({
      kind: "kinesis",
      stream: "spillway",
      shard: "shardId-000000000003",
      sequence: headers[deadLetterHeaders.sequence],
    });
  });

  it("of each event of a record of a stream is one of its own", async () => {
    const headers = {
      [deadLetterHeaders.reason]: "refused-at-door",
      [deadLetterHeaders.stage]: "door",
      [deadLetterHeaders.stream]: "partner",
      [deadLetterHeaders.shard]: "shardId-000000000000",
      [deadLetterHeaders.sequence]: "7",
      [deadLetterHeaders.content]: "record",
    };
    const events = ["a", "b"].map((id) => letter({ ...flight, id }, headers));
    expect(await archive(...events, ...events)).toMatchObject({ archived: 2, repeated: 2 });
  });

  it("that is a pane is one entry by its bytes, as it was at no offset", async () => {
    const { topic, partition, offset } = deadLetterHeaders;
    const headers: Record<string, string> = { ...letterHeaders, [deadLetterHeaders.content]: "pane" };
    for (const name of [topic, partition, offset]) delete headers[name];
    const pane = { pipeline: "airport-delays", key: "ATL", window: { start: 0, end: 1 }, state: "s" };
    const copy = letter(pane, headers, { offset: 5 });
    expect(await archive(letter(pane, headers), copy)).toMatchObject({ archived: 1, repeated: 1 });
    expect(await filed(copy)).toMatchObject({ kind: "pane", redriveCount: 0 });
  });

  it("with headers of no dead letter is filed as a message", async () => {
    const record = letter({ stray: true }, {}, { offset: 12 });
    await archive(record);
    expect(await filed(record)).toMatchObject({
      kind: "message",
      reason: "unclassified",
      stage: "unknown",
      source: { kind: "kafka", topic: "dead-letters", partition: 0, offset: "12" },
    });
  });

  it("of an impossible date counts from now, so that it is found and does not expire at once", async () => {
    const record = letter({ ...flight, id: "1970" }, letterHeaders, { timestamp: -1 });
    await archive(record);
    expect(await filed(record)).toMatchObject({ firstAtMs: NOW_MS });
  });

  it("tells of the redrive that its event comes from", async () => {
    const redriveId = "0b8f7c1e-1111-4000-8000-000000000001";
    await archive(letter({ ...flight, id: "back", redrivecount: 2, redriveid: redriveId }));
    expect(await test.index.countCameBack(redriveId)).toBe(1);
    const selection = { state: "archived", type: "flight.departed" } as const;
    const entries = await all(test.index.entries(selection, "oldest first", NOW_MS));
    expect(entries.find(({ cameBackFrom }) => cameBackFrom === redriveId)).toMatchObject({ redriveCount: 2 });
  });

  it("that cannot be filed fails the batch, so that the mapping delivers it again", async () => {
    const away = { put: () => Promise.reject(new Error("the bucket is away")) };
    await expect(archiveRecords(delivery(letter(flight)), { ...ports(), objects: away })).rejects.toThrow(
      "away",
    );
  });
});

const requestContext = {
  requestId: "c9b8fa9f-5a7f-4000-af9c-0c604cde93a5",
  functionArn: "arn:aws:lambda:us-east-2:123456789012:function:forward:live",
  condition: "RetryAttemptsExhausted",
  approximateInvokeCount: 3,
};
const failure = {
  requestContext,
  responseContext: { statusCode: 200, executedVersion: "$LATEST", functionError: "Unhandled" },
  version: "1.0",
  timestamp: new Date(NOW_MS - 5_000).toISOString(),
};

describe("a message of the queue", () => {
  const onlyEntry = async (body: unknown, changes = {}): Promise<ArchiveEntry> => {
    const seen: ArchiveEntry[] = [];
    const index = {
      file: (entry: ArchiveEntry) => {
        seen.push(entry);
        return test.index.file(entry);
      },
    };
    await archiveMessages(messages(message(body, changes)), { ...ports(), index });
    expect(seen).toHaveLength(1);
    return (await test.index.get(seen[0]!.id))!;
  };

  it("about records that a stream's mapping dropped points at them", async () => {
    const KinesisBatchInfo = {
      shardId: "shardId-000000000001",
      startSequenceNumber: "49590338271490256608559692540925702759324208523137515618",
      endSequenceNumber: "49590338271490256608559692538361571095921575989136588898",
      approximateArrivalOfFirstRecord: "2026-01-31T11:59:00.000Z",
      approximateArrivalOfLastRecord: "2026-01-31T11:59:30.000Z",
      batchSize: 500,
      streamArn: "arn:aws:kinesis:us-east-2:123456789012:stream/spillway",
    };
    const body = { ...failure, KinesisBatchInfo };
    const entry = await onlyEntry(body);
    expect(entry).toMatchObject({
      kind: "batch",
      reason: "batch-dropped",
      stage: "forward",
      source: {
        kind: "kinesis",
        stream: "spillway",
        shard: KinesisBatchInfo.shardId,
        sequence: KinesisBatchInfo.startSequenceNumber,
        lastSequence: KinesisBatchInfo.endSequenceNumber,
        records: 500,
      },
      detail: "Lambda gave it up: RetryAttemptsExhausted, Unhandled.",
      attempts: 3,
      firstAtMs: NOW_MS - 5_000,
    });
    expect((await test.objects.get(entry.id))!.value).toEqual(Buffer.from(JSON.stringify(body)));
  });

  it("about records of one partition of a topic points at them; of several at the request", async () => {
    const info = { firstRecordOffset: 5, lastRecordOffset: 9 };
    const one = { ...failure, KafkaBatchInfo: { batchSize: 5, recordsInfo: { "a-b.results-12": info } } };
    expect((await onlyEntry(one)).source).toEqual({
      kind: "kafka",
      topic: "a-b.results",
      partition: 12,
      offset: "5",
      lastOffset: "9",
    });
    const two = { ...failure, KafkaBatchInfo: { recordsInfo: { "a-0": info, "a-1": info } } };
    expect(await onlyEntry(two)).toMatchObject({
      kind: "batch",
      source: { kind: "request", requestId: requestContext.requestId },
    });
  });

  it("about an asynchronous call that failed holds its request, and no error message of it", async () => {
    const responsePayload = { errorType: "TypeError", errorMessage: "cannot read 4111 1111 1111 1111" };
    const entry = await onlyEntry({ ...failure, requestPayload: { card: 1 }, responsePayload });
    expect(entry).toMatchObject({
      kind: "invocation",
      reason: "invocation-failed",
      source: { kind: "request", requestId: requestContext.requestId },
      detail: "Lambda gave it up: RetryAttemptsExhausted, Unhandled, TypeError.",
    });
  });

  it("of a function's own dead-letter queue is told by its attributes", async () => {
    const text = (stringValue: string) => ({ stringValue, dataType: "String" });
    const messageAttributes = { RequestID: text("r-1"), ErrorCode: text("200"), ErrorMessage: text("no") };
    expect(await onlyEntry({ any: "event" }, { messageAttributes })).toMatchObject({
      kind: "invocation",
      source: { kind: "request", requestId: "r-1" },
      firstAtMs: NOW_MS - 2_000,
    });
  });

  it("that is anything else is kept as its bytes", async () => {
    const entry = await onlyEntry("\u0000 no JSON {");
    expect(entry).toMatchObject({ kind: "message", reason: "unclassified", source: { kind: "message" } });
    expect(String((await test.objects.get(entry.id))!.value)).toBe("\u0000 no JSON {");
  });

  it("that cannot be filed stays in the queue, and the others leave it", async () => {
    const [good, bad] = [message("good", { messageId: "g" }), message("bad", { messageId: "b" })];
    const index = {
      file: async ({ source }: ArchiveEntry) => {
        if (source.kind === "message" && source.messageId === "b") throw new Error("throttled");
        return true;
      },
    };
    const report = await archiveMessages(messages(good, bad), { ...ports(), index });
    expect(report.archived).toBe(1);
    expect(batchResponse(report)).toEqual({ batchItemFailures: [{ itemIdentifier: "b" }] });
  });
});
