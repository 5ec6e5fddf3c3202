import type { Batch, KafkaMessage } from "kafkajs";
import { expect, test } from "vitest";
import { KafkaBatch } from "../../../processors/adapters/kafka-batch.ts";

const message = (fields: Partial<KafkaMessage>): KafkaMessage =>
  ({
    key: null,
    value: null,
    offset: "0",
    timestamp: "0",
    attributes: 0,
    headers: {},
    ...fields,
  }) as KafkaMessage;

const batch = KafkaBatch.of({
  topic: "flights",
  partition: 2,
  highWatermark: "12",
  lastOffset: () => "10",
  messages: [
    message({ offset: "7", timestamp: "1700000000123", key: Buffer.from("k"), value: Buffer.from("v") }),
    message({
      offset: "9",
      headers: { once: Buffer.from("é"), twice: [Buffer.from("1"), Buffer.from("2")] },
    }),
  ],
} as unknown as Batch);

test("a batch gives its records by index", () => {
  expect(batch).toMatchObject({
    topic: "flights",
    partition: 2,
    highWatermark: 12,
    nextOffset: 11,
    count: 2,
  });
  expect([batch.offset(0), batch.offset(1)]).toEqual([7, 9]);
  expect(batch.arrivalMs(0)).toBe(1_700_000_000_123);
  expect([batch.key(0), batch.value(0)]).toEqual([Buffer.from("k"), Buffer.from("v")]);
  expect([batch.key(1), batch.value(1)]).toEqual([null, null]);
});

test("a header is text, the last one where it is repeated, undefined where it is absent", () => {
  expect(batch.header(1, "once")).toBe("é");
  expect(batch.header(1, "twice")).toBe("2");
  expect(batch.header(0, "once")).toBeUndefined();
});
