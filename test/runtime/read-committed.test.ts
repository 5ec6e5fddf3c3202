/** Readers of committed records see no aborted ones, however transactions overlap. */
import { randomUUID } from "node:crypto";
import type { Kafka, Transaction } from "kafkajs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createKafka } from "../../runtime/kafka.ts";
import { type FetchedMessage, hideAborted } from "../../runtime/read-committed.ts";
import { startKafka, type TestKafka } from "../support/kafka.ts";
import { createTopic, produce, readCommitted, untilCoordinating } from "../support/kafka-topics.ts";

describe("on a broker", () => {
  let broker: TestKafka;
  let kafka: Kafka;
  beforeAll(async () => {
    broker = await startKafka();
    kafka = createKafka({ clientId: "test", bootstrapServers: broker.bootstrapServers });
    await untilCoordinating(kafka);
  });
  afterAll(() => broker.stop());

  test("a transaction that began first and was aborted last is left out", async () => {
    const topic = `topic-${randomUUID()}`;
    await createTopic(kafka, topic, 1);
    const producers = ["a", "b", "c"].map((name) =>
      kafka.producer({ transactionalId: `${topic}-${name}`, maxInFlightRequests: 1 }),
    );
    await Promise.all(producers.map((producer) => producer.connect()));
    const send = (transaction: Transaction, value: string) =>
      transaction.send({ topic, messages: [{ value }] });
    const [first, second, third] = await Promise.all(producers.map((producer) => producer.transaction()));
    await send(first!, "aborted last");
    await send(second!, "aborted first");
    await send(third!, "committed");
    await second!.abort();
    await send(first!, "aborted last too");
    await third!.commit();
    await first!.abort();
    await produce(kafka, topic, [{ value: "plain" }]);

    const values = (await readCommitted(kafka, topic)).map(({ value }) => String(value));
    await Promise.all(producers.map((producer) => producer.disconnect()));
    expect(values).toEqual(["committed", "plain"]);
  });
});

describe("in an answer", () => {
  const record = (offset: number, producerId: string, inTransaction = true): FetchedMessage => ({
    offset: String(offset),
    key: null,
    batchContext: { producerId, inTransaction },
  });
  const marker = (offset: number, producerId: string, type: "abort" | "commit"): FetchedMessage => ({
    ...record(offset, producerId),
    key: Buffer.from([0, 0, 0, type === "abort" ? 0 : 1]),
    isControlRecord: true,
  });
  const shown = (messages: FetchedMessage[], abortedTransactions: [producerId: string, first: number][]) => {
    hideAborted({
      messages,
      abortedTransactions: abortedTransactions.map(([producerId, first]) => ({
        producerId,
        firstOffset: String(first),
      })),
    });
    return messages
      .filter(({ isControlRecord }) => !isControlRecord)
      .map(({ offset, batchContext }) => `${offset} ${batchContext?.producerId}`);
  };

  test("that begins in the middle of two aborted transactions both are left out", () => {
    const messages = [record(7, "b"), record(8, "a"), marker(9, "a", "abort"), marker(10, "b", "abort")];

    expect(
      shown(messages, [
        ["a", 3],
        ["b", 5],
      ]),
    ).toEqual([]);
  });

  test("a producer's next transaction is its own", () => {
    const messages = [
      record(1, "a"),
      marker(2, "a", "abort"),
      record(3, "a"),
      marker(4, "a", "commit"),
      record(5, "a"),
      marker(6, "a", "abort"),
    ];

    expect(
      shown(messages, [
        ["a", 5],
        ["a", 1],
      ]),
    ).toEqual(["3 a"]);
  });

  test("records outside transactions, of other producers and of old formats stay", () => {
    const old: FetchedMessage = { offset: "3", key: Buffer.from([0, 0, 0, 0]) };
    const messages = [record(1, "a", false), record(2, "b"), old, record(4, "a")];

    expect(shown(messages, [["a", 0]])).toEqual(["1 a", "2 b", "3 undefined"]);
  });
});
