import { setImmediate } from "node:timers/promises";
import type { Producer } from "kafkajs";
import { expect, it } from "vitest";
import { ReusedProducer } from "../../runtime/producer.ts";
import { FakeKafka } from "../lambdas/support/fake-kafka.ts";

const send = (producer: Producer) => producer.send({ topic: "flights", messages: [{ value: "x" }] });
const open = new AbortController().signal;

it("connects once, with the first send", async () => {
  const kafka = new FakeKafka();
  const producer = new ReusedProducer(kafka);
  expect(kafka.producers).toEqual([]);
  await Promise.all([producer.use(open, send), producer.use(open, send)]);
  await producer.use(open, send);
  expect(kafka.producers).toEqual([{ connects: 1, disconnects: 0 }]);
  expect(kafka.sends).toHaveLength(3);
});

it("rejects with the signal's reason where Kafka does not answer, and lets go of the producer", async () => {
  const kafka = new FakeKafka();
  const answer = Promise.withResolvers<[]>();
  kafka.next.push(() => answer.promise);
  const producer = new ReusedProducer(kafka);
  const deadline = new AbortController();
  const sending = producer.use(deadline.signal, send);
  const reason = new Error("too late");
  deadline.abort(reason);
  await expect(sending).rejects.toBe(reason);
  // A send in flight could connect again after a disconnect, so that waits for its end.
  expect(kafka.producers).toEqual([{ connects: 1, disconnects: 0 }]);
  answer.resolve([]);
  await setImmediate();
  expect(kafka.producers).toEqual([{ connects: 1, disconnects: 1 }]);
});

it("rejects at once where the deadline has passed already", async () => {
  const producer = new ReusedProducer(new FakeKafka());
  await expect(producer.use(AbortSignal.abort(new Error("past")), send)).rejects.toThrow("past");
});

it("makes a new producer after a connect that failed", async () => {
  const kafka = new FakeKafka();
  kafka.connectErrors.push(new Error("refused"));
  const producer = new ReusedProducer(kafka);
  await expect(producer.use(open, send)).rejects.toThrow("refused");
  await producer.use(open, send);
  expect(kafka.producers).toEqual([
    { connects: 1, disconnects: 1 },
    { connects: 1, disconnects: 0 },
  ]);
});
