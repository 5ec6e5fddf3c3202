/** What was fetched is what kafkajs would have made of it. */
import { createRequire } from "node:module";
import fc from "fast-check";
import type { Batch, KafkaMessage } from "kafkajs";
import fetchResponse from "kafkajs/src/protocol/requests/fetch/v11/response.js";
import { describe, expect, test } from "vitest";
import { type FetchedBatches, KafkaBatch } from "../../../processors/adapters/kafka-batch.ts";
import { withRecordBatches } from "../../../runtime/fetch-decoding.ts";

interface Encoder {
  readonly buffer: Buffer;
  writeInt16(value: number): Encoder;
  writeInt32(value: number): Encoder;
  writeInt64(value: bigint): Encoder;
  writeString(value: string): Encoder;
  writeBuffer(value: Buffer): Encoder;
  writeBytes(value: Buffer): Encoder;
}
const require = createRequire(import.meta.url);
const KafkaEncoder = require("kafkajs/src/protocol/encoder.js") as new () => Encoder;
const encodeRecord = require("kafkajs/src/protocol/recordBatch/record/v0/index.js") as (
  record: object,
) => Encoder;
const { RecordBatch: encodeBatch } = require("kafkajs/src/protocol/recordBatch/v0/index.js") as {
  RecordBatch(batch: object): Promise<Encoder>;
};
const KafkajsBatch = require("kafkajs/src/consumer/batch.js") as new (
  topic: string,
  fetchedOffset: string,
  partition: object,
) => Batch;

interface TestRecord {
  readonly gap: number;
  readonly timestampDelta: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string | Buffer | (string | Buffer)[]>>;
}
interface TestBatch {
  readonly gap: number;
  readonly firstTimestamp: number;
  readonly appended: boolean;
  readonly gzip: boolean;
  readonly transactional: boolean;
  readonly control: boolean;
  readonly producerId: number;
  readonly records: readonly TestRecord[];
}
interface TestFetch {
  readonly batches: readonly TestBatch[];
  /** Batches with which a transaction begins that was aborted, as indices. */
  readonly aborted: readonly number[];
  readonly fetchedOffset: number;
  readonly cutOffBytes: number;
}

const TRANSACTIONAL_AND_CONTROL = 48;
const LOG_APPEND_TIME = 8;
const ATTRIBUTES_AT = 22;
const MIN_ANSWER_BYTES = 61;

const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
const headerValue = fc.oneof(fc.string({ unit: "binary", maxLength: 20 }), bytes);
const record: fc.Arbitrary<TestRecord> = fc.record({
  gap: fc.oneof({ weight: 5, arbitrary: fc.constant(1) }, fc.integer({ min: 1, max: 100_000 })),
  timestampDelta: fc.oneof(fc.nat(1_000), fc.integer({ min: -(2 ** 45), max: 2 ** 45 })),
  key: fc.oneof(fc.constant(null), bytes),
  value: fc.oneof({ weight: 1, arbitrary: fc.constant(null) }, { weight: 6, arbitrary: bytes }),
  headers: fc.dictionary(
    fc.string({ unit: "binary", maxLength: 10 }).filter((name) => name !== "__proto__"),
    fc.oneof(headerValue, fc.array(headerValue, { minLength: 2, maxLength: 3 })),
    { maxKeys: 3, noNullPrototype: true },
  ),
});
const batch: fc.Arbitrary<TestBatch> = fc.record({
  gap: fc.nat(3),
  firstTimestamp: fc.integer({ min: -1, max: 2 ** 42 }),
  appended: fc.boolean(),
  gzip: fc.boolean(),
  transactional: fc.boolean(),
  control: fc.constant(false),
  producerId: fc.nat(2),
  records: fc.array(record, { minLength: 1, maxLength: 8 }),
});
/** What a coordinator writes where a transaction ends: an abort, or a commit. */
const marker: fc.Arbitrary<TestBatch> = fc.record({
  gap: fc.constant(0),
  firstTimestamp: fc.constant(0),
  appended: fc.constant(false),
  gzip: fc.constant(false),
  transactional: fc.constant(true),
  control: fc.constant(true),
  producerId: fc.nat(2),
  records: fc
    .constantFrom(0, 1)
    .map((type) => [
      { gap: 1, timestampDelta: 0, key: Buffer.from([0, 0, 0, type]), value: Buffer.alloc(6), headers: {} },
    ]),
});
const fetch: fc.Arbitrary<TestFetch> = fc.record({
  batches: fc.array(fc.oneof({ weight: 2, arbitrary: batch }, marker), { maxLength: 6 }),
  aborted: fc.uniqueArray(fc.nat(5), { maxLength: 3 }),
  fetchedOffset: fc.nat(40),
  cutOffBytes: fc.oneof(fc.constant(0), fc.nat(300)),
});

test("a fetch's records, positions and headers are those that kafkajs reads", async () => {
  await fc.assert(
    fc.asyncProperty(fetch, async (fetched) => {
      const payload = await answerOf(fetched);
      const expected = batchOf(fetched, await fetchResponse.decode(payload));
      const ours = KafkaBatch.of(
        batchOf(
          fetched,
          await withRecordBatches(() => fetchResponse.decode(payload)),
        ) as unknown as FetchedBatches,
      );

      expect(ours.nextOffset).toBe(Number(expected.lastOffset()) + 1);
      expect(ours.highWatermark).toBe(Number(expected.highWatermark));
      expect(recordsOf(ours, fetched)).toEqual(expected.messages.map((message) => shown(message, fetched)));
    }),
    { numRuns: 500 },
  );
});

describe("of a fetch", () => {
  const plain = { gap: 0, firstTimestamp: 1_000, appended: false, gzip: false, transactional: false };
  const one = { gap: 1, timestampDelta: 5, key: Buffer.from("k"), value: Buffer.from("v"), headers: {} };
  const fetchOf = (...records: TestRecord[]): TestFetch => ({
    batches: [{ ...plain, control: false, producerId: 0, records }],
    aborted: [],
    fetchedOffset: 0,
    cutOffBytes: 0,
  });
  const read = async (fetched: TestFetch): Promise<KafkaBatch> => {
    const payload = await answerOf(fetched);
    const answer = await withRecordBatches(() => fetchResponse.decode(payload));
    return KafkaBatch.of(batchOf(fetched, answer) as unknown as FetchedBatches);
  };

  test("a header is text, the last one where it is repeated, undefined where it is absent", async () => {
    const batch = await read(fetchOf({ ...one, headers: { once: "é", twice: ["1", "2"] } }));
    expect(batch.header(0, "once")).toBe("é");
    expect(batch.header(0, "twice")).toBe("2");
    expect(batch.header(0, "thrice")).toBeUndefined();
  });

  test("a record that reaches beyond its batch is refused", async () => {
    const fetched = fetchOf(one);
    const payload = await answerOf(fetched);
    // The length of the value, which with the count of headers is all that follows it.
    payload[payload.length - 3] = 120;
    const answer = await withRecordBatches(() => fetchResponse.decode(payload));
    expect(() => KafkaBatch.of(batchOf(fetched, answer) as unknown as FetchedBatches)).toThrow(
      "beyond the end of its batch",
    );
  });

  test("an old format is refused", async () => {
    const payload = await answerOf(fetchOf(one));
    // Of the only batch, which ends the answer: its magic byte.
    const { length } = (await encoded(fetchOf(one).batches)).buffer;
    payload[payload.length - length + 16] = 1;
    await expect(withRecordBatches(() => fetchResponse.decode(payload))).rejects.toThrow(
      "format 1, which brokers before 0.11 wrote",
    );
  });

  test("messages that kafkajs decoded are refused", async () => {
    const fetched = fetchOf(one);
    const answer = await fetchResponse.decode(await answerOf(fetched));
    expect(() => KafkaBatch.of(batchOf(fetched, answer) as unknown as FetchedBatches)).toThrow(
      "withRecordBatches",
    );
  });
});

const batchOf = (
  { fetchedOffset }: TestFetch,
  { responses }: Awaited<ReturnType<typeof fetchResponse.decode>>,
): Batch => new KafkajsBatch("flights", String(fetchedOffset), responses[0]!.partitions[0]!);

/** What is asked of a record: everything, and the last value of each header that there is, or is not. */
const namesIn = ({ batches }: TestFetch): string[] => [
  "absent",
  ...batches.flatMap(({ records }) => records.flatMap(({ headers }) => Object.keys(headers))),
];

const recordsOf = (batch: KafkaBatch, fetched: TestFetch) =>
  Array.from({ length: batch.count }, (_, index) => ({
    offset: batch.offset(index),
    arrivalMs: batch.arrivalMs(index),
    key: batch.key(index),
    value: batch.value(index),
    headers: namesIn(fetched).map((name) => batch.header(index, name)),
  }));

const shown = ({ offset, timestamp, key, value, headers }: KafkaMessage, fetched: TestFetch) => ({
  offset: Number(offset),
  arrivalMs: Number(timestamp),
  key,
  value,
  headers: namesIn(fetched).map((name) => {
    const given = Object.hasOwn(headers!, name) ? headers![name] : undefined;
    return (Array.isArray(given) ? given.at(-1) : given)?.toString();
  }),
});

/** An answer with one partition, as a broker writes it. */
async function answerOf({ batches, aborted, cutOffBytes }: TestFetch): Promise<Buffer> {
  const { buffer, offset, firstOffsets } = await encoded(batches);
  const answer = new KafkaEncoder().writeInt32(7).writeInt16(0).writeInt32(0).writeInt32(1);
  answer.writeString("flights").writeInt32(1).writeInt32(2).writeInt16(0);
  for (const position of [offset + 10, offset, 0]) answer.writeInt64(BigInt(position));
  const begun = aborted.filter((index) => index < batches.length);
  answer.writeInt32(begun.length);
  for (const index of begun) {
    answer.writeInt64(BigInt(batches[index]!.producerId)).writeInt64(BigInt(firstOffsets[index]!));
  }
  // A broker sends the first batch whole, and kafkajs stumbles over less than a batch's head.
  const kept = Math.max(MIN_ANSWER_BYTES, buffer.length - cutOffBytes);
  return answer.writeInt32(-1).writeBytes(buffer.subarray(0, kept)).buffer;
}

async function encoded(batches: readonly TestBatch[]) {
  const parts: Buffer[] = [];
  const firstOffsets: number[] = [];
  let offset = 0;
  for (const { records, firstTimestamp, ...batch } of batches) {
    const firstOffset = offset + batch.gap;
    firstOffsets.push(firstOffset);
    const deltas: number[] = [];
    for (const { gap } of records) deltas.push((deltas.at(-1) ?? -1) + gap);
    const encodedRecords = records.map((each, index) =>
      encodeRecord({ ...each, offsetDelta: deltas[index] }),
    );
    const { buffer } = await encodeBatch({
      compression: batch.gzip ? 1 : 0,
      firstOffset: BigInt(firstOffset),
      firstTimestamp,
      maxTimestamp: firstTimestamp + 77,
      lastOffsetDelta: deltas.at(-1),
      transactional: batch.transactional,
      producerId: BigInt(batch.producerId),
      records: encodedRecords,
    });
    if (batch.control) buffer[ATTRIBUTES_AT]! |= TRANSACTIONAL_AND_CONTROL;
    if (batch.appended) buffer[ATTRIBUTES_AT]! |= LOG_APPEND_TIME;
    parts.push(buffer);
    offset = firstOffset + deltas.at(-1)! + 1;
  }
  return { buffer: Buffer.concat(parts), offset, firstOffsets };
}
