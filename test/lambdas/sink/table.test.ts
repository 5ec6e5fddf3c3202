import { GetItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ResultRecord, resultPartitionKey, resultSortKey } from "../../../contracts/results.ts";
import { PROGRESS_SORT_KEY, progressItem, progressKey } from "../../../contracts/served-series.ts";
import { RESULTS_RETENTION_MS, topics } from "../../../contracts/topics.ts";
import { readBatch } from "../../../lambdas/sink/batch.ts";
import { DynamoDBResultsTable, type WriteOutcome } from "../../../lambdas/sink/table.ts";
import { atHour, delivery, mskRecord } from "../support/result-records.ts";
import { createTable, startResultsTable, TABLE_NAME, type TestTable } from "../support/results-table.ts";

let test: TestTable;

beforeAll(async () => {
  test = await startResultsTable();
});
afterAll(() => test.close());

const write = (record: ResultRecord, tableName = TABLE_NAME): Promise<WriteOutcome> =>
  new DynamoDBResultsTable(test.client, tableName).write(readBatch(delivery([mskRecord(record)])).newest[0]!);

async function itemOf({ pipeline, key, window }: ResultRecord): Promise<Record<string, unknown>> {
  const pk = { S: resultPartitionKey(pipeline, key, window.start) };
  const sk = { S: resultSortKey(window.start, window.end) };
  const { Item } = await test.client.send(new GetItemCommand({ TableName: TABLE_NAME, Key: { pk, sk } }));
  return Item!;
}

const version = (generation: number, checkpoint: number, index: number) => ({
  generation,
  checkpoint,
  index,
});

describe("the results table", () => {
  it("takes a higher version only", async () => {
    const at = (v: ResultRecord["version"], revision: number) => atHour(1, { version: v, revision });
    expect(await write(at(version(1, 9, 3), 1))).toEqual({ kind: "stored" });
    expect(await write(at(version(1, 9, 3), 2))).toEqual({ kind: "superseded" });
    expect(await write(at(version(1, 9, 2), 3))).toEqual({ kind: "superseded" });
    expect(await write(at(version(1, 10, 0), 4))).toEqual({ kind: "stored" });
    expect(await write(at(version(2, 0, 0), 5))).toEqual({ kind: "stored" });
    expect(await write(at(version(1, 99, 0), 6))).toEqual({ kind: "superseded" });
    expect(await itemOf(atHour(1))).toMatchObject({ revision: { N: "5" } });
  });

  it("keeps a retraction as an item that expires, and drops its expiry with a newer result", async () => {
    await write(atHour(2));
    await write(atHour(2, { kind: "retract", version: version(1, 8, 0) }));
    const retracted = await itemOf(atHour(2));
    expect(retracted).toMatchObject({ kind: { S: "retract" }, expiresAt: { N: expect.any(String) } });
    await write(atHour(2, { version: version(1, 9, 0) }));
    expect(await itemOf(atHour(2))).not.toHaveProperty("expiresAt");
  });

  it("keeps a retraction longer than anything that it takes back can be delivered again", async () => {
    const hour = 6;
    await write(atHour(hour, { kind: "retract", version: version(1, 8, 0) }));
    const { expiresAt } = (await itemOf(atHour(hour))) as { expiresAt: { N: string } };
    const replayableMs = Math.max(
      RESULTS_RETENTION_MS,
      ...Object.values(topics).map((each) => each.retentionMs),
    );
    expect(Number(expiresAt.N) * 1_000).toBeGreaterThan(Date.now() + replayableMs);
  });

  it("lets no retraction take back what is newer than it", async () => {
    const hour = 7;
    await write(atHour(hour, { version: version(1, 9, 0) }));
    const late = atHour(hour, { kind: "retract", version: version(1, 8, 0) });
    expect(await write(late)).toEqual({ kind: "superseded" });
    expect(await itemOf(atHour(hour))).toMatchObject({ kind: { S: "result" } });
  });

  it("keeps values exactly", async () => {
    const value = { huge: 1e300, tiny: 5e-324, text: "", nested: { list: [null, true] } };
    await write(atHour(3, { value }));
    expect(await itemOf(atHour(3))).toMatchObject({ value: { S: JSON.stringify(value) } });
  });

  it.each([
    ["an item beyond 400 KB", atHour(4, { value: { text: "x".repeat(420_000) } })],
    ["a key beyond 2,048 bytes", atHour(4, { key: "x".repeat(2_100) })],
  ])("refuses %s for its content", async (_, record) => {
    expect(await write(record)).toMatchObject({ kind: "refused", detail: expect.any(String) });
  });

  it("fails where the table does not exist", async () => {
    await expect(write(atHour(5), "no-such-table")).rejects.toMatchObject({ code: "TABLE_UNAVAILABLE" });
  });

  it("fails where the table's keys are others, instead of refusing every result", async () => {
    await createTable(test.client, "others", "a", "b");
    await expect(write(atHour(5), "others")).rejects.toMatchObject({ code: "TABLE_UNAVAILABLE" });
  });

  it("says how far a partition has come: never less far, but of a newer generation", async () => {
    const table = new DynamoDBResultsTable(test.client, TABLE_NAME);
    const key = { pk: { S: progressKey("airport-delays", 3) }, sk: { S: PROGRESS_SORT_KEY } };
    const after = async (generation: number, endMs: number): Promise<string> => {
      await table.advance({ series: "airport-delays", partition: 3, generation, endMs });
      const { Item } = await test.client.send(new GetItemCommand({ TableName: TABLE_NAME, Key: key }));
      return `${Item![progressItem.generation]!.N}:${Item![progressItem.endMs]!.N}`;
    };

    expect(await after(1, 900)).toBe("1:900");
    expect(await after(1, 1_000)).toBe("1:1000");
    expect(await after(1, 999)).toBe("1:1000");
    expect(await after(2, 5)).toBe("2:5");
    expect(await after(1, 2_000)).toBe("2:5");
  });

  it("fails where it cannot say so", async () => {
    const table = new DynamoDBResultsTable(test.client, "no-such-table");
    const progress = { series: "airport-delays", partition: 0, generation: 1, endMs: 1 };
    await expect(table.advance(progress)).rejects.toMatchObject({ code: "TABLE_UNAVAILABLE" });
  });
});
