/**
 * Two stages and a table on a broker, with nobody to flush: what closes the last windows is the clock, which needs the
 * end of logs that are full of commit markers, and the watermarks that one stage tells the other.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Kafka } from "kafkajs";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { DEAD_LETTERS_TOPIC, forwardedTopic, lateTopic, resultsTopic } from "../../contracts/topics.ts";
import { KafkaLog } from "../../processors/adapters/kafka-log.ts";
import { type PipelineDefinition, stagesOf } from "../../processors/engine/pipeline/definition.ts";
import { count, pipeline, sum, table, tumbling } from "../../processors/engine/pipeline/dsl.ts";
import type { Observer } from "../../processors/engine/worker/ports.ts";
import { defaultLimits, Worker } from "../../processors/engine/worker/worker.ts";
import { createKafka } from "../../runtime/kafka.ts";
import { startKafka, type TestKafka } from "../support/kafka.ts";
import { createTopic, produce, readCommitted } from "../support/kafka-topics.ts";
import { MemoryCheckpointStore } from "../support/memory-checkpoint-store.ts";

const SOURCE_PARTITIONS = 3;
const PARTITIONS = 2;
const SHOPS = 9;
const CITIES = 4;
const WAIT = { timeout: 60_000, interval: 200 };

interface Sale {
  readonly id: string;
  readonly city: string;
  readonly at: number;
}

const json = (value: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(value));

const definition: PipelineDefinition = pipeline("sales")
  .from<Sale>(
    {
      topic: "sales-in",
      decode: (value) => json(value) as Sale,
      time: ({ at }) => at,
      identity: ({ id }) => id,
    },
    { outOfOrderMs: 2_000, idleTimeoutMs: 300 },
  )
  .rekeyBy("by-city", ({ city }) => city, { partitions: PARTITIONS })
  .lookup(
    table<{ rate: number }>({ topic: "rates", decode: (value) => json(value) as { rate: number } }),
    (_, row) => row?.rate ?? 0,
  )
  .window(tumbling({ sizeMs: 1_000 }))
  .aggregate({ n: count(), total: sum((rate) => rate) })
  .toResults();

let broker: TestKafka;
let kafka: Kafka;
const store = new MemoryCheckpointStore();
const running: { readonly worker: Worker; readonly log: KafkaLog }[] = [];

beforeAll(async () => {
  broker = await startKafka();
  kafka = createKafka({ clientId: "test", bootstrapServers: broker.bootstrapServers });
  const forwarded = forwardedTopic("sales.by-city");
  await createTopic(kafka, "sales-in", SOURCE_PARTITIONS);
  for (const topic of [forwarded, "rates", resultsTopic("sales"), lateTopic("sales")]) {
    await createTopic(kafka, topic, PARTITIONS);
  }
  for (const topic of [lateTopic("sales.by-city"), DEAD_LETTERS_TOPIC]) await createTopic(kafka, topic, 1);
});
afterEach(stopAll);
afterAll(() => broker.stop());

async function startAll(): Promise<void> {
  for (const stage of stagesOf(definition)) {
    const log = new KafkaLog({ bootstrapServers: broker.bootstrapServers, clientId: "test" });
    const context = { log, store, clock, newId: randomUUID, observer, environment: "test", owner: "test" };
    const handlers = { onCrash: (error: Error) => failures.push(error) };
    const worker = new Worker({ ...context, definition: stage }, handlers, {
      ...defaultLimits,
      checkpointIntervalMs: 100,
    });
    running.push({ worker, log });
    await worker.start();
  }
}

async function stopAll(): Promise<void> {
  for (const { worker, log } of running.splice(0)) {
    await worker.finish();
    await log.close();
  }
}

const failures: Error[] = [];
const clock = {
  nowMs: () => Math.round(performance.now()),
  epochMs: () => Date.now(),
  sleep: (ms: number, signal: AbortSignal) => delay(ms, undefined, { signal }).catch(() => undefined),
  yield: () => new Promise<void>((resolve) => setImmediate(resolve)),
};
const observer: Observer = {
  recovered: () => undefined,
  checkpointed: () => undefined,
  parked: (_, code, message) => failures.push(new Error(`${code}: ${message}`)),
  dropped: () => undefined,
  retried: () => undefined,
  failed: (_, error) => failures.push(error),
};

/** So many sales of now, of every shop and city; some twice. */
async function sell(round: number, events: number): Promise<void> {
  const now = Date.now();
  const sales = Array.from({ length: events }, (_, n) => ({
    shop: `shop-${n % SHOPS}`,
    sale: { id: `${round}-${n}`, city: `city-${n % CITIES}`, at: now - (n % 700) },
  }));
  const sent = [...sales, ...sales.slice(0, 20)];
  await produce(
    kafka,
    "sales-in",
    sent.map(({ shop, sale }) => ({ key: shop, value: JSON.stringify(sale) })),
  );
}

async function totals(): Promise<Record<string, { n: number; total: number }>> {
  const last = new Map<string, { key: string; value: { n: number; total: number } }>();
  for (const { value } of await readCommitted(kafka, resultsTopic("sales"))) {
    const result = json(value!) as {
      key: string;
      window: { start: number };
      value: { n: number; total: number };
    };
    last.set(`${result.key} ${result.window.start}`, result);
  }
  const byCity: Record<string, { n: number; total: number }> = {};
  for (const { key, value } of last.values()) {
    const { n, total } = byCity[key] ?? { n: 0, total: 0 };
    byCity[key] = { n: n + value.n, total: total + value.total };
  }
  return byCity;
}

const expected = (events: number) =>
  Object.fromEntries(
    Array.from({ length: CITIES }, (_, city) => [
      `city-${city}`,
      { n: events / CITIES, total: (events / CITIES) * (city + 1) },
    ]),
  );

test("every sale counts once, with its rate, across stages, restarts and silence", {
  timeout: 180_000,
}, async () => {
  const rates = Array.from({ length: CITIES }, (_, city) => ({
    key: `city-${city}`,
    value: JSON.stringify({ rate: city + 1 }),
  }));
  await produce(kafka, "rates", rates);
  await sell(1, 400);
  await startAll();
  await vi.waitFor(async () => expect(await totals()).toEqual(expected(400)), WAIT);
  await stopAll();
  await sell(2, 200);
  await startAll();
  await vi.waitFor(async () => expect(await totals()).toEqual(expected(600)), WAIT);

  expect(failures).toEqual([]);
  for (const topic of [lateTopic("sales"), lateTopic("sales.by-city"), DEAD_LETTERS_TOPIC]) {
    expect(await readCommitted(kafka, topic)).toEqual([]);
  }
});
