import { randomUUID } from "node:crypto";
import type { Kafka } from "kafkajs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { KafkaLog } from "../../../processors/adapters/kafka-log.ts";
import {
  type Commit,
  CommitNotMadeError,
  CommitUnknownError,
  FencedError,
  type OutputRecord,
} from "../../../processors/engine/log/port.ts";
import { createKafka } from "../../../runtime/kafka.ts";
import { startKafka, type TestKafka } from "../../support/kafka.ts";
import { createTopic, readCommitted, untilCoordinating } from "../../support/kafka-topics.ts";

const apiKeys = { produce: 0, addOffsetsToTxn: 25, endTxn: 26, txnOffsetCommit: 28 };
const PARTITIONS = 3;

let broker: TestKafka;
let client: Kafka;
beforeAll(async () => {
  broker = await startKafka();
  client = createKafka({ clientId: "test", bootstrapServers: broker.bootstrapServers });
  await untilCoordinating(client);
});
afterAll(() => broker.stop());

let input: string;
let results: string;
let group: string;
let log: KafkaLog;
let cuttable: KafkaLog;
beforeEach(async () => {
  const id = randomUUID();
  [input, results, group] = [`input-${id}`, `results-${id}`, `group-${id}`];
  await createTopic(client, input, PARTITIONS);
  await createTopic(client, results, PARTITIONS);
  log = new KafkaLog({ bootstrapServers: broker.bootstrapServers, clientId: "test" });
  cuttable = new KafkaLog({ bootstrapServers: broker.cuttable, clientId: "test" });
});
afterEach(async () => {
  await log.close();
  await cuttable.close();
});

const outputs = (...values: string[]): OutputRecord[] =>
  values.map((value) => ({
    topic: results,
    key: Buffer.from(value),
    value: Buffer.from(value),
    headers: { value },
  }));

const commitOf = (offset: number, metadata: string, ...values: string[]): Commit => ({
  outputs: outputs(...values),
  offsets: [{ topic: input, partition: 1, offset, metadata }],
});

const committed = async () => {
  const [offset] = await log.committed(group, [{ topic: input, partition: 1 }]);
  return [offset!.offset, offset!.metadata];
};

const visible = async () => (await readCommitted(client, results)).map(({ value }) => String(value)).sort();

describe("a transaction", () => {
  test("makes outputs, offsets and their metadata visible together", async () => {
    const transactions = await log.fence(group, group, { topic: input, partition: 1 });
    expect(await committed()).toEqual([null, ""]);
    await transactions.commit(commitOf(7, '{"manifest":"m1"}', "a", "b"));
    await transactions.commit(commitOf(9, '{"manifest":"m2"}', "c"));
    await transactions.close();
    expect(await committed()).toEqual([9, '{"manifest":"m2"}']);
    expect(await visible()).toEqual(["a", "b", "c"]);
    const [record] = await readCommitted(client, results);
    expect(String(record!.headers!.value)).toBe(String(record!.value));
  });

  test("may have offsets and no outputs, one right after the other", async () => {
    const transactions = await log.fence(group, group, { topic: input, partition: 1 });
    for (let offset = 1; offset <= 50; offset++) await transactions.commit(commitOf(offset, "m"));
    await transactions.close();
    expect(await committed()).toEqual([50, "m"]);
  });

  test("may be larger than one send", async () => {
    const transactions = await log.fence(group, group, { topic: input, partition: 1 });
    const values = Array.from({ length: 2_500 }, (_, index) => `value-${String(index).padStart(5, "0")}`);
    await transactions.commit(commitOf(1, "m", ...values));
    await transactions.close();
    expect(await visible()).toEqual(values);
  });

  test("may hold a record that was larger than max.message.bytes before its producer compressed it", async () => {
    const transactions = await log.fence(group, group, { topic: input, partition: 1 });
    const value = "x".repeat(5_000_000);
    const [output] = outputs("small");
    await transactions.commit({ ...commitOf(1, "m"), outputs: [{ ...output!, value: Buffer.from(value) }] });
    await transactions.close();
    expect((await visible()).map(({ length }) => length)).toEqual([value.length]);
  });

  test("passes when every partition acknowledged, and commits negative offsets as they are", async () => {
    const transactions = await log.fence(group, group, { topic: input, partition: 1 });
    const everywhere = Array.from({ length: PARTITIONS }, (_, partition) => ({
      ...outputs(`to-${partition}`)[0]!,
      partition,
    }));
    await transactions.commit({ ...commitOf(-2, "m"), outputs: everywhere });
    await transactions.close();
    expect((await readCommitted(client, results)).map(({ partition }) => partition).sort()).toEqual([
      0, 1, 2,
    ]);
    expect(await committed()).toEqual([-2, "m"]);
  });
});

describe("fencing", () => {
  test("a second producer with the id makes the first one's commit a FencedError", async () => {
    const first = await log.fence(group, group, { topic: input, partition: 1 });
    await first.commit(commitOf(1, "m1", "a"));
    const second = await log.fence(group, group, { topic: input, partition: 1 });
    await expect(first.commit(commitOf(2, "m2", "b"))).rejects.toThrow(FencedError);
    await second.commit(commitOf(3, "m3", "c"));
    await Promise.all([first.close(), second.close()]);
    expect(await committed()).toEqual([3, "m3"]);
    expect(await visible()).toEqual(["a", "c"]);
  });

  test("it is done when fence resolves, also for a producer that has only begun", async () => {
    const first = await log.fence(group, group, { topic: input, partition: 1 });
    const second = await log.fence(group, group, { topic: input, partition: 1 });
    await expect(first.commit(commitOf(1, "m1"))).rejects.toThrow(FencedError);
    await Promise.all([first.close(), second.close()]);
    expect(await committed()).toEqual([null, ""]);
  });
});

describe("a commit that fails before its end", () => {
  test("leaves nothing for readers of committed records, and its producer takes no further commit", async () => {
    const transactions = await log.fence(group, group, { topic: input, partition: 1 });
    const missing = { ...outputs("x")[0]!, topic: "no-such-topic" };
    const failing = { ...commitOf(5, "m", "a"), outputs: [...outputs("a"), missing] };
    await expect(transactions.commit(failing)).rejects.toThrow(CommitNotMadeError);
    await expect(transactions.commit(commitOf(5, "m", "a"))).rejects.toThrow(CommitNotMadeError);
    await transactions.close();
    expect(await visible()).toEqual([]);
    expect(await committed()).toEqual([null, ""]);
  });

  test("is not made where its offsets were refused after its outputs were written", async () => {
    const transactions = await log.fence(group, group, { topic: input, partition: 1 });
    // Kafka's limit for the metadata of an offset is 4,096 bytes.
    await expect(transactions.commit(commitOf(5, "m".repeat(5_000), "a"))).rejects.toThrow(
      CommitNotMadeError,
    );
    await transactions.close();
    expect(await visible()).toEqual([]);
    expect(await committed()).toEqual([null, ""]);
  });

  /**
   * kafkajs sends again within the commit, with the same sequence numbers; the broker recognizes what it has.
   */
  test.each(["before", "after"] as const)(
    "survives a connection cut %s a produce request",
    async (moment) => {
      const transactions = await cuttable.fence(group, group, { topic: input, partition: 1 });
      broker.wire.cutAt(apiKeys.produce, moment);
      await transactions.commit(commitOf(5, "m", "a", "b"));
      await transactions.close();
      expect(await visible()).toEqual(["a", "b"]);
      expect(await committed()).toEqual([5, "m"]);
    },
  );

  test("is not made where the connection is cut at its offsets; a new producer sends it again", async () => {
    const transactions = await cuttable.fence(group, group, { topic: input, partition: 1 });
    broker.wire.cutAt(apiKeys.addOffsetsToTxn, "before");
    await expect(transactions.commit(commitOf(5, "m", "a"))).rejects.toThrow(CommitNotMadeError);
    await transactions.close();
    const again = await cuttable.fence(group, group, { topic: input, partition: 1 });
    expect(await committed()).toEqual([null, ""]);
    await again.commit(commitOf(5, "m", "a"));
    await again.close();
    expect(await visible()).toEqual(["a"]);
    expect(await committed()).toEqual([5, "m"]);
  });
});

describe("a connection cut at the end of a transaction", () => {
  test.each([
    ["before", [null, ""], []],
    ["after", [5, "m"], ["a"]],
  ] as const)(
    "%s the broker has it is unknown; a new producer makes it final",
    async (moment, offset, values) => {
      const transactions = await cuttable.fence(group, group, { topic: input, partition: 1 });
      broker.wire.cutAt(apiKeys.endTxn, moment);
      await expect(transactions.commit(commitOf(5, "m", "a"))).rejects.toThrow(CommitUnknownError);
      await expect(transactions.commit(commitOf(5, "m", "a"))).rejects.toThrow(CommitNotMadeError);
      const again = await log.fence(group, group, { topic: input, partition: 1 });
      await expect.poll(committed).toEqual(offset);
      await expect.poll(visible).toEqual(values);
      await Promise.all([transactions.close(), again.close()]);
    },
  );
});
