/** A broker that refuses a fetch is taken for one that no longer leads, until time tells otherwise. */
import { KafkaJSNonRetriableError } from "kafkajs";
import { beforeEach, expect, test } from "vitest";
import { type FetchAnswer, refusalIn } from "../../runtime/fetch-recovery.ts";

const OK = 0;
const OUT_OF_RANGE = 1;
const UNKNOWN_TOPIC = 3;
const NOT_LEADER = 6;

const answer = (...errorCodes: number[]): FetchAnswer => ({
  responses: [
    { topicName: "t", partitions: errorCodes.map((errorCode, partition) => ({ partition, errorCode })) },
  ],
});
/** kafkajs asks for the name, and learns the leaders anew. */
const looksForLeader = { name: "KafkaJSBrokerNotFound" };

beforeEach(() => void refusalIn(answer(OK, OK), 0));

test("what is answered, or refused for other reasons, is left to kafkajs", () => {
  expect(refusalIn(answer(OK, UNKNOWN_TOPIC), 0)).toBeUndefined();
});

test("a broker that does not lead makes the leader be looked for, for as long as it takes", () => {
  for (const nowMs of [0, 1_000, 3_600_000]) {
    expect(refusalIn(answer(OK, NOT_LEADER), nowMs)).toMatchObject(looksForLeader);
  }
});

test("a position that is refused for 10 s is outside the log, and ends the consumer", () => {
  for (const nowMs of [0, 5_000, 10_000]) {
    expect(refusalIn(answer(OK, OUT_OF_RANGE), nowMs)).toMatchObject(looksForLeader);
  }
  const end = refusalIn(answer(OK, OUT_OF_RANGE), 10_001);
  expect(end).toBeInstanceOf(KafkaJSNonRetriableError);
  expect(end?.message).toMatch(/^The position in t\/1 has been outside of the log for 10000 ms/);
});

test("each partition has its own time, which begins anew when it was read in between", () => {
  for (const nowMs of [0, 4_000, 8_000]) refusalIn(answer(OUT_OF_RANGE, OK), nowMs);
  refusalIn(answer(OK, OUT_OF_RANGE), 10_000);
  expect(refusalIn(answer(OUT_OF_RANGE, OUT_OF_RANGE), 14_000)).toMatchObject(looksForLeader);
});

test("a refusal of long ago, after which nobody asked again, does not count", () => {
  refusalIn(answer(OUT_OF_RANGE), 0);
  expect(refusalIn(answer(OUT_OF_RANGE), 3_600_000)).toMatchObject(looksForLeader);
});
