/** Environments that start together spill first, and connect one by one; one that starts alone does neither. */
import { beforeEach, expect, it } from "vitest";
import { type LoadSignal, startingSignal } from "../../../contracts/signals.ts";
import { FirstConnection } from "../../../lambdas/ingest/first-connection.ts";
import { send } from "../support/door.ts";
import { flight, NOW_MS, structured } from "../support/events.ts";
import { FakeKafka } from "../support/fake-kafka.ts";
import { FakeStream } from "../support/fake-stream.ts";

const WINDOW_MS = 5_000;

/** A signals table, as all environments see it. */
let signals: LoadSignal[];
const table = {
  write: async (signal: LoadSignal) => {
    signals = [signal];
  },
};
beforeEach(() => {
  signals = [];
});

async function started(nowMs: number, random = 0.5, windowMs = WINDOW_MS): Promise<FirstConnection> {
  const connection = new FirstConnection(windowMs, () => random);
  await connection.begin(signals, table, nowMs);
  return connection;
}

it("one that starts alone connects at once, and leaves a mark", async () => {
  expect((await started(NOW_MS)).isDue(NOW_MS)).toBe(true);
  expect(signals).toEqual([{ ...startingSignal, topics: [], load: 0, atMs: NOW_MS }]);
});

it("one that starts soon after another waits for its moment within the window", async () => {
  await started(NOW_MS);
  const second = await started(NOW_MS + 1_000, 0.25);
  expect([second.isDue(NOW_MS + 2_249), second.isDue(NOW_MS + 2_250)]).toEqual([false, true]);
  const third = await started(NOW_MS + 5_999, 0.999_9);
  expect([third.isDue(NOW_MS + 5_999), third.isDue(NOW_MS + 5_999 + WINDOW_MS)]).toEqual([false, true]);
});

it("one that starts after the window is alone again", async () => {
  await started(NOW_MS);
  expect((await started(NOW_MS + WINDOW_MS)).isDue(NOW_MS + WINDOW_MS)).toBe(true);
});

it("connects no more of those that start together than brokers admit", async () => {
  await started(NOW_MS);
  const starting = Array.from({ length: 20 }, (_, index) => started(NOW_MS + 1, index / 20));
  const connections = await Promise.all(starting);
  const dueBy = (second: number) => connections.filter((each) => each.isDue(NOW_MS + 1_000 * second)).length;
  // 20 within 5 s, with moments that are spread evenly: 4 a second.
  expect([1, 2, 3, 4, 5].map(dueBy)).toEqual([4, 8, 12, 16, 20]);
});

it("only the first request decides, and a window of nothing asks nobody", async () => {
  const connection = await started(NOW_MS);
  await connection.begin(signals, table, NOW_MS + 100);
  expect(connection.isDue(NOW_MS + 100)).toBe(true);
  signals = [];
  expect((await started(NOW_MS, 0.5, 0)).isDue(NOW_MS)).toBe(true);
  expect(signals).toEqual([]);
});

it("one that cannot tell others goes on all the same", async () => {
  const away = { write: () => Promise.reject(new Error("away")) };
  const connection = new FirstConnection(WINDOW_MS, () => 0.5);
  await connection.begin([], away, NOW_MS);
  expect(connection.isDue(NOW_MS)).toBe(true);
});

it("spills what comes before its moment, without asking Kafka or its breaker", async () => {
  const kafka = new FakeKafka();
  const stream = new FakeStream();
  const isDue = (nowMs: number) => nowMs > NOW_MS;
  const answer = await send(structured(flight), kafka, { stream, firstConnection: { isDue } });
  expect(answer.status).toBe(202);
  expect([kafka.producers.map(({ connects }) => connects), stream.events.length]).toEqual([[], 1]);
});
