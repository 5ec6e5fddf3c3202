/** What a transaction asks of kafkajs: one partition a send, one after the other. */
import type { Kafka, ProducerBatch, RecordMetadata } from "kafkajs";
import { expect, test } from "vitest";
import { KafkaTransactions } from "../../../processors/adapters/kafka-transactions.ts";
import { CommitNotMadeError, type OutputRecord } from "../../../processors/engine/log/port.ts";

const PARTITIONS = 3;

type SendBatch = (batch: ProducerBatch) => Promise<RecordMetadata[]>;

/** A client whose one producer sends as it is told; `calls` lists what it was asked for. */
function fakeKafka(sendBatch: SendBatch) {
  const calls: string[] = [];
  const called = (name: string) => async () => void calls.push(name);
  const transaction = {
    sendBatch: (batch: ProducerBatch) => {
      calls.push(`send ${partitionsOf(batch)}`);
      return sendBatch(batch);
    },
    sendOffsets: called("offsets"),
    commit: called("commit"),
    abort: called("abort"),
  };
  const producer = {
    connect: called("connect"),
    disconnect: called("disconnect"),
    transaction: async () => transaction,
  };
  return { calls, kafka: { producer: () => producer } as unknown as Kafka };
}

const partitionsOf = ({ topicMessages = [] }: ProducerBatch): string =>
  [
    ...new Set(
      topicMessages.flatMap(({ topic, messages }) =>
        messages.map(({ partition }) => `${topic}/${partition}`),
      ),
    ),
  ].join();

const acknowledge: SendBatch = async ({ topicMessages = [] }) =>
  topicMessages.map(({ topic, messages }) => ({
    topicName: topic,
    partition: messages[0]!.partition!,
    errorCode: 0,
  }));

const start = (kafka: Kafka) =>
  KafkaTransactions.start({
    kafka,
    transactionalId: "t",
    group: "g",
    input: { topic: "input", partition: 0 },
    partitionCount: async () => PARTITIONS,
  });

const output = (partition: number): OutputRecord => ({
  topic: "results",
  partition,
  key: null,
  value: new Uint8Array([partition]),
  headers: {},
});

/** Connecting, and the offset that is written and aborted so that the coordinator knows what was committed. */
const STARTING = ["connect", "offsets", "abort", "disconnect", "connect"];

test("a new coordinator may tell old offsets, so a producer that starts writes one and takes it back", async () => {
  const { calls, kafka } = fakeKafka(acknowledge);
  await start(kafka);

  expect(calls).toEqual(STARTING);
});

test("a send that spans partitions could write one of them twice, so each has its own", async () => {
  const { calls, kafka } = fakeKafka(acknowledge);
  const transactions = await start(kafka);
  await transactions.commit({ outputs: [output(0), output(2), output(0), output(1)], offsets: [] });

  expect(calls.slice(STARTING.length)).toEqual([
    "send results/0",
    "send results/2",
    "send results/1",
    "offsets",
    "commit",
  ]);
});

test("what fails is aborted, and nothing is sent after it", async () => {
  const { calls, kafka } = fakeKafka(async (batch) => {
    if (partitionsOf(batch) === "results/2") throw new Error("connection lost");
    return acknowledge(batch);
  });
  const transactions = await start(kafka);

  await expect(
    transactions.commit({ outputs: [output(0), output(2), output(1)], offsets: [] }),
  ).rejects.toThrow(CommitNotMadeError);
  expect(calls.slice(STARTING.length)).toEqual(["send results/0", "send results/2", "abort"]);
});

test("a producer that is closed while it sends outputs commits nothing: their offsets would be missing", async () => {
  let sent: () => void = () => undefined;
  const sending = new Promise<void>((resolve) => {
    sent = resolve;
  });
  const { calls, kafka } = fakeKafka(async (batch) => {
    await sending;
    return acknowledge(batch);
  });
  const transactions = await start(kafka);
  const committing = transactions.commit({ outputs: [output(0)], offsets: [] });
  await transactions.close();
  sent();

  await expect(committing).rejects.toThrow(CommitNotMadeError);
  expect(calls).not.toContain("commit");
});
