/**
 * The largest records that the catalogue's topics take, and outputs that are larger than theirs would take, on a broker
 * with the topics as they are deployed: nothing stands still, and nothing is lost.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Kafka } from "kafkajs";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { deadLetterHeaders } from "../../contracts/dead-letter.ts";
import { consumerGroup } from "../../contracts/environment.ts";
import { maxMessageBytes } from "../../contracts/limits.ts";
import { DEAD_LETTERS_TOPIC, lateTopic, resultsTopic } from "../../contracts/topics.ts";
import { deployedTopics } from "../../lib/transport/topics.ts";
import { KafkaLog } from "../../processors/adapters/kafka-log.ts";
import { type PipelineDefinition, stagesOf } from "../../processors/engine/pipeline/definition.ts";
import { collect, count, pipeline, tumbling } from "../../processors/engine/pipeline/dsl.ts";
import { defaultLimits, Worker } from "../../processors/engine/worker/worker.ts";
import { createKafka } from "../../runtime/kafka.ts";
import { startKafka, type TestKafka } from "../support/kafka.ts";
import { createTopic, produce, type ReadMessage, readCommitted } from "../support/kafka-topics.ts";
import { MemoryCheckpointStore } from "../support/memory-checkpoint-store.ts";

const TOPIC = "device-telemetry";
const KEY = "k";
const WAIT = { timeout: 60_000, interval: 300 };

/** A line of JSON, then bytes of any kind. */
interface Item {
  readonly t: number;
  readonly do: "nothing" | "emit" | "many";
  readonly payload: Uint8Array;
}

function decode(value: Uint8Array): Item {
  const end = value.indexOf(10);
  const head = JSON.parse(new TextDecoder().decode(value.subarray(0, end))) as Omit<Item, "payload">;
  return { ...head, payload: value.subarray(end + 1) };
}

const start = (name: string, idleTimeoutMs: number | null = null) =>
  pipeline(name).from<Item>(
    { topic: TOPIC, decode, time: ({ t }) => t },
    { outOfOrderMs: 0, dedupe: false, idleTimeoutMs },
  );
/** More than a thousand texts of a kilobyte: beyond every limit of a result and of a forwarded row. */
const TEXTS = 1_100;
const texts = ({ do: what }: Item): string[] =>
  what === "many" ? Array.from({ length: TEXTS }, () => "x".repeat(1_000)) : ["x"];
const window = tumbling({ sizeMs: 1_000 });
const kept = collect((text: string) => text, { maxItems: TEXTS });

const large = start("large")
  .keyBy(() => KEY)
  .branch({
    emitted: (items) =>
      items.process({
        onEvent: (item, { emit }) => emit({ text: "y".repeat(item.do === "emit" ? 5_000_000 : 1) }),
      }),
    collected: (items) => items.flatMap(texts).window(window).aggregate({ kept }),
    counted: (items) => items.window(window).aggregate({ n: count() }),
  })
  .toResults();
const rekeyed = start("large-rekeyed")
  .map((item) => ({ payload: Buffer.from(item.payload).toString("base64") }))
  .rekeyBy("again", () => KEY)
  .window(window)
  .aggregate({ n: count() })
  .toResults();
/** Rows are sent on for a second together, or when the input has fallen silent. */
const spread = start("large-spread", 300)
  .flatMap(texts)
  .spreadBy("again", () => KEY)
  .window(window)
  .aggregate({ kept })
  .toResults();
const definitions: readonly PipelineDefinition[] = [large, rekeyed, spread];

let broker: TestKafka;
let kafka: Kafka;
const store = new MemoryCheckpointStore();
const running: { readonly worker: Worker; readonly log: KafkaLog }[] = [];
const failures: Error[] = [];

beforeAll(async () => {
  broker = await startKafka();
  kafka = createKafka({ clientId: "test", bootstrapServers: broker.bootstrapServers });
  for (const { name, configs } of deployedTopics(definitions)) {
    await createTopic(kafka, name, 1, { ...configs, "min.insync.replicas": "1" });
  }
});
afterAll(async () => {
  for (const { worker, log } of running) {
    await worker.finish();
    await log.close();
  }
  await broker.stop();
});

async function startAll(): Promise<void> {
  const nothing = () => undefined;
  for (const definition of definitions.flatMap(stagesOf)) {
    const log = new KafkaLog({ bootstrapServers: broker.bootstrapServers, clientId: "test" });
    const worker = new Worker(
      {
        log,
        store,
        clock: {
          nowMs: () => Math.round(performance.now()),
          epochMs: () => Date.now(),
          sleep: (ms, signal) => delay(ms, undefined, { signal }).catch(nothing),
          yield: () => new Promise((resolve) => setImmediate(resolve)),
        },
        newId: randomUUID,
        observer: {
          recovered: nothing,
          checkpointed: nothing,
          parked: (_, code, message) => failures.push(new Error(`${code}: ${message}`)),
          dropped: nothing,
          retried: nothing,
          failed: (_, error) => failures.push(error),
        },
        environment: "test",
        owner: "test",
        definition,
      },
      { onCrash: (error) => failures.push(error) },
      { ...defaultLimits, checkpointIntervalMs: 200 },
    );
    running.push({ worker, log });
    await worker.start();
  }
}

/** A batch of one record (format 2) beside its value: 61 bytes of the batch, and the record's lengths and key. */
const BATCH_BYTES = 61 + 3 + 3 + 1 + 1 + 3 + 1;

/** A record's value so large, with the batch, that one byte more is refused. It cannot be compressed. */
function largest(head: Omit<Item, "payload"> | "none"): Buffer {
  const line = Buffer.from(head === "none" ? "" : `${JSON.stringify(head)}\n`);
  return Buffer.concat([line, randomBytes(maxMessageBytes - BATCH_BYTES - line.length)]);
}

const small = (t: number, what: Item["do"] = "nothing"): Buffer =>
  Buffer.from(`${JSON.stringify({ t, do: what })}\n`);

const header = ({ headers }: ReadMessage, name: string): string => String(headers![name]);

async function deadLetters() {
  const all = await readCommitted(kafka, DEAD_LETTERS_TOPIC);
  const text = (message: ReadMessage, name: keyof typeof deadLetterHeaders) =>
    header(message, deadLetterHeaders[name]);
  return all.map((message) => ({
    from: `${text(message, "stage")} ${text(message, "content")} ${text(message, "reason")}`,
    value: message.value!,
  }));
}

async function committedOffset(group: string): Promise<string> {
  const admin = kafka.admin();
  await admin.connect();
  const [topic] = await admin.fetchOffsets({ groupId: consumerGroup("test", group), topics: [TOPIC] });
  await admin.disconnect();
  return topic!.partitions[0]!.offset;
}

const EXPECTED_DEAD = [
  "large pane user-code-failed",
  "large record undecodable",
  "large record user-code-failed",
  "large-rekeyed.again record invalid-event",
  "large-rekeyed.again record invalid-event",
  "large-rekeyed.again record undecodable",
  "large-spread.again pane user-code-failed",
  "large-spread.again record undecodable",
];

test("nothing that is too large for its topic stops a task, and the largest records arrive whole", {
  timeout: 120_000,
}, async () => {
  const noJson = largest("none");
  noJson[0] = 0;
  const decodable = largest({ t: 10_000, do: "nothing" });
  const late = largest({ t: 1, do: "nothing" });
  const emitting = small(11_000, "emit");
  const records = [small(0), noJson, decodable, late, emitting, small(12_000, "many"), small(20_000)];
  for (const value of records) await produce(kafka, TOPIC, [{ key: KEY, value }]);
  const tooLarge = [{ key: KEY, value: Buffer.concat([noJson, Buffer.alloc(1)]) }];
  await expect(produce(kafka, TOPIC, tooLarge)).rejects.toThrow(/larger than the max message size/);

  await startAll();
  const firstStages = definitions.map((definition) => stagesOf(definition)[0]!.name);
  await vi.waitFor(async () => {
    const offsets = await Promise.all(firstStages.map(committedOffset));
    expect(offsets).toEqual(firstStages.map(() => String(records.length)));
  }, WAIT);

  expect(failures).toEqual([]);
  const dead = await vi.waitFor(async () => {
    const letters = await deadLetters();
    expect(letters).toHaveLength(EXPECTED_DEAD.length);
    return letters;
  }, WAIT);
  expect(dead.map(({ from }) => from).sort()).toEqual(EXPECTED_DEAD);
  const valuesOf = (from: string) => dead.filter((each) => each.from === from).map(({ value }) => value);
  for (const stage of firstStages) {
    expect(valuesOf(`${stage} record undecodable`)[0]!.equals(noJson)).toBe(true);
  }
  expect(valuesOf("large record user-code-failed")[0]!.equals(emitting)).toBe(true);
  const [first, second] = valuesOf("large-rekeyed.again record invalid-event");
  expect([first!.equals(decodable), second!.equals(late)]).toEqual([true, true]);

  const lateOnes = await readCommitted(kafka, lateTopic("large-spread.again"));
  expect(lateOnes.map(({ value }) => value!.equals(late))).toEqual([true]);
  // What one branch cannot take counts in none.
  const counted = await readCommitted(kafka, resultsTopic("large.counted"));
  expect(counted.map(({ value }) => JSON.parse(String(value)).window.start)).toEqual([0, 10_000, 12_000]);
});
